"""Lempel-Ziv complexity: exact word counts, and their normalisation.

Not to be confused with :class:`elephant.statistics.Complexity`, a count of synchronous spikes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.binning import bin_numbers, bins_up_to
from neurocode.statistics.lempel_ziv import (
    DENSE_BITS,
    count_lz76,
    count_lz76_automaton,
    count_lz76_binary,
    count_lz76_dense,
    count_lz78,
    events_of,
    histogram,
)
from neurocode.units import unmasked

#: Largest alphabet of which every position may be indexed.
LARGEST_DENSE = 32


def lz76(sequence: Sequence | np.ndarray | str | bytes, *, count_unfinished: bool = True) -> int:
    """Number of words of the exhaustive history of a sequence (Lempel & Ziv 1976).

    From left to right, each word is the shortest that does not occur in the text up to its last but
    one symbol (Kaspar & Schuster 1987). Work and memory are linear in the length; sequences with a
    frequent background symbol, such as binned spike trains, take time in proportion to their number
    of events only.

    Parameters
    ----------
    sequence : sequence of symbols
        Booleans, integers, letters or text; any alphabet.
    count_unfinished : bool
        Whether a last word that the end cuts off counts.

    Returns
    -------
    int
        Zero for an empty sequence.

    Raises
    ------
    DataError
        For more than one dimension, or values that are not finite.

    Examples
    --------
    >>> lz76("0001101001000101"), lz76("banana"), lz76("banana", count_unfinished=False)
    (6, 4, 3)
    """
    codes, counts = symbols_of(sequence)
    if not codes.size:
        return 0
    words, unfinished = _count(codes, counts)
    return int(words - (unfinished and not count_unfinished))


def lz76_of_events(
    times: np.ndarray,
    length: int,
    symbols: np.ndarray | None = None,
    *,
    count_unfinished: bool = True,
) -> int:
    """:func:`lz76` of a sequence given by the positions of its events, all else being background.

    Parameters
    ----------
    times : numpy.ndarray of int
        Increasing positions in ``[0, length)``.
    length : int
        Length of the sequence.
    symbols : numpy.ndarray of int, optional
        Symbol of each event, not zero; ones by default.
    count_unfinished : bool

    Returns
    -------
    int

    Raises
    ------
    DataError
        If the positions are not whole numbers, not increasing or outside the sequence, or the
        symbols do not fit them.

    Examples
    --------
    >>> lz76_of_events([0, 2, 4, 6, 8], 10) == lz76("1010101010")
    True
    """
    times = _whole(times, "Event positions")
    if times.size and (times[0] < 0 or times[-1] >= length or np.any(np.diff(times) <= 0)):
        raise DataError(f"Event positions must increase inside [0, {length}).")
    if length == 0:
        return 0
    if symbols is not None:
        symbols = _whole(symbols, "Symbols of events")
        if symbols.shape != times.shape or np.any(symbols == 0):
            raise DataError(
                f"{times.size} events need one symbol each, other than the zero of the background."
            )
        codes = np.zeros(length, np.int32)
        codes[times] = symbols
        return lz76(codes, count_unfinished=count_unfinished)
    words, unfinished = count_lz76_binary(times, length)
    return int(words - (unfinished and not count_unfinished))


def occupied_bins(times: np.ndarray, duration: float, bin_size: float) -> tuple[np.ndarray, int]:
    """Return the bins of a train that hold spikes, in increasing order, and the number of bins.

    A spike at the very end is in the last bin.

    Parameters
    ----------
    times : numpy.ndarray
        Increasing, in seconds from the start of the train.
    duration, bin_size : float
        In seconds.

    Examples
    --------
    >>> occupied_bins(np.array([0.1, 0.12, 0.3, 1.0]), 1.0, 0.1)
    (array([1, 3, 9]), 10)
    """
    n_bins = bins_up_to(duration, bin_size)
    return np.unique(np.minimum(bin_numbers(times, bin_size), n_bins - 1)), n_bins


def lz78(sequence: Sequence | np.ndarray | str | bytes, *, count_unfinished: bool = True) -> int:
    """Number of words of the incremental parsing of a sequence (Ziv & Lempel 1978).

    Parameters
    ----------
    sequence : sequence of symbols
    count_unfinished : bool
        Whether a last word that the end cuts off counts.

    Returns
    -------
    int

    Raises
    ------
    DataError
        For more than one dimension, or values that are not finite.

    Examples
    --------
    >>> lz78("0001101001000101"), lz78("1010101010")
    (7, 6)
    """
    words, unfinished = count_lz78(symbols_of(sequence)[0])
    return int(words - (unfinished and not count_unfinished))


def normalised_lz76(
    sequence: Sequence | np.ndarray | str | bytes, *, alphabet_size: int = 2
) -> float:
    """``c log_A(n)/n``, which tends to the entropy rate in units of log2(A) bits for long
    sequences.

    It is biased upward by about 10 % at 500 symbols and by about 1/log n beyond, and it depends on
    the firing rate: compare only sequences of the same length, or normalise by surrogates
    (:func:`neurocode.statistics.surrogate_complexity`).

    Parameters
    ----------
    sequence : sequence of symbols
    alphabet_size : int
        A, which is fixed in advance and not taken from the sequence.

    Returns
    -------
    float
        NaN for fewer than two symbols.

    Raises
    ------
    DataError
        For an alphabet of fewer than two symbols or fewer than the sequence has.

    Examples
    --------
    >>> round(normalised_lz76(np.tile([0, 1], 500)), 3)
    0.03
    """
    codes, counts = symbols_of(sequence)
    if alphabet_size < max(2, int(np.count_nonzero(counts))):
        raise DataError(
            f"The alphabet size of {alphabet_size} is below 2 or below the "
            f"{np.count_nonzero(counts)} symbols present."
        )
    if codes.size < 2:
        return np.nan
    return float(_count(codes, counts)[0] * np.log(codes.size) / np.log(alphabet_size) / codes.size)


def symbols_of(sequence: Sequence | np.ndarray | str | bytes) -> tuple[np.ndarray, np.ndarray]:
    """Return symbols as numbers from zero, and how often each occurs.

    Raises
    ------
    DataError
        For more than one dimension, or values that are not finite.
    """
    if isinstance(sequence, str):
        sequence = np.array(list(sequence), dtype="U1")
    values = (
        np.frombuffer(sequence, np.uint8)
        if isinstance(sequence, bytes)
        else unmasked(sequence, "The sequence")
    )
    if values.ndim != 1:
        raise DataError(f"A sequence has one dimension, not {values.ndim}.")
    if values.dtype.kind == "f" and not np.all(np.isfinite(values)):
        raise DataError("The sequence holds values that are not finite.")
    if values.dtype == bool:
        values = values.view(np.uint8)
    if (
        values.dtype.kind in "iu"
        and values.size
        and (values.dtype == np.uint8 or (values.min() >= 0 and values.max() < 256))
    ):
        values = values.astype(np.uint8, copy=False)
        if values.max() > 1:
            return values, histogram(values)
        n_ones = int(np.count_nonzero(values))
        return values, np.array([values.size - n_ones, n_ones])
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return codes.astype(np.uint8 if len(distinct) <= 256 else np.int32), counts


def _whole(values: np.ndarray, what: str) -> np.ndarray:
    values = unmasked(values, what)
    if values.ndim != 1 or values.dtype.kind not in "iufb" or np.any(values % 1 != 0):
        raise DataError(f"{what} are a sequence of whole numbers.")
    return values.astype(np.int64)


def _count(codes: np.ndarray, counts: np.ndarray) -> tuple[int, bool]:
    share = counts / codes.size
    if -np.log2(np.sum(share**2)) >= DENSE_BITS and len(counts) <= LARGEST_DENSE:
        words, unfinished = count_lz76_dense(codes, max(1, int(np.ceil(np.log2(len(counts))))))
    else:
        background = int(np.argmax(counts))
        if len(counts) == 2:
            times = np.flatnonzero(codes if background == 0 else codes == 0)
            symbols = np.ones(times.size, np.uint8)
        else:
            times, symbols = events_of(codes, background, codes.size - int(counts[background]))
        words, unfinished = count_lz76(times, symbols, codes.size)
    return count_lz76_automaton(codes) if words < 0 else (words, unfinished)
