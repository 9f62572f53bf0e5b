"""Variability of spike trains: intervals within trains, counts over repeats and over windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numba import njit
from scipy import stats

from neurocode.errors import DataError
from neurocode.recordings.binning import ROUNDING, window_counts_at
from neurocode.recordings.trains import (
    SpikeTrainLike,
    Trains,
    in_seconds,
    repeats_of,
    spike_times,
    usable_trains,
)
from neurocode.units import in_si, seconds, unmasked

#: Refractoriness constant of LvR (Shinomoto et al. 2009), and intervals that count as within a
#: burst, in seconds.
REFRACTORINESS, BURST = 5e-3, 6e-3

#: Largest number of windows or bins into which a train is cut.
MOST_WINDOWS = 50_000_000

INTERVAL_COLUMNS = (
    "mean_isi",
    "min_isi",
    "cv",
    "cv2",
    "lv",
    "lvr",
    "serial_correlation",
    "burst_index",
)


def interval_statistics(spiketrains: object) -> pd.DataFrame:
    """Interval statistics of every unit, intervals within repeats pooled over them.

    Equal to Elephant's ``isi``, ``cv``, ``cv2``, ``lv`` and ``lvr`` for single trains.
    ``serial_correlation`` is Pearson's correlation between successive intervals, ``burst_index``
    the share of intervals below 6 ms.

    Parameters
    ----------
    spiketrains : neo.SpikeTrain, neo.Block, Trains, or a sequence
        See :meth:`Trains.of`; times increase within trains.

    Returns
    -------
    pandas.DataFrame
        One row per unit: ``mean_isi`` and ``min_isi`` in seconds, the others without dimension. NaN
        where a statistic needs more spikes: one interval for the means and the CV, two for CV2, LV
        and LvR, three for the serial correlation.

    Raises
    ------
    DataError
        For trains that cannot be used; see :func:`~neurocode.recordings.trains.usable_trains`.

    Examples
    --------
    >>> float(interval_statistics([np.arange(5.0)])["cv"].iloc[0])
    0.0
    """
    return interval_table(usable_trains(spiketrains))


def interval_table(trains: Trains) -> pd.DataFrame:
    """:func:`interval_statistics` of trains whose faults are known; rows of faulty units are
    meaningless."""
    table = _interval_kernel(
        trains.times, trains.offsets, trains.first_train, REFRACTORINESS, BURST
    )
    return pd.DataFrame(table, columns=list(INTERVAL_COLUMNS), index=list(trains.names))


def fano_factor(counts: np.ndarray) -> float:
    """Variance over mean of counts, with the unbiased variance (over n - 1).

    Elephant's ``fanofactor`` divides by n, which is 10 % low with ten repeats.

    Parameters
    ----------
    counts : array of int
        Spike counts over repeats.

    Returns
    -------
    float
        NaN for fewer than two repeats or no spike.

    Raises
    ------
    DataError
        For counts that are negative or not whole, or in more than one dimension.

    Examples
    --------
    >>> fano_factor([2, 4, 6])
    1.0
    """
    counts = _whole_counts(counts, ("repeats",))
    if counts.size < 2 or counts.mean() == 0:
        return np.nan
    return float(counts.var(ddof=1) / counts.mean())


def fano_factors(spiketrains: object) -> np.ndarray:
    """Fano factor of every unit: over the repeats of each condition, averaged over conditions with
    spikes.

    Parameters
    ----------
    spiketrains : neo.SpikeTrain, neo.Block, Trains, or a sequence
        See :meth:`Trains.of`.

    Returns
    -------
    numpy.ndarray
        NaN for a unit without two repeats of a condition, or without spikes.

    Raises
    ------
    DataError
        For trains that cannot be used; see :func:`~neurocode.recordings.trains.usable_trains`.

    Examples
    --------
    >>> fano_factors([[[0.1, 0.2], [0.1, 0.2, 0.3, 0.4]], [[0.1]]])
    array([0.66666667,        nan])
    """
    return fano_column(usable_trains(spiketrains))


def fano_column(trains: Trains) -> np.ndarray:
    """:func:`fano_factors` of trains whose faults are known; those of faulty units are
    meaningless."""
    frame = pd.DataFrame(
        {"unit": trains.unit, "condition": trains.condition, "count": trains.counts}
    )
    # pandas says that what follows may be a column, a table or a scalar
    grouped: Any = frame.groupby(["unit", "condition"])["count"]
    values = (grouped.var(ddof=1) / grouped.mean()).replace([np.inf, -np.inf], np.nan)
    return values.groupby("unit").mean().reindex(range(trains.n_units)).to_numpy()


def window_counts(
    times: Sequence[SpikeTrainLike],
    t_start: float,
    t_stop: float,
    window: float,
    step: float | None = None,
) -> np.ndarray:
    """Spike counts of repeats in sliding windows.

    Parameters
    ----------
    times : sequence of trains
        Repeats: Neo trains in any unit, or spike times in seconds.
    t_start, t_stop : float or quantity
        In seconds.
    window, step : float or quantity
        Width and step of the window in seconds; the step is the width by default.

    Returns
    -------
    numpy.ndarray of int, shape (repeats, windows)
        A spike at the end of a window counts in the next.

    Raises
    ------
    DataError
        For no train, trains or times that cannot be used, or a stop before the start.

    Examples
    --------
    >>> window_counts([[0.1, 0.2, 1.0, 2.5]], 0.0, 3.0, 1.0)
    array([[2, 1, 1]])
    """
    repeats = repeats_of(times)
    if not repeats:
        raise DataError("Counts need at least one spike train.")
    return _window_counts(repeats, *_span(t_start, t_stop), seconds(window, "The window"), step)


def sliding_fano_factor(counts: np.ndarray) -> np.ndarray:
    """Fano factor over repeats in each window; NaN where a window has no spike, or for a single
    repeat.

    Parameters
    ----------
    counts : numpy.ndarray, shape (repeats, windows)
        From :func:`window_counts`.

    Raises
    ------
    DataError
        For counts that are negative or not whole, or another shape.

    Examples
    --------
    >>> sliding_fano_factor([[2, 0], [4, 0], [6, 0]])
    array([ 1., nan])
    """
    counts = _whole_counts(counts, ("repeats", "windows"))
    if len(counts) < 2:
        return np.full(counts.shape[1], np.nan)
    mean = counts.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mean > 0, counts.var(axis=0, ddof=1) / mean, np.nan)


def mean_matched_fano_factor(
    counts: np.ndarray, *, n_draws: int = 50, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Fano factor of a population over time with the distribution of mean counts held fixed
    (Churchland et al. 2010).

    In every window units are dropped at random until the histogram of their mean counts is the
    largest that all windows share; the slope of variance against mean through the origin is the
    Fano factor.

    Parameters
    ----------
    counts : numpy.ndarray, shape (units, repeats, windows)
    n_draws : int
        Number of random selections that are averaged.
    seed : int

    Returns
    -------
    fano_factor, share : numpy.ndarray, shape (windows,)
        The matched Fano factor, NaN where no unit is left, and the share of units kept.

    Raises
    ------
    DataError
        For counts that are negative or not whole, another shape, or fewer than two repeats.

    Examples
    --------
    >>> mean_matched_fano_factor([[[2], [4], [6]]])
    (array([1.]), array([1.]))
    """
    counts = _whole_counts(counts, ("units", "repeats", "windows"))
    if counts.shape[1] < 2:
        raise DataError(f"A variance over repeats needs two of them, not {counts.shape[1]}.")
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    edges = (
        np.histogram_bin_edges(mean[mean > 0], bins=20)
        if np.any(mean > 0)
        else np.array([0.0, 1.0])
    )
    bin_of = np.where(mean > 0, np.clip(np.digitize(mean, edges) - 1, 0, len(edges) - 2), -1)
    histograms = np.stack(
        [np.bincount(column[column >= 0], minlength=len(edges) - 1) for column in bin_of.T]
    )
    shared = histograms.min(axis=0)
    random = np.random.default_rng(seed)
    totals = np.zeros(counts.shape[2])
    for _ in range(n_draws):
        for window in range(counts.shape[2]):
            selected = (
                np.concatenate(
                    [
                        random.choice(
                            np.flatnonzero(bin_of[:, window] == b), shared[b], replace=False
                        )
                        for b in np.flatnonzero(shared)
                    ]
                )
                if shared.any()
                else np.empty(0, int)
            )
            m, v = mean[selected, window], variance[selected, window]
            totals[window] += np.sum(m * v) / np.sum(m**2) if selected.size else np.nan
    return totals / n_draws, np.full(counts.shape[2], shared.sum() / len(counts))


def fano_time_curve(
    times: SpikeTrainLike, t_start: float, t_stop: float, windows: np.ndarray
) -> np.ndarray:
    """Fano factor of the counts in adjacent windows of one train, against the width of the window.

    For a renewal process it tends to CV² as the window grows.

    Parameters
    ----------
    times : neo.SpikeTrain, quantity, or array of seconds
    t_start, t_stop : float or quantity
        In seconds.
    windows : numpy.ndarray or quantity
        Widths in seconds.

    Returns
    -------
    numpy.ndarray
        NaN where fewer than two windows fit.

    Raises
    ------
    DataError
        For a train or times that cannot be used, a single width, or a stop before the start.

    Examples
    --------
    >>> fano_time_curve([0.1, 0.2, 1.1], 0.0, 2.0, [1.0, 2.0])
    array([0.33333333,        nan])
    """
    train, (start, stop) = spike_times(times), _span(t_start, t_stop)
    if isinstance(windows, str) or np.ndim(windows) != 1:
        raise DataError("The windows are a sequence of widths, one or more.")
    widths = [seconds(window, "The window") for window in windows]
    return np.array(
        [fano_factor(_window_counts([train], start, stop, width)[0]) for width in widths]
    )


def allan_factor(times: SpikeTrainLike, t_start: float, t_stop: float, window: float) -> float:
    """Mean squared difference of the counts in adjacent windows over twice their mean (Lowen &
    Teich 1996).

    Unlike the Fano factor it is blind to a slow drift of the rate; it is 1 for a Poisson process.

    Parameters
    ----------
    times : neo.SpikeTrain, quantity, or array of seconds
    t_start, t_stop, window : float or quantity
        In seconds.

    Returns
    -------
    float
        NaN where fewer than two windows fit or there is no spike.

    Raises
    ------
    DataError
        For a train or times that cannot be used, or a stop before the start.

    Examples
    --------
    >>> allan_factor([0.5, 2.5], 0.0, 3.0, 1.0)
    0.75
    """
    counts = _window_counts(
        [spike_times(times)], *_span(t_start, t_stop), seconds(window, "The window")
    )[0]
    return (
        float(np.mean(np.diff(counts) ** 2) / (2 * counts.mean()))
        if len(counts) > 1 and counts.any()
        else np.nan
    )


def serial_correlations(*intervals: np.ndarray, lags: int = 5) -> np.ndarray:
    """Pearson's correlation of intervals with those 1 to ``lags`` later in the same train.

    Parameters
    ----------
    *intervals : numpy.ndarray or quantity
        Interspike intervals of each train, in seconds or with a unit of time.
    lags : int

    Returns
    -------
    numpy.ndarray
        NaN with fewer than three pairs, or where all intervals are equal.

    Raises
    ------
    DataError
        For intervals that are negative or not finite, or whose unit is not one of time.

    Examples
    --------
    >>> serial_correlations([1.0, 2.0, 1.0, 2.0, 1.0], lags=2)
    array([-1.,  1.])
    """
    trains = [in_seconds(train)[0] for train in intervals]
    if any(not np.all((train >= 0) & np.isfinite(train)) for train in trains):
        raise DataError("Intervals must be finite and not negative.")
    values = np.full(lags, np.nan)
    for lag in range(1, lags + 1):
        earlier, later = (
            np.concatenate([np.empty(0), *(t[part] for t in trains)])
            for part in (slice(None, -lag), slice(lag, None))
        )
        if len(earlier) >= 3 and np.ptp(earlier) > 0 and np.ptp(later) > 0:
            values[lag - 1] = np.corrcoef(earlier, later)[0, 1]
    return values


def drift_test(counts: np.ndarray) -> tuple[float, float]:
    """Spearman's correlation of spike counts with the number of the repeat, and its p-value.

    NaN for fewer than four repeats or equal counts.

    Raises
    ------
    DataError
        For counts that are negative or not whole, or in more than one dimension.

    Examples
    --------
    >>> round(drift_test([1, 2, 3, 4])[0], 12)
    1.0
    """
    counts = _whole_counts(counts, ("repeats",))
    if counts.size < 4 or np.ptp(counts) == 0:
        return np.nan, np.nan
    result: Any = stats.spearmanr(np.arange(counts.size), counts)
    return float(result.statistic), float(result.pvalue)


def _span(t_start: float, t_stop: float) -> tuple[float, float]:
    """Start and stop in seconds."""
    start, stop = in_si(t_start, "second", "The start"), in_si(t_stop, "second", "The stop")
    if stop < start:
        raise DataError(f"The stop at {stop:g} s comes before the start at {start:g} s.")
    return start, stop


def _window_counts(
    repeats: list[np.ndarray], start: float, stop: float, window: float, step: float | None = None
) -> np.ndarray:
    step = window if step is None else seconds(step, "The step")
    if (stop - start) / step > MOST_WINDOWS:
        raise DataError(
            f"The {stop - start:g} s hold more than {MOST_WINDOWS} windows, one every {step:g} s."
        )
    starts = np.arange(start, stop - window + ROUNDING * window, step)
    return np.stack([window_counts_at(times, starts, window) for times in repeats])


def _whole_counts(counts: np.ndarray, axes: tuple[str, ...]) -> np.ndarray:
    """Counts of spikes as floats.

    Raises
    ------
    DataError
        For counts that are negative or not whole, or another number of axes.
    """
    counts = unmasked(counts, "Counts of spikes")
    if counts.dtype.kind not in "iufb" or counts.ndim != len(axes):
        raise DataError(
            f"Counts of spikes have the shape ({', '.join(axes)}), not {counts.shape} of "
            f"'{counts.dtype}'."
        )
    if not np.all(counts >= 0) or np.any(counts % 1 != 0):
        raise DataError("Counts of spikes must be whole numbers that are not negative.")
    return counts.astype(float)


@njit(cache=True, nogil=True)
def _interval_kernel(
    times: np.ndarray,
    offsets: np.ndarray,
    first_train: np.ndarray,
    refractoriness: float,
    burst: float,
) -> np.ndarray:
    n_units = first_train.size - 1
    table = np.full((n_units, 8), np.nan)
    for unit in range(n_units):
        n, total, smallest, short = 0, 0.0, np.inf, 0
        pairs, cv2, lv, lvr = 0, 0.0, 0.0, 0.0
        for train in range(first_train[unit], first_train[unit + 1]):
            for k in range(offsets[train] + 1, offsets[train + 1]):
                interval = times[k] - times[k - 1]
                n += 1
                total += interval
                smallest = min(smallest, interval)
                short += interval < burst
                if k + 1 < offsets[train + 1]:
                    following = times[k + 1] - times[k]
                    pair_sum = interval + following
                    if pair_sum > 0:
                        pairs += 1
                        cv2 += abs(interval - following) / pair_sum
                        lv += (interval - following) ** 2 / pair_sum**2
                        lvr += (1 - 4 * interval * following / pair_sum**2) * (
                            1 + 4 * refractoriness / pair_sum
                        )
        if n == 0:
            continue
        mean = total / n
        squares, pair_product, left_sum, right_sum, left_square, right_square = (
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
            0.0,
        )
        n_pairs = 0
        for train in range(first_train[unit], first_train[unit + 1]):
            for k in range(offsets[train] + 1, offsets[train + 1]):
                deviation = times[k] - times[k - 1] - mean
                squares += deviation**2
                if k + 1 < offsets[train + 1]:
                    next_deviation = times[k + 1] - times[k] - mean
                    n_pairs += 1
                    pair_product += deviation * next_deviation
                    left_sum += deviation
                    right_sum += next_deviation
                    left_square += deviation**2
                    right_square += next_deviation**2
        table[unit, 0], table[unit, 1], table[unit, 7] = mean, smallest, short / n
        if mean > 0:
            table[unit, 2] = np.sqrt(squares / n) / mean
        if pairs:
            table[unit, 3], table[unit, 4], table[unit, 5] = (
                2 * cv2 / pairs,
                3 * lv / pairs,
                3 * lvr / pairs,
            )
        if n_pairs >= 2:
            covariance = pair_product - left_sum * right_sum / n_pairs
            scale = (left_square - left_sum**2 / n_pairs) * (right_square - right_sum**2 / n_pairs)
            if scale > 0:
                table[unit, 6] = covariance / np.sqrt(scale)
    return table
