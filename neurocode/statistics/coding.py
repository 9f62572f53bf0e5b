"""Responses to repeated stimuli: histograms, correlations over trials, predictions relative to
their ceiling, decoding."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from neurocode.errors import DataError
from neurocode.recordings.binning import bin_numbers, bins_up_to
from neurocode.recordings.trains import SpikeTrainLike, repeats_of, spike_times
from neurocode.units import in_si, seconds, unmasked


def psth(
    trains: Sequence[SpikeTrainLike],
    duration: float,
    *,
    bin_size: float = 1e-3,
    sigma: float = 10e-3,
) -> tuple[np.ndarray, np.ndarray]:
    """Peristimulus time histogram smoothed with a Gaussian.

    Parameters
    ----------
    trains : sequence of trains
        Repeats: Neo trains in any unit, or spike times in seconds, from the start of the stimulus.
        Spikes before it and after the duration do not count.
    duration, bin_size, sigma : float or quantity
        In seconds; the last bin holds the end, and is as long as the others.

    Returns
    -------
    times, rate : numpy.ndarray
        Bin centres in seconds and rate in hertz.

    Raises
    ------
    DataError
        If there is no train, a train or time cannot be used, a bin is longer than the duration, or
        all spikes lie outside it.

    Examples
    --------
    >>> times, rate = psth([np.array([0.5])], 1.0)
    >>> round(float(rate.sum() * 1e-3), 6)
    1.0
    """
    repeats = repeats_of(trains)
    if not repeats:
        raise DataError("A histogram needs at least one spike train.")
    pooled, stop = np.concatenate(repeats), seconds(duration, "The duration")
    if pooled.size and not np.any((pooled >= 0) & (pooled <= stop)):
        raise DataError(
            f"None of the {pooled.size} spikes, at {pooled.min():g} to {pooled.max():g} s, lies "
            f"in the histogram's {stop:g} s: "
            "are the times in seconds from the start of the stimulus?"
        )
    return _histogram(pooled, len(repeats), stop, bin_size, sigma)


def psth_correlation(
    first: Sequence[SpikeTrainLike],
    second: Sequence[SpikeTrainLike],
    duration: float,
    *,
    sigma: float = 10e-3,
) -> float:
    """Pearson correlation of two smoothed histograms; NaN where one is constant.

    Parameters
    ----------
    first, second, duration, sigma
        See :func:`psth`, with bins of 1 ms.

    Raises
    ------
    DataError
        As :func:`psth`.

    Examples
    --------
    >>> psth_correlation([[0.1, 0.7]], [[0.1, 0.7], [0.1, 0.7]], 1.0)
    1.0
    """
    rates = np.stack([psth(trains, duration, sigma=sigma)[1] for trains in (first, second)])
    if min(np.ptp(rate) for rate in rates) == 0:
        return np.nan
    return float(np.corrcoef(rates[0], rates[1])[0, 1])


def explained_variance(
    recorded: Sequence[SpikeTrainLike],
    predicted: Sequence[SpikeTrainLike],
    duration: float,
    *,
    sigma: float = 10e-3,
) -> float:
    """Explained variance as in the Allen Cell Types Database: of recorded by predicted spikes,
    relative to that among the recorded repeats.

    Trains are smoothed with a Gaussian. For two traces,
    ``EV(D, M) = (var D + var M - var(D - M)) / (var D + var M)``; it is one if they are equal and
    zero if they are unrelated (Teeter et al. 2018, Nat Commun 9:709). The score is the mean of
    ``EV`` of each recorded repeat with the prediction, over the mean of ``EV`` of each recorded
    repeat with the mean of all of them. It is one for a prediction as good as that mean, and zero
    for a silent one.

    The published models are deterministic, and their one train is the prediction. For a stochastic
    model, the prediction is the mean over its repeats, as for the recorded ones: ``EV`` with each
    train alone would count the variability of the model as an error.

    Parameters
    ----------
    recorded, predicted : sequence of trains
        Repeats under the same stimulus; see :func:`psth`.
    duration, sigma : float or quantity
        In seconds. Bins of 1 ms; the published resolution is the default.

    Returns
    -------
    float
        NaN for a single recorded repeat, which does not tell how much can be explained, and if the
        mean of the recorded repeats does not vary.

    Raises
    ------
    DataError
        As :func:`psth`.

    Notes
    -----
    This function follows the authors' code (``expVarOfSpikeTrains.py`` in
    AllenInstitute/GLIF_Teeter_et_al_2018) except in three points. The code has bins of one sampling
    interval. It keeps the tails of the Gaussian beyond the ends, but only in the denominator. It
    gives one to two traces that do not vary, so that a silent model would explain a silent repeat.

    Examples
    --------
    >>> recorded = [[0.1, 0.7], [0.102, 0.7]]
    >>> round(explained_variance(recorded, [[0.101, 0.7]], 1.0), 2)
    1.0
    """
    repeats, stop = repeats_of(recorded), seconds(duration, "The duration")
    model, mean = (psth(trains, stop, sigma=sigma)[1] for trains in (predicted, repeats))
    if len(repeats) < 2 or not any(map(len, repeats)):
        return np.nan
    traces = [_histogram(train, 1, stop, 1e-3, sigma)[1] for train in repeats]
    among = np.mean([_explained(trace, mean) for trace in traces])
    return (
        float(np.mean([_explained(trace, model) for trace in traces]) / among)
        if among > 0
        else np.nan
    )


def psth_band(
    trains: Sequence[SpikeTrainLike],
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
        Confidence level, between 0 and 1.
    n_bootstrap, seed : int

    Returns
    -------
    low, high : numpy.ndarray
        In hertz; NaN for a single repeat.

    Raises
    ------
    DataError
        As :func:`psth`, and for a level outside (0, 1).
    """
    if not 0 < level < 1:
        raise DataError(f"The level of confidence is {level}, expected a number between 0 and 1.")
    repeats = repeats_of(trains)
    mean = psth(repeats, duration, bin_size=bin_size, sigma=sigma)[1]
    if len(repeats) < 2:
        return np.full(len(mean), np.nan), np.full(len(mean), np.nan)
    stop = seconds(duration, "The duration")
    repeat_rates = np.stack([_histogram(train, 1, stop, bin_size, sigma)[1] for train in repeats])
    random = np.random.default_rng(seed)
    means = np.stack(
        [
            repeat_rates[random.integers(len(repeat_rates), size=len(repeat_rates))].mean(axis=0)
            for _ in range(n_bootstrap)
        ]
    )
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
        NaN with fewer than three stimuli (signal) or two trials (noise), and for units without
        variance.

    Raises
    ------
    DataError
        For another shape, or values that are not finite.
    """
    counts = _finite(counts, "Counts")
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
    """Correlation of a prediction with the mean response, relative to the highest value that the
    noise allows (Schoppe et al. 2016).

    Parameters
    ----------
    prediction : numpy.ndarray, shape (bins,)
    responses : numpy.ndarray, shape (repeats, bins)
        Binned or smoothed responses.

    Returns
    -------
    float
        NaN for fewer than two repeats, a constant prediction, or responses whose repeats share no
        signal.

    Raises
    ------
    DataError
        For other shapes, or values that are not finite.

    Examples
    --------
    >>> signal = np.sin(np.arange(200) / 9)
    >>> repeats = signal + np.random.default_rng(1).standard_normal((10, 200))
    >>> bool(abs(normalised_correlation(signal, repeats) - 1) < 0.05)
    True
    """
    responses, prediction = _finite(responses, "Responses"), _finite(prediction, "Predictions")
    if responses.ndim != 2 or prediction.shape != responses.shape[1:]:
        raise DataError(
            f"Responses have the shape (repeats, bins) and a prediction (bins,), not "
            f"{responses.shape} and {prediction.shape}."
        )
    n = len(responses)
    if n < 2 or np.ptp(prediction) == 0:
        return np.nan
    signal_power = (
        np.var(responses.sum(axis=0), ddof=1) - np.sum(np.var(responses, axis=1, ddof=1))
    ) / (n * (n - 1))
    if signal_power <= 0:
        return np.nan
    return float(
        np.cov(prediction, responses.mean(axis=0))[0, 1]
        / np.sqrt(np.var(prediction, ddof=1) * signal_power)
    )


def spike_triggered_average(
    times: SpikeTrainLike, stimulus: np.ndarray, dt: float, *, before: float, after: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Mean stimulus around spikes, for spikes with the whole window inside the recording.

    Parameters
    ----------
    times : neo.SpikeTrain, quantity, or array of seconds
        Spike times, counted from the first sample.
    stimulus : numpy.ndarray
        One value per sample.
    dt, before, after : float or quantity
        Sampling interval and extent of the window in seconds.

    Returns
    -------
    lags, average : numpy.ndarray
        Lags in seconds, negative before the spike, and the average in the unit of the stimulus; NaN
        if no spike qualifies.

    Raises
    ------
    DataError
        For a train or times that cannot be used, a window that ends before it begins, or a stimulus
        of another shape.

    Examples
    --------
    >>> stimulus = np.array([0.0, 1.0, 2.0, 4.0])
    >>> spike_triggered_average([0.002, 0.003], stimulus, 1e-3, before=1e-3)[1].tolist()
    [1.5, 3.0]
    """
    stimulus = unmasked(stimulus, "The stimulus").astype(float)
    if stimulus.ndim != 1:
        raise DataError(f"A stimulus has one dimension, not {stimulus.ndim}.")
    step = seconds(dt, "The sampling interval")
    first, last = (
        -round(in_si(before, "second", "The window before") / step),
        round(in_si(after, "second", "The window after") / step),
    )
    if last < first:
        raise DataError(
            f"The window from {first * step:g} s to {last * step:g} s around a spike ends before "
            f"it begins."
        )
    lags = np.arange(first, last + 1)
    steps = bin_numbers(spike_times(times), step)
    steps = steps[(steps + first >= 0) & (steps + last < len(stimulus))]
    if not steps.size:
        return lags * step, np.full(lags.size, np.nan)
    return lags * step, stimulus[steps[:, None] + lags].mean(axis=0)


def decode_stimulus(
    responses: np.ndarray, *, n_permutations: int = 199, seed: int = 0
) -> tuple[float, float]:
    """Share of trials that are nearest to the mean response to their own stimulus, computed without
    the trial itself.

    Parameters
    ----------
    responses : numpy.ndarray, shape (stimuli, trials, features)
        Counts of units or bins.
    n_permutations, seed : int
        For the p-value, trials are assigned to stimuli at random.

    Returns
    -------
    accuracy, p : float
        NaN for fewer than two stimuli or trials.

    Raises
    ------
    DataError
        For another shape, or values that are not finite.
    """
    responses = _finite(responses, "Responses")
    if responses.ndim != 3:
        raise DataError(
            f"Responses have the shape (stimuli, trials, features), not {responses.shape}."
        )
    n_stimuli, n_trials, n_features = responses.shape
    if n_stimuli < 2 or n_trials < 2:
        return np.nan, np.nan
    accuracy = _leave_one_out(responses)
    random, flat = np.random.default_rng(seed), responses.reshape(-1, n_features)
    shuffled = [
        _leave_one_out(random.permutation(flat).reshape(responses.shape))
        for _ in range(n_permutations)
    ]
    return accuracy, (1 + sum(value >= accuracy for value in shuffled)) / (n_permutations + 1)


def _explained(first: np.ndarray, second: np.ndarray) -> float:
    """Explained variance of two traces; zero where neither varies."""
    total = np.var(first) + np.var(second)
    return float((total - np.var(first - second)) / total) if total > 0 else 0.0


def _histogram(
    pooled: np.ndarray, repeats: int, duration: float, bin_size: float, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return bin centres and the smoothed rate of spikes that are pooled over repeats."""
    width, sigma = seconds(bin_size, "The bin size"), seconds(sigma, "The width of the Gaussian")
    n_bins = bins_up_to(duration, width)
    if width > duration * (1 + 1e-9):
        raise DataError(
            f"The bin of {width:g} s is longer than the {duration:g} s of the histogram."
        )
    edges = np.linspace(0, n_bins * width, n_bins + 1)
    # binned spikes lie on edges, and rounding must not choose the side
    numbers = bin_numbers(pooled[pooled <= duration], width)
    counts = np.bincount(np.minimum(numbers, n_bins - 1), minlength=n_bins)
    rate = counts / (repeats * width)
    return 0.5 * (edges[:-1] + edges[1:]), gaussian_filter1d(rate, sigma / width, mode="constant")


def _finite(values: np.ndarray, what: str) -> np.ndarray:
    values = unmasked(values, what).astype(float)
    if not np.all(np.isfinite(values)):
        raise DataError(f"{what} hold {np.sum(~np.isfinite(values))} values that are not finite.")
    return values


def _leave_one_out(responses: np.ndarray) -> float:
    n_stimuli, n_trials, _ = responses.shape
    means = responses.mean(axis=1)
    means_without = (means[:, None] * n_trials - responses) / (n_trials - 1)
    distances = np.sum((responses[:, :, None] - means) ** 2, axis=3)
    index = np.arange(n_stimuli)
    distances[index, :, index] = np.sum((responses - means_without) ** 2, axis=2)
    return float(np.mean(np.argmin(distances, axis=2) == index[:, None]))


def _correlation(rows: np.ndarray) -> np.ndarray:
    centred = rows - rows.mean(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    return scaled @ scaled.T
