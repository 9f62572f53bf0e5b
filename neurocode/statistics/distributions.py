"""Data for the figure of a description of many units: intervals, counts, and complexity against the
bin."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from neurocode.frames import column
from neurocode.recordings.binning import counts_between
from neurocode.recordings.trains import Trains
from neurocode.statistics.surrogates import surrogate_complexity
from neurocode.statistics.unit_statistics import MOST_BINS, binned_events, durations
from neurocode.statistics.variability import interval_table, window_counts

#: Number of bins of the histogram of intervals, window in seconds of the counts of single trains,
#: number of surrogates for each bin of the complexity.
INTERVAL_BINS, COUNT_WINDOW, FEW_SURROGATES = 40, 1.0, 19


def interval_histogram(
    trains: Trains,
    units: Sequence[int] | np.ndarray,
    *,
    resolution: float = 0.0,
    n_bins: int = INTERVAL_BINS,
) -> tuple[np.ndarray, np.ndarray]:
    """Return logarithmically spaced edges (s) and the probability of the pooled interspike
    intervals of some units.

    Intervals of zero length are left out.

    Parameters
    ----------
    trains : Trains
    units : sequence of int
    resolution : float
        Step of the spike times in seconds (:func:`~neurocode.statistics.time_resolution`). No bin
        is narrower, and edges lie halfway between its multiples, so that a bin is one step wide or
        several. Zero leaves the edges where they are.
    n_bins : int
        At most, over the range of the intervals.

    Examples
    --------
    >>> edges, probability = interval_histogram(Trains.of([[0.0, 1.0, 3.0], [5.0, 5.5]]), [0])
    >>> edges[[0, -1]].round(3).tolist(), probability[[0, -1]].tolist()
    ([0.999, 2.002], [0.5, 0.5])
    >>> interval_histogram(Trains.of([[0.0, 1.0, 3.0]]), [0], resolution=1.0)[0].tolist()
    [0.5, 1.5, 2.5]
    """
    rows = np.flatnonzero(np.isin(trains.unit, units))
    intervals = np.concatenate([np.empty(0), *(np.diff(trains.train(k)) for k in rows.tolist())])
    intervals = intervals[intervals > 0]
    if not intervals.size:
        return np.array([1e-3, 1.0]), np.zeros(1)
    edges = np.geomspace(intervals.min() * 0.999, intervals.max() * 1.001, n_bins + 1)
    if resolution > 0:
        edges = (np.unique(np.round(edges / resolution - 0.5)) + 0.5) * resolution
    return edges, counts_between(intervals, edges) / intervals.size


def count_moments(
    trains: Trains, units: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and unbiased variance of counts: over repeats of a condition, or over windows of
    1 s of a single train.

    Examples
    --------
    >>> count_moments(Trains.of([[[0.1], [0.1, 0.2, 0.3]]]), [0])
    (array([2.]), array([2.]))
    """
    counts, moments = trains.counts, []
    for unit in units:
        rows = np.array(trains.trains_of(unit))
        groups = [
            counts[rows[trains.condition[rows] == c]] for c in np.unique(trains.condition[rows])
        ]
        row = int(rows[0])
        start, stop = float(trains.t_start[row]), float(trains.t_stop[row])
        if max(len(group) for group in groups) == 1 and stop - start >= 2 * COUNT_WINDOW:
            groups = [window_counts([trains.train(row)], start, stop, COUNT_WINDOW)[0]]
        moments += [(np.mean(group), np.var(group, ddof=1)) for group in groups if len(group) > 1]
    mean, variance = np.array(moments).T if moments else (np.empty(0), np.empty(0))
    return mean, variance


def complexity_by_bin(
    trains: Trains,
    units: Sequence[int] | np.ndarray,
    fractions: Sequence[float] | np.ndarray,
    *,
    most_units: int,
    seed: int,
) -> np.ndarray:
    """Return LZ76 words over those of rate-matched surrogates, for bins that are fractions of each
    unit's mean interval.

    Units whose finest bins would fill memory are left out. If more than ``most_units`` remain, an
    evenly spaced selection of them is used.

    Returns
    -------
    numpy.ndarray, shape (units taken, fractions)
    """
    mean = column(interval_table(trains), "mean_isi").to_numpy()
    asked = np.asarray(units, dtype=int)
    fitting = asked[durations(trains)[asked] <= MOST_BINS * min(fractions) * mean[asked]]
    selected = fitting[:: max(1, math.ceil(len(fitting) / most_units))]
    ratios = np.full((len(selected), len(fractions)), np.nan)
    for place, fraction in enumerate(fractions):
        binned = [binned_events(trains, unit, float(fraction * mean[unit])) for unit in selected]
        if binned:
            events, lengths = zip(*binned, strict=True)
            ratios[:, place] = surrogate_complexity(
                list(events), lengths, n_surrogates=FEW_SURROGATES, seed=seed
            ).ratio
    return ratios
