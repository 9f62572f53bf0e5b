"""Variability of spike trains: intervals within trains, counts over repeats and over windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numba import njit
from scipy import stats

from neurocode.recordings.trains import Trains

#: Refractoriness constant of LvR (Shinomoto et al. 2009), and intervals that count as within a burst, in seconds.
REFRACTORINESS, BURST = 5e-3, 6e-3

INTERVAL_COLUMNS = ("mean_isi", "min_isi", "cv", "cv2", "lv", "lvr", "serial_correlation", "burst_index")


def interval_statistics(spiketrains: object) -> pd.DataFrame:
    """Interval statistics of every unit, intervals within repeats pooled over them.

    Equal to Elephant's ``isi``, ``cv``, ``cv2``, ``lv`` and ``lvr`` for single trains. ``serial_correlation`` is
    Pearson's between successive intervals, ``burst_index`` the share of intervals below 6 ms.

    Parameters
    ----------
    spiketrains
        See :meth:`Trains.of`; times increase within trains.

    Returns
    -------
    pandas.DataFrame
        A row a unit: ``mean_isi`` and ``min_isi`` in seconds, the others without dimension. NaN where a statistic needs
        more spikes: one interval for the means and the CV, two for CV2, LV and LvR, three for the serial correlation.

    Examples
    --------
    >>> float(interval_statistics([np.arange(5.0)])["cv"].iloc[0])
    0.0
    """
    trains = Trains.of(spiketrains)
    table = _interval_kernel(trains.times, trains.offsets, trains.first_train, REFRACTORINESS, BURST)
    return pd.DataFrame(table, columns=list(INTERVAL_COLUMNS), index=list(trains.names))


def fano_factor(counts: np.ndarray) -> float:
    """Variance over mean of counts, the variance without bias (over n - 1).

    Elephant's ``fanofactor`` divides by n, which is 10 % low with ten repeats.

    Parameters
    ----------
    counts : array of int
        Spike counts over repeats.

    Returns
    -------
    float
        NaN for fewer than two repeats or no spike.

    Examples
    --------
    >>> fano_factor([2, 4, 6])
    1.0
    """
    counts = np.asarray(counts, float)
    if counts.size < 2 or counts.mean() == 0:
        return np.nan
    return float(counts.var(ddof=1) / counts.mean())


def fano_factors(spiketrains: object) -> np.ndarray:
    """Fano factor of every unit: over the repeats of each condition, averaged over conditions with spikes."""
    trains = Trains.of(spiketrains)
    frame = pd.DataFrame({"unit": trains.unit, "condition": trains.condition, "count": trains.counts})
    grouped = frame.groupby(["unit", "condition"])["count"]
    values = (grouped.var(ddof=1) / grouped.mean()).replace([np.inf, -np.inf], np.nan)
    return values.groupby("unit").mean().reindex(range(trains.n_units)).to_numpy()


def window_counts(times: list[np.ndarray], t_start: float, t_stop: float, window: float, step: float | None = None) -> np.ndarray:
    """Spike counts of repeats in sliding windows.

    Parameters
    ----------
    times : list of numpy.ndarray
        Repeats, in seconds.
    t_start, t_stop : float
        In seconds.
    window, step : float
        Width and step of the window in seconds; the step is the width by default.

    Returns
    -------
    numpy.ndarray of int, shape (repeats, windows)
    """
    starts = np.arange(t_start, t_stop - window + 1e-9 * window, window if step is None else step)
    return np.stack([np.searchsorted(t, starts + window, "left") - np.searchsorted(t, starts, "left") for t in times])


def sliding_fano_factor(counts: np.ndarray) -> np.ndarray:
    """Fano factor over repeats in each window; NaN where a window has no spike.

    Parameters
    ----------
    counts : numpy.ndarray, shape (repeats, windows)
        From :func:`window_counts`.
    """
    mean = counts.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(mean > 0, counts.var(axis=0, ddof=1) / mean, np.nan)


def mean_matched_fano_factor(counts: np.ndarray, *, n_draws: int = 50, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Fano factor of a population over time with the distribution of mean counts held fixed (Churchland et al. 2010).

    In every window units are dropped at random until the histogram of their mean counts is the largest that all
    windows share; the slope of variance against mean through the origin is the Fano factor.

    Parameters
    ----------
    counts : numpy.ndarray, shape (units, repeats, windows)
    n_draws : int
        Random selections that are averaged.
    seed : int

    Returns
    -------
    fano_factor, share : numpy.ndarray, shape (windows,)
        The matched Fano factor, NaN where no unit is left, and the share of units kept.
    """
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    edges = np.histogram_bin_edges(mean[mean > 0], bins=20) if np.any(mean > 0) else np.array([0.0, 1.0])
    place = np.where(mean > 0, np.clip(np.digitize(mean, edges) - 1, 0, len(edges) - 2), -1)
    histograms = np.stack([np.bincount(column[column >= 0], minlength=len(edges) - 1) for column in place.T])
    shared = histograms.min(axis=0)
    random = np.random.default_rng(seed)
    totals = np.zeros(counts.shape[2])
    for _ in range(n_draws):
        for window in range(counts.shape[2]):
            kept = np.concatenate([
                random.choice(np.flatnonzero(place[:, window] == b), shared[b], replace=False) for b in np.flatnonzero(shared)
            ]) if shared.any() else np.empty(0, int)  # fmt: skip
            m, v = mean[kept, window], variance[kept, window]
            totals[window] += np.sum(m * v) / np.sum(m**2) if kept.size else np.nan
    return totals / n_draws, np.full(counts.shape[2], shared.sum() / len(counts))


def fano_time_curve(times: np.ndarray, t_start: float, t_stop: float, windows: np.ndarray) -> np.ndarray:
    """Fano factor of the counts in adjacent windows of one train, against the width of the window.

    For a renewal process it tends to CV² as the window grows.

    Parameters
    ----------
    times : numpy.ndarray
        In seconds.
    t_start, t_stop : float
        In seconds.
    windows : numpy.ndarray
        Widths in seconds.

    Returns
    -------
    numpy.ndarray
        NaN where fewer than two windows fit.
    """
    counts = [window_counts([times], t_start, t_stop, window)[0] if t_stop - t_start >= 2 * window else [] for window in windows]
    return np.array([fano_factor(c) for c in counts])


def allan_factor(times: np.ndarray, t_start: float, t_stop: float, window: float) -> float:
    """Mean squared difference of the counts in adjacent windows over twice their mean (Lowen & Teich 1996).

    Unlike the Fano factor it is blind to a slow drift of the rate; it is 1 for a Poisson process.

    Parameters
    ----------
    times : numpy.ndarray
        In seconds.
    t_start, t_stop, window : float
        In seconds.

    Returns
    -------
    float
        NaN where fewer than two windows fit or there is no spike.
    """
    if t_stop - t_start < 2 * window:
        return np.nan
    counts = window_counts([times], t_start, t_stop, window)[0].astype(float)
    return float(np.mean(np.diff(counts) ** 2) / (2 * counts.mean())) if counts.any() else np.nan


def serial_correlations(*intervals: np.ndarray, lags: int = 5) -> np.ndarray:
    """Pearson's correlation of intervals with those 1 to ``lags`` later in the same train; NaN with fewer than three pairs."""
    trains = [np.asarray(train, float) for train in intervals]
    values = np.full(lags, np.nan)
    for lag in range(1, lags + 1):
        earlier, later = (np.concatenate([train[part] for train in trains]) for part in (slice(None, -lag), slice(lag, None)))
        if len(earlier) >= 3 and np.ptp(earlier) > 0 and np.ptp(later) > 0:
            values[lag - 1] = np.corrcoef(earlier, later)[0, 1]
    return values


def drift_test(counts: np.ndarray) -> tuple[float, float]:
    """Spearman's correlation of spike counts with the number of the repeat, and its p-value.

    NaN for fewer than four repeats or equal counts.
    """
    counts = np.asarray(counts)
    if counts.size < 4 or np.ptp(counts) == 0:
        return np.nan, np.nan
    result = stats.spearmanr(np.arange(counts.size), counts)
    return float(result.statistic), float(result.pvalue)


@njit(cache=True, nogil=True)
def _interval_kernel(
    times: np.ndarray, offsets: np.ndarray, first_train: np.ndarray, refractoriness: float, burst: float
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
                    both = interval + following
                    if both > 0:
                        pairs += 1
                        cv2 += abs(interval - following) / both
                        lv += (interval - following) ** 2 / both**2
                        lvr += (1 - 4 * interval * following / both**2) * (1 + 4 * refractoriness / both)
        if n == 0:
            continue
        mean = total / n
        squares, pair_product, left_sum, right_sum, left_square, right_square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        n_pairs = 0
        for train in range(first_train[unit], first_train[unit + 1]):
            for k in range(offsets[train] + 1, offsets[train + 1]):
                deviation = times[k] - times[k - 1] - mean
                squares += deviation**2
                if k + 1 < offsets[train + 1]:
                    after = times[k + 1] - times[k] - mean
                    n_pairs += 1
                    pair_product += deviation * after
                    left_sum += deviation
                    right_sum += after
                    left_square += deviation**2
                    right_square += after**2
        table[unit, 0], table[unit, 1], table[unit, 7] = mean, smallest, short / n
        if mean > 0:
            table[unit, 2] = np.sqrt(squares / n) / mean
        if pairs:
            table[unit, 3], table[unit, 4], table[unit, 5] = 2 * cv2 / pairs, 3 * lv / pairs, 3 * lvr / pairs
        if n_pairs >= 2:
            covariance = pair_product - left_sum * right_sum / n_pairs
            scale = (left_square - left_sum**2 / n_pairs) * (right_square - right_sum**2 / n_pairs)
            if scale > 0:
                table[unit, 6] = covariance / np.sqrt(scale)
    return table
