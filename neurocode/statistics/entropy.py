"""Entropy rate of symbol sequences, in bits per symbol: Lempel-Ziv, context-tree weighting, and
words with bias correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit

from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76, symbols_of
from neurocode.units import unmasked

#: Words per possible word that a word length needs to count as sampled (Strong et al. 1998 ask for
#: several).
SAMPLES_PER_WORD = 8


def lempel_ziv_entropy_rate(
    sequence: Sequence | np.ndarray | str, *, n_surrogates: int = 50, seed: int = 0
) -> float:
    """Entropy rate from LZ76, corrected for the bias of finite length by shuffled copies.

    ``c log2(n)/n`` is biased by an amount that is much the same for a shuffled copy, whose entropy
    rate is that of its symbol frequencies: the estimate is that entropy times the ratio of the two
    counts (our choice, not from the paper).

    Parameters
    ----------
    sequence : sequence of symbols
    n_surrogates : int
        Number of shuffled copies.
    seed : int

    Returns
    -------
    float
        Bits per symbol; NaN for fewer than two symbols, zero for a constant sequence.

    Examples
    --------
    >>> bits = np.random.default_rng(1).integers(0, 2, 20_000)
    >>> bool(abs(lempel_ziv_entropy_rate(bits) - 1) < 0.02)
    True
    """
    codes, counts = symbols_of(sequence)
    if codes.size < 2:
        return np.nan
    if np.count_nonzero(counts) == 1:
        return 0.0
    random = np.random.default_rng(seed)
    shuffled = np.mean([lz76(random.permutation(codes)) for _ in range(n_surrogates)])
    return float(plug_in_entropy(counts) * lz76(codes) / shuffled)


def context_tree_entropy_rate(sequence: Sequence | np.ndarray | str, *, depth: int = 12) -> float:
    """Code length of context-tree weighting (Willems, Shtarkov & Tjalkens 1995) per symbol.

    It is an upper bound in expectation for every source; for tree sources within the depth the
    excess is about (parameters/2) log2(n)/n. The nodes hold Krichevsky-Trofimov estimates.

    Parameters
    ----------
    sequence : sequence of symbols
    depth : int
        Longest context.

    Returns
    -------
    float
        Bits per symbol; NaN for a sequence no longer than the depth.

    Raises
    ------
    DataError
        If the depth is not positive.

    Examples
    --------
    >>> context_tree_entropy_rate(np.tile([0, 1], 2000), depth=4) < 0.02
    True
    """
    if depth < 1:
        raise DataError(f"The depth of a context tree is positive, not {depth}.")
    codes, counts = symbols_of(sequence)
    if codes.size <= depth:
        return np.nan
    present = np.flatnonzero(counts)
    dense = np.zeros(len(counts), np.int64)
    dense[present] = np.arange(len(present))
    return float(
        -_context_tree_log_probability(dense[codes], max(2, len(present)), depth)
        / np.log(2)
        / (codes.size - depth)
    )


def word_entropy_rate(sequence: Sequence | np.ndarray | str, *, longest: int = 12) -> float:
    """Direct method (Strong et al. 1998): entropy of words, bias corrected (Miller-Madow),
    extrapolated to infinitely long words.

    The entropy per symbol of words of length L is fitted by a line in 1/L over the four longest
    lengths that the data sample; its value at 1/L = 0 is returned.

    Parameters
    ----------
    sequence : sequence of symbols
    longest : int
        Longest word considered.

    Returns
    -------
    float
        Bits per symbol; NaN if fewer than two lengths are sampled.

    Examples
    --------
    >>> bits = np.random.default_rng(1).integers(0, 2, 20_000)
    >>> bool(abs(word_entropy_rate(bits) - 1) < 0.02)
    True
    """
    codes, counts = symbols_of(sequence)
    alphabet = int(np.count_nonzero(counts))
    lengths, entropies = [], []
    for length in range(1, longest + 1):
        words = (
            np.lib.stride_tricks.sliding_window_view(codes, length)
            if codes.size >= length
            else np.empty((0, length))
        )
        if alphabet < 2 or len(words) < SAMPLES_PER_WORD * alphabet**length:
            break
        numbers = words.astype(np.int64) @ (len(counts) ** np.arange(length))
        occurrences = np.unique(numbers, return_counts=True)[1]
        lengths.append(length)
        entropies.append(miller_madow_entropy(occurrences) / length)
    if len(lengths) < 2:
        return 0.0 if alphabet == 1 else np.nan
    last_four = slice(max(0, len(lengths) - 4), None)
    return float(np.polyfit(1 / np.array(lengths[last_four]), entropies[last_four], 1)[1])


def plug_in_entropy(counts: np.ndarray) -> float:
    """Entropy of observed frequencies in bits; NaN where nothing was observed.

    Parameters
    ----------
    counts : array
        How often each symbol was seen.

    Raises
    ------
    DataError
        For counts that are negative or not finite.

    Examples
    --------
    >>> plug_in_entropy([2, 1, 1])
    1.5
    """
    p = _counts(counts)
    p = p[p > 0] / p.sum() if p.any() else np.array([np.nan])
    return float(-np.sum(p * np.log2(p)))


def miller_madow_entropy(counts: np.ndarray) -> float:
    """Entropy in bits, with (bins occupied - 1)/(2 n ln 2) added for its bias (Miller 1955).

    Parameters
    ----------
    counts : array
        See :func:`plug_in_entropy`.

    Raises
    ------
    DataError
        For counts that are negative or not finite.

    Examples
    --------
    >>> round(miller_madow_entropy([2, 1, 1]), 4)
    1.8607
    """
    counts = _counts(counts)
    if not counts.any():
        return np.nan
    return plug_in_entropy(counts) + float(
        (np.count_nonzero(counts) - 1) / (2 * counts.sum() * np.log(2))
    )


def _counts(counts: np.ndarray) -> np.ndarray:
    counts = unmasked(counts, "Counts").astype(float)
    if not np.all(np.isfinite(counts)) or np.any(counts < 0):
        raise DataError("Counts of symbols must be finite and not negative.")
    return counts


@njit(cache=True, nogil=True)
def _context_tree_log_probability(codes: np.ndarray, alphabet: int, depth: int) -> float:
    """Weighted log-probability (nats) of all symbols after the first ``depth``."""
    most_nodes = (codes.size - depth) * depth + 2
    children = np.full((most_nodes, alphabet), -1, np.int32)
    counts = np.zeros((most_nodes, alphabet), np.int32)
    estimated, weighted, below = np.zeros(most_nodes), np.zeros(most_nodes), np.zeros(most_nodes)
    path = np.empty(depth + 1, np.int32)
    n_nodes = 1
    half = np.log(0.5)
    for position in range(depth, codes.size):
        symbol = codes[position]
        path[0] = 0
        for level in range(1, depth + 1):
            context, parent = codes[position - level], path[level - 1]
            if children[parent, context] < 0:
                children[parent, context] = n_nodes
                n_nodes += 1
            path[level] = children[parent, context]
        for level in range(depth, -1, -1):
            node = path[level]
            total = 0
            for letter in range(alphabet):
                total += counts[node, letter]
            estimated[node] += np.log((counts[node, symbol] + 0.5) / (total + 0.5 * alphabet))
            counts[node, symbol] += 1
            previous = weighted[node]
            if level == depth:
                weighted[node] = estimated[node]
            else:
                larger, smaller = (
                    max(estimated[node], below[node]),
                    min(estimated[node], below[node]),
                )
                weighted[node] = half + larger + np.log1p(np.exp(smaller - larger))
            if level > 0:
                below[path[level - 1]] += weighted[node] - previous
    return weighted[0]
