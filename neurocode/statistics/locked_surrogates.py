"""Complexity against surrogates that keep the peristimulus time histogram, and what follows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
from numba import njit

from neurocode.frames import kept
from neurocode.recordings.trains import Trains
from neurocode.statistics.complexity import occupied_bins
from neurocode.statistics.lempel_ziv import count_lz76_binary
from neurocode.statistics.surrogates import (
    SurrogateComplexity,
    compare_with_surrogates,
    require_surrogates,
)
from neurocode.statistics.unit_statistics import (
    MOST_BINS,
    UnitStatistic,
    columns_against,
    complexity_bins,
    durations,
    values_against,
)

#: Repeats of one stimulus that are needed: with fewer, too many pairs of spikes stay together when
#: spikes change their repeats.
FEWEST_REPEATS = 5
#: Level of the tests, and the least share of the missing complexity that a rate locked to the
#: stimulus must explain; the share is our choice, not from a paper.
ALPHA, SHARE = 0.05, 0.5
#: What a low complexity follows from; see :func:`low_complexity`.
STIMULUS, STRUCTURE, UNDECIDED, NO_REPEATS = "stimulus", "structure", "undecided", "no repeats"


def locked_complexity(
    trains: Trains,
    bin_sizes: Sequence[float] | np.ndarray,
    *,
    n_surrogates: int = 200,
    seed: int = 0,
) -> SurrogateComplexity:
    """LZ76 of the repeats of each unit, normalised by surrogates that keep its PSTH.

    In a surrogate the spikes of every time bin of a stimulus are dealt to its repeats at random, so
    that the count of each bin over all repeats stays. That is exactly what an inhomogeneous
    Bernoulli process of the same peristimulus time histogram allows: refractoriness, bursts, and
    changes of the rate from repeat to repeat are gone.

    Parameters
    ----------
    trains : Trains
    bin_sizes : sequence of float
        Of each unit, in seconds.
    n_surrogates : int
        Of each unit.
    seed : int
        Each unit has its own stream.

    Returns
    -------
    SurrogateComplexity
        NaN for units without five repeats of every stimulus, with repeats that last unequally long,
        or with fewer than two occupied bins.

    Raises
    ------
    DataError
        For fewer than 19 surrogates.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> regular = [random.uniform(0, 0.1) + np.arange(0, 3.9, 0.1) for _ in range(10)]
    >>> trains = Trains.of_arrays([[(train, 0.0, 4.0) for train in regular]], ["a"])
    >>> bool(locked_complexity(trains, [0.02], n_surrogates=39).ratio[0] < 0.8)
    True
    """
    require_surrogates(n_surrogates)
    seeds = np.random.SeedSequence(seed).generate_state(trains.n_units, np.uint32)
    counts = np.full(trains.n_units, np.nan)
    table = np.full((trains.n_units, n_surrogates), np.nan)

    def run(unit: int) -> None:
        repeats = _repeats(trains, unit, float(bin_sizes[unit]))
        if repeats is not None:
            counts[unit], table[unit] = _counts(repeats, n_surrogates, seeds[unit])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, range(trains.n_units)))
    return compare_with_surrogates(counts, table)


def locked_statistic(bin_size: float | None, n_surrogates: int, seed: int) -> UnitStatistic:
    """The row of the complexity against surrogates that keep the PSTH, for
    :func:`neurocode.describe`.

    Parameters
    ----------
    bin_size : float, optional
        In seconds; that of the complexity by default.
    n_surrogates, seed : int
        Of each unit.

    Examples
    --------
    >>> locked_statistic(None, 200, 0).names
    ['lz_locked_ratio', 'lz_locked_z', 'lz_locked_p', 'lz_locked_q']
    """

    def values(trains: Trains) -> np.ndarray:
        widths = complexity_bins(trains, bin_size)
        result = locked_complexity(trains, widths, n_surrogates=n_surrogates, seed=seed)
        return np.stack(values_against(result), axis=1)

    return UnitStatistic(columns_against("lz_locked", "surrogates that keep the PSTH"), values)


def low_complexity(table: pd.DataFrame) -> pd.Series:
    """What the complexity of units below that of rate-matched surrogates follows from.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`neurocode.describe`, with the columns of :func:`locked_statistic` where there
        are any.

    Returns
    -------
    pandas.Series of str
        One entry per unit whose complexity is below that of rate-matched surrogates (q < 0.05).
        ``"stimulus"``: a rate locked to the stimulus, since complexity is not below that of
        surrogates that keep the PSTH (p < 0.05), and these miss at least half of the complexity
        that the unit misses. ``"structure"``: it is below these too (p < 0.05), so that there is
        structure in the trains which the PSTH does not explain. ``"undecided"``: neither holds.
        ``"no repeats"``: the surrogates need five repeats of each stimulus, equally long.

    Notes
    -----
    P-values against surrogates that keep the PSTH are not adjusted for the number of units: those
    of counted surrogates have a least value, which an adjustment for many units lifts above any
    level. One unit in forty whose rate is locked to the stimulus is therefore said to have more
    structure.

    Examples
    --------
    >>> rows = [(0.6, 0.01, 1.0, 0.9), (0.6, 0.01, 0.6, 0.01)]
    >>> names = ["lz_ratio", "lz_q", "lz_locked_ratio", "lz_locked_p"]
    >>> table = pd.DataFrame(rows, columns=names)
    >>> low_complexity(table).tolist()
    ['stimulus', 'structure']
    """
    if "lz_q" not in table:
        return pd.Series(dtype=object)
    low = kept(table, (table["lz_q"] < ALPHA) & (table["lz_ratio"] < 1))
    locked = low.reindex(columns=["lz_locked_ratio", "lz_locked_p"])
    locked.columns = ["ratio", "p"]
    # The surrogates' own words, as a share of those of rate-matched ones, are ratio over ratio.
    share = (1 - low["lz_ratio"] / locked["ratio"]) / (1 - low["lz_ratio"])
    causes = pd.Series(UNDECIDED, index=low.index, dtype=object)
    below = (locked["ratio"] < 1) & (locked["p"] < ALPHA)
    causes[(share >= SHARE) & ~below] = STIMULUS
    causes[below] = STRUCTURE
    causes[locked["ratio"].isna()] = NO_REPEATS
    return causes


class _Repeats(NamedTuple):
    """Occupied bins of the repeats of one unit.

    Attributes
    ----------
    stimulus, place, repeat : numpy.ndarray of int
        Number of the stimulus, the bin within the repeat and the repeat of each occupied bin, in
        the order of stimulus and bin.
    order, first : numpy.ndarray of int
        Repeats in the order of their stimulus; those of stimulus ``s`` are
        ``order[first[s]:first[s + 1]]``.
    n_bins : int
        Of each repeat.
    """

    stimulus: np.ndarray
    place: np.ndarray
    repeat: np.ndarray
    order: np.ndarray
    first: np.ndarray
    n_bins: int


def _repeats(trains: Trains, unit: int, bin_size: float) -> _Repeats | None:
    """Occupied bins of a unit, or None where surrogates are not defined."""
    rows = np.array(trains.trains_of(unit), dtype=int)
    if len(rows) < FEWEST_REPEATS or not durations(trains)[unit] <= MOST_BINS * bin_size:
        return None
    stimuli, of_repeat = np.unique(trains.condition[rows], return_inverse=True)
    n_repeats = np.bincount(of_repeat, minlength=len(stimuli))
    binned = [
        occupied_bins(
            trains.train(row) - trains.t_start[row],
            float(trains.t_stop[row] - trains.t_start[row]),
            bin_size,
        )
        for row in rows
    ]
    lengths = {n_bins for _, n_bins in binned}
    place = np.concatenate([bins for bins, _ in binned])
    if n_repeats.min() < FEWEST_REPEATS or len(lengths) > 1 or len(place) < 2:
        return None
    repeat = np.repeat(np.arange(len(rows)), [len(bins) for bins, _ in binned])
    sequence = np.lexsort((place, of_repeat[repeat]))
    return _Repeats(
        stimulus=of_repeat[repeat][sequence],
        place=place[sequence],
        repeat=repeat[sequence],
        order=np.argsort(of_repeat, kind="stable"),
        first=np.concatenate([[0], np.cumsum(n_repeats)]),
        n_bins=lengths.pop(),
    )


def _counts(repeats: _Repeats, n_surrogates: int, seed: int) -> tuple[int, np.ndarray]:
    """LZ76 words of the repeats one after another, and of their surrogates."""
    length = repeats.n_bins * len(repeats.order)
    events = np.sort(repeats.repeat * repeats.n_bins + repeats.place)
    words = count_lz76_binary(events, length)[0]
    return words, _surrogate_counts(*repeats[:2], *repeats[3:], n_surrogates, seed)


@njit(cache=True, nogil=True)
def _surrogate_counts(
    stimulus: np.ndarray,
    place: np.ndarray,
    order: np.ndarray,
    first: np.ndarray,
    n_bins: int,
    n_surrogates: int,
    seed: int,
) -> np.ndarray:
    np.random.seed(seed)
    counts = np.empty(n_surrogates, np.int64)
    shuffled = order.copy()
    for number in range(n_surrogates):
        events = _dealt(stimulus, place, shuffled, first, n_bins)
        counts[number] = count_lz76_binary(events, n_bins * order.size)[0]
    return counts


@njit(cache=True, nogil=True)
def _dealt(
    stimulus: np.ndarray, place: np.ndarray, order: np.ndarray, first: np.ndarray, n_bins: int
) -> np.ndarray:
    """Occupied bins of all repeats, increasing, once those of each time bin of a stimulus have been
    dealt to different repeats of it; ``order`` is shuffled on the way."""
    events = np.empty(place.size, np.int64)
    dealt = 0
    for k in range(place.size):
        new = k == 0 or stimulus[k] != stimulus[k - 1] or place[k] != place[k - 1]
        dealt = 0 if new else dealt + 1
        left = first[stimulus[k]] + dealt
        chosen = np.random.randint(left, first[stimulus[k] + 1])
        order[left], order[chosen] = order[chosen], order[left]
        events[k] = order[left] * n_bins + place[k]
    events.sort()
    return events
