"""LZ76 of running trains: the count after every symbol, at the cost of one symbol."""

from __future__ import annotations

import numpy as np
from numba import njit

from neurocode.errors import DataError
from neurocode.units import unmasked

#: Initial capacity in symbols; it is doubled when it is full.
ROOM = 1024


class OnlineLZ76:
    """Number of LZ76 words of a growing sequence, which equals :func:`neurocode.complexity.lz76`
    after every symbol.

    A suffix automaton of the text so far (Blumer et al. 1985) tells whether the running word has
    occurred. A symbol takes constant time on average and adds one or two states to the automaton.

    Parameters
    ----------
    alphabet_size : int
        Symbols are whole numbers from zero to one less than this.

    Raises
    ------
    DataError
        For an alphabet of fewer than two symbols.

    Examples
    --------
    >>> stream = OnlineLZ76()
    >>> [stream.push(symbol) for symbol in (0, 0, 0, 1, 1, 0)]
    [1, 2, 2, 2, 3, 3]
    >>> stream.extend([1, 0, 0, 1, 0, 0, 0, 1, 0, 1])
    6
    """

    def __init__(self, alphabet_size: int = 2) -> None:
        if alphabet_size < 2:
            raise DataError(f"An alphabet has at least two symbols, not {alphabet_size}.")
        self.alphabet_size = alphabet_size
        self._next = np.full((2 * ROOM, alphabet_size), -1, np.int64)
        self._link, self._size = np.full(2 * ROOM, -1, np.int64), np.zeros(2 * ROOM, np.int64)
        #: States in use, last state, state and length of the running word, finished words, symbols.
        self._progress = np.array([1, 0, 0, 0, 0, 0])

    def __len__(self) -> int:
        """Number of symbols so far."""
        return int(self._progress[5])

    @property
    def count(self) -> int:
        """Number of words so far, including the running one."""
        return int(self._progress[4] + (self._progress[3] > 0))

    @property
    def normalised(self) -> float:
        """``c log_A(n)/n`` so far; NaN for fewer than two symbols."""
        n = len(self)
        return (
            self.count * float(np.log(n) / np.log(self.alphabet_size)) / n
            if n > 1
            else float("nan")
        )

    def push(self, symbol: int) -> int:
        """Add a symbol and return the count after it.

        Raises
        ------
        DataError
            For a symbol outside the alphabet.
        """
        return self.extend((symbol,))

    def extend(self, symbols: np.ndarray | list[int] | tuple[int, ...]) -> int:
        """Add several symbols and return the count after them.

        Raises
        ------
        DataError
            For symbols outside the alphabet.
        """
        symbols = unmasked(symbols, "The symbols")
        are_whole = (
            symbols.ndim == 1 and symbols.dtype.kind in "iufb" and not np.any(symbols % 1 != 0)
        )
        if not are_whole or np.any(symbols < 0) or np.any(symbols >= self.alphabet_size):
            raise DataError(
                f"Symbols are a sequence of numbers from 0 to {self.alphabet_size - 1}."
            )
        self._make_room(symbols.size)
        _extend(symbols.astype(np.int64), self._next, self._link, self._size, self._progress)
        return self.count

    def _make_room(self, more: int) -> None:
        needed = self._progress[0] + 2 * more
        if needed > len(self._link):
            room = int(2 ** np.ceil(np.log2(needed)))
            grown = [
                np.full((room, *old.shape[1:]), -1, np.int64)
                for old in (self._next, self._link, self._size)
            ]
            for new, old in zip(grown, (self._next, self._link, self._size), strict=True):
                new[: len(old)] = old
            self._next, self._link, self._size = grown


@njit(cache=True)
def _extend(
    symbols: np.ndarray,
    following: np.ndarray,
    link: np.ndarray,
    size: np.ndarray,
    progress: np.ndarray,
) -> None:
    """Match every symbol against the text before it, then add it to the automaton."""
    states, last, state = progress[0], progress[1], progress[2]
    matched, words, length = progress[3], progress[4], progress[5]
    for symbol in symbols:
        if following[state, symbol] >= 0:
            state, matched = following[state, symbol], matched + 1
        else:
            state, matched, words = 0, 0, words + 1
        new = states
        states += 1
        size[new], link[new] = size[last] + 1, 0
        at = last
        while at >= 0 and following[at, symbol] < 0:
            following[at, symbol] = new
            at = link[at]
        if at >= 0:
            old = following[at, symbol]
            if size[old] == size[at] + 1:
                link[new] = old
            else:
                clone = states
                states += 1
                size[clone], link[clone] = size[at] + 1, link[old]
                for other in range(following.shape[1]):
                    following[clone, other] = following[old, other]
                while at >= 0 and following[at, symbol] == old:
                    following[at, symbol] = clone
                    at = link[at]
                link[old], link[new] = clone, clone
                if state == old and matched <= size[clone]:
                    state = clone
        last = new
        length += 1
    progress[0], progress[1], progress[2] = states, last, state
    progress[3], progress[4], progress[5] = matched, words, length
