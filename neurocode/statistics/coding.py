"""Responses to repeated stimuli: histograms, correlations over trials, prediction against its ceiling, decoding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from neurocode.errors import DataError


def psth(
    trains: Sequence[np.ndarray], duration: float, *, bin_size: float = 1e-3, sigma: float = 10e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Peristimulus time histogram smoothed with a Gaussian.

    Parameters
    ----------
    trains : sequence of numpy.ndarray
        Spike times in seconds from the start of the stimulus.
    duration, bin_size, sigma : float
        In seconds.

    Returns
    -------
    times, rate : numpy.ndarray
        Bin centres in seconds and rate in hertz.

    Raises
    ------
    DataError
        If there is no train or the bins do not fit.

    Examples
    --------
    >>> times, rate = psth([np.array([0.5])], 1.0)
    >>> round(float(rate.sum() * 1e-3), 6)
    1.0
    """
    n_bins = round(duration / bin_size)
    if not trains or n_bins < 1:
        raise DataError("A histogram needs at least one spike train and one bin.")
    counts, edges = np.histogram(np.concatenate([*trains]), bins=n_bins, range=(0, n_bins * bin_size))
    rate = counts / (len(trains) * bin_size)
    return 0.5 * (edges[:-1] + edges[1:]), gaussian_filter1d(rate, sigma / bin_size, mode="constant")


def psth_correlation(first: Sequence[np.ndarray], second: Sequence[np.ndarray], duration: float, *, sigma: float = 10e-3) -> float:
    """Pearson correlation of two smoothed histograms; NaN where one is constant."""
    rates = [psth(trains, duration, sigma=sigma)[1] for trains in (first, second)]
    if min(np.ptp(rate) for rate in rates) == 0:
        return np.nan
    return float(np.corrcoef(*rates)[0, 1])


def psth_band(
    trains: Sequence[np.ndarray],
    duration: float,
    *,
    bin_size: float = 1e-3,
    sigma: float = 10e-3,
    level: float = 0.95,
    n_bootstrap: int = 200,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Pointwise confidence band of :func:`psth` by resampling repeats.

    Parameters
    ----------
    trains, duration, bin_size, sigma
        See :func:`psth`.
    level : float
        Of confidence.
    n_bootstrap, seed : int

    Returns
    -------
    low, high : numpy.ndarray
        In hertz; NaN for a single repeat.
    """
    each = np.stack([psth([train], duration, bin_size=bin_size, sigma=sigma)[1] for train in trains])
    if len(each) < 2:
        return np.full(each.shape[1], np.nan), np.full(each.shape[1], np.nan)
    random = np.random.default_rng(seed)
    means = np.stack([each[random.integers(len(each), size=len(each))].mean(axis=0) for _ in range(n_bootstrap)])
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def signal_and_noise_correlation(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlations between units of their mean responses, and of their fluctuations around these.

    Parameters
    ----------
    counts : numpy.ndarray, shape (units, stimuli, trials)
        Trials are simultaneous over units.

    Returns
    -------
    signal, noise : numpy.ndarray, shape (units, units)
        NaN with fewer than three stimuli (signal) or two trials (noise), and for units without variance.

    Raises
    ------
    DataError
        For another shape.
    """
    counts = np.asarray(counts, float)
    if counts.ndim != 3:
        raise DataError(f"Counts have the shape (units, stimuli, trials), not {counts.shape}.")
    n_units, n_stimuli, n_trials = counts.shape
    mean = counts.mean(axis=2)
    undefined = np.full((n_units, n_units), np.nan)
    residual = (counts - mean[:, :, None]).reshape(n_units, -1)
    return (
        _correlation(mean) if n_stimuli >= 3 else undefined,
        _correlation(residual) if n_trials >= 2 else undefined,
    )


def normalised_correlation(prediction: np.ndarray, responses: np.ndarray) -> float:
    """Correlation of a prediction with the mean response over the highest that the noise allows (Schoppe et al. 2016).

    Parameters
    ----------
    prediction : numpy.ndarray, shape (bins,)
    responses : numpy.ndarray, shape (repeats, bins)
        Binned or smoothed responses.

    Returns
    -------
    float
        NaN for fewer than two repeats, a constant prediction, or responses whose repeats share no signal.

    Examples
    --------
    >>> signal = np.sin(np.arange(200) / 9)
    >>> repeats = signal + np.random.default_rng(1).standard_normal((10, 200))
    >>> bool(abs(normalised_correlation(signal, repeats) - 1) < 0.05)
    True
    """
    responses, prediction = np.asarray(responses, float), np.asarray(prediction, float)
    n = len(responses)
    if n < 2 or np.ptp(prediction) == 0:
        return np.nan
    signal_power = (np.var(responses.sum(axis=0), ddof=1) - np.sum(np.var(responses, axis=1, ddof=1))) / (n * (n - 1))
    if signal_power <= 0:
        return np.nan
    return float(np.cov(prediction, responses.mean(axis=0))[0, 1] / np.sqrt(np.var(prediction, ddof=1) * signal_power))


def spike_triggered_average(
    times: np.ndarray, stimulus: np.ndarray, dt: float, *, before: float, after: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean stimulus around spikes, for spikes with the whole window inside the recording.

    Parameters
    ----------
    times : numpy.ndarray
        Spike times in seconds from the first sample.
    stimulus : numpy.ndarray
    dt, before, after : float
        Sampling interval and extent of the window in seconds.

    Returns
    -------
    lags, average : numpy.ndarray
        Lags in seconds, negative before the spike; NaN if no spike qualifies.
    """
    lags = np.arange(-round(before / dt), round(after / dt) + 1)
    steps = np.floor(np.asarray(times, float) / dt + 1e-9).astype(int)
    steps = steps[(steps + lags[0] >= 0) & (steps + lags[-1] < len(stimulus))]
    if not steps.size:
        return lags * dt, np.full(lags.size, np.nan)
    return lags * dt, np.asarray(stimulus, float)[steps[:, None] + lags].mean(axis=0)


def decode_stimulus(responses: np.ndarray, *, n_permutations: int = 199, seed: int = 0) -> tuple[float, float]:
    """Share of trials whose stimulus is that of the nearest mean response, the trial itself left out.

    Parameters
    ----------
    responses : numpy.ndarray, shape (stimuli, trials, features)
        Counts of units or bins.
    n_permutations, seed : int
        Trials are dealt to stimuli at random for the p-value.

    Returns
    -------
    accuracy, p : float
        NaN for fewer than two stimuli or trials.

    Raises
    ------
    DataError
        For another shape.
    """
    responses = np.asarray(responses, float)
    if responses.ndim != 3:
        raise DataError(f"Responses have the shape (stimuli, trials, features), not {responses.shape}.")
    n_stimuli, n_trials, n_features = responses.shape
    if n_stimuli < 2 or n_trials < 2:
        return np.nan, np.nan
    accuracy = _leave_one_out(responses)
    random, flat = np.random.default_rng(seed), responses.reshape(-1, n_features)
    shuffled = [_leave_one_out(random.permutation(flat).reshape(responses.shape)) for _ in range(n_permutations)]
    return accuracy, (1 + sum(value >= accuracy for value in shuffled)) / (n_permutations + 1)


def _leave_one_out(responses: np.ndarray) -> float:
    n_stimuli, n_trials, _ = responses.shape
    means = responses.mean(axis=1)
    own = (means[:, None] * n_trials - responses) / (n_trials - 1)
    distances = np.sum((responses[:, :, None] - means) ** 2, axis=3)
    index = np.arange(n_stimuli)
    distances[index, :, index] = np.sum((responses - own) ** 2, axis=2)
    return float(np.mean(np.argmin(distances, axis=2) == index[:, None]))


def _correlation(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return scaled @ scaled.T
