"""Null hypotheses for spike trains: surrogates, permutation tests, correction for many units."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.stats import false_discovery_control

from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76_of_events
from neurocode.statistics.lempel_ziv import count_lz76_binary
from neurocode.units import unmasked

METHODS = ("rate", "isi")


@dataclass(frozen=True)
class SurrogateComplexity:
    """Complexity of trains against that of their surrogates; arrays have one entry per unit.

    Attributes
    ----------
    count : numpy.ndarray
        LZ76 words.
    ratio : numpy.ndarray
        Count over the mean count of the surrogates: 1 under the null hypothesis, less if there is
        more structure.
    z : numpy.ndarray
        Distance from that mean in standard deviations of the surrogates.
    p : numpy.ndarray
        Two-sided Monte-Carlo p-value, at least 2/(surrogates + 1).
    """

    count: np.ndarray
    ratio: np.ndarray
    z: np.ndarray
    p: np.ndarray


def surrogate_complexity(
    events: list[np.ndarray],
    lengths: np.ndarray | Sequence[int],
    *,
    method: str = "rate",
    n_surrogates: int = 200,
    seed: int = 0,
) -> SurrogateComplexity:
    """LZ76 of binned trains, normalised by surrogates of each train.

    Parameters
    ----------
    events : list of numpy.ndarray of int
        Occupied bins of each unit, increasing.
    lengths : array of int
        Number of bins of each unit.
    method : {"rate", "isi"}
        ``"rate"``: the same number of occupied bins at random, a Bernoulli process of the same
        rate. ``"isi"``: the same intervals in random order, a renewal process of the same
        intervals.
    n_surrogates : int
    seed : int
        Each unit has its own random numbers: results do not depend on other units or the number of
        threads.

    Returns
    -------
    SurrogateComplexity
        NaN for units with fewer than two occupied bins.

    Raises
    ------
    DataError
        For another method, fewer than 19 surrogates, or events outside the train.

    Examples
    --------
    >>> regular = np.arange(0, 1000, 10)
    >>> bool(surrogate_complexity([regular], [1000]).ratio[0] < 0.5)
    True
    """
    if method not in METHODS:
        raise DataError(f"'{method}' is not a kind of surrogate; known are {', '.join(METHODS)}.")
    require_surrogates(n_surrogates)
    if len(events) != np.size(lengths):
        raise DataError(
            f"There are {len(events)} units and {np.size(lengths)} lengths, expected one "
            f"length per unit."
        )
    lengths = np.asarray(lengths, np.int64)
    seeds = np.random.SeedSequence(seed).generate_state(len(events), np.uint32)
    count = np.array(
        [lz76_of_events(positions, n) for positions, n in zip(events, lengths, strict=True)], float
    )
    table = np.full((len(events), n_surrogates), np.nan)

    def run(unit: int) -> None:
        if len(events[unit]) >= 2:
            positions = np.asarray(events[unit], np.int64)
            table[unit] = _surrogate_counts(
                positions, lengths[unit], method == "isi", n_surrogates, seeds[unit]
            )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, range(len(events))))
    return compare_with_surrogates(count, table)


def permutation_test(
    a: np.ndarray,
    b: np.ndarray,
    statistic: Callable[[np.ndarray, np.ndarray], float],
    *,
    n_permutations: int = 999,
    seed: int = 0,
) -> tuple[float, float]:
    """Difference of two groups by a statistic, and the p-value under exchange of their members.

    Parameters
    ----------
    a, b : numpy.ndarray
        Observations along the first axis.
    statistic : callable
        Function of the two groups, whose absolute value is tested.
    n_permutations : int
    seed : int

    Returns
    -------
    value, p : float
        The p-value counts the observed arrangement as one of the permutations, so it is uniform
        under the null.

    Examples
    --------
    >>> value, p = permutation_test(np.zeros(20), np.ones(20), lambda a, b: a.mean() - b.mean())
    >>> float(value), p
    (-1.0, 0.001)
    """
    random = np.random.default_rng(seed)
    value, pooled = float(statistic(a, b)), np.concatenate([a, b])
    extreme = 1
    for _ in range(n_permutations):
        order = random.permutation(len(pooled))
        extreme += abs(statistic(pooled[order[: len(a)]], pooled[order[len(a) :]])) >= abs(
            value
        ) - 1e-12 * abs(value)
    return value, float(extreme / (n_permutations + 1))


def false_discovery_rate(p: np.ndarray) -> np.ndarray:
    """P-values adjusted for many units (Benjamini & Hochberg 1995); NaN stays and is not counted.

    Raises
    ------
    DataError
        For values outside [0, 1].

    Examples
    --------
    >>> false_discovery_rate([0.01, 0.02, np.nan, 0.5])
    array([0.03, 0.03,  nan, 0.5 ])
    """
    p = unmasked(p, "Values of p").astype(float)
    if np.any(p < 0) or np.any(p > 1):
        raise DataError("P-values lie between 0 and 1.")
    adjusted, finite = np.full(p.shape, np.nan), np.isfinite(p)
    if finite.any():
        adjusted[finite] = false_discovery_control(p[finite])
    return adjusted


def require_surrogates(n_surrogates: int) -> None:
    """Refuse fewer surrogates than a p-value of 0.1 takes.

    Raises
    ------
    DataError
        For fewer than 19.

    Examples
    --------
    >>> require_surrogates(19)
    """
    if n_surrogates < 19:
        raise DataError(
            f"{n_surrogates} surrogates cannot reach a p-value of 0.1; at least 19 are needed."
        )


def compare_with_surrogates(count: np.ndarray, table: np.ndarray) -> SurrogateComplexity:
    """Counts of units against those of their surrogates.

    Parameters
    ----------
    count : numpy.ndarray, shape (units,)
        LZ76 words.
    table : numpy.ndarray, shape (units, surrogates)
        Those of the surrogates; NaN where there are none.

    Examples
    --------
    >>> result = compare_with_surrogates(np.array([3.0]), np.array([[4.0, 5.0, 6.0]]))
    >>> result.ratio.tolist(), result.z.tolist(), result.p.tolist()
    ([0.6], [-2.0], [0.5])
    """
    mean, spread = table.mean(axis=1), table.std(axis=1, ddof=1)
    below, above = (
        np.sum(side, axis=1) for side in (table <= count[:, None], table >= count[:, None])
    )
    p = np.minimum(1.0, 2.0 * (np.minimum(below, above) + 1.0) / (table.shape[1] + 1.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(spread > 0, (count - mean) / spread, np.nan)
    undefined = np.isnan(mean)
    return SurrogateComplexity(count, count / mean, z, np.where(undefined, np.nan, p))


@njit(cache=True, nogil=True)
def _surrogate_counts(
    events: np.ndarray, length: int, shuffle: bool, n_surrogates: int, seed: int
) -> np.ndarray:
    """Return the LZ76 counts of surrogates of one train."""
    np.random.seed(seed)
    counts = np.empty(n_surrogates, np.int64)
    gaps = np.empty(events.size - 1, np.int64)
    for k in range(gaps.size):
        gaps[k] = events[k + 1] - events[k]
    for number in range(n_surrogates):
        if shuffle:
            np.random.shuffle(gaps)
            surrogate = np.empty(events.size, np.int64)
            surrogate[0] = events[0]
            for k in range(gaps.size):
                surrogate[k + 1] = surrogate[k] + gaps[k]
        else:
            surrogate = _random_subset(length, events.size)
        counts[number] = count_lz76_binary(surrogate, length)[0]
    return counts


@njit(cache=True, nogil=True)
def _random_subset(length: int, size: int) -> np.ndarray:
    """Sorted uniform subset of [0, length): marked in a mask, or sorted where members are few.

    Loops stand where NumPy has a function: those take numba seconds to compile.
    """
    subset = np.empty(size, np.int64)
    if length > 64 * size:
        different = 0
        while different < size:
            for k in range(different, size):
                subset[k] = np.random.randint(0, length)
            subset.sort()
            different = 0
            for k in range(size):
                if k == 0 or subset[k] != subset[different - 1]:
                    subset[different] = subset[k]
                    different += 1
        return subset
    marked = np.zeros(length, np.bool_)
    rare = min(size, length - size)
    remaining = rare
    while remaining:
        position = np.random.randint(0, length)
        remaining -= not marked[position]
        marked[position] = True
    k = 0
    for position in range(length):
        if marked[position] == (rare == size):
            subset[k] = position
            k += 1
    return subset
