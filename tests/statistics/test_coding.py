"""Responses to repeated stimuli against constructions whose answer is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.statistics.coding import (
    decode_stimulus,
    explained_variance,
    normalised_correlation,
    psth,
    psth_band,
    psth_correlation,
    signal_and_noise_correlation,
    spike_triggered_average,
)


def test_band_covers_the_true_rate():
    """Ten repeats of a homogeneous process: the pointwise 95 % band covers its rate over 80 to 99 %
    of the middle."""
    random = np.random.default_rng(1)
    trains = [np.sort(random.uniform(0, 20, random.poisson(600))) for _ in range(10)]
    low, high = psth_band(trains, 20.0, sigma=20e-3)
    middle = slice(500, -500)
    assert 0.8 < np.mean((low[middle] <= 30) & (high[middle] >= 30)) < 0.99
    assert np.all(low[middle] <= psth(trains, 20.0, sigma=20e-3)[1][middle] + 1e-9)
    assert np.all(np.isnan(psth_band(trains[:1], 20.0)[0]))


def test_signal_and_noise_are_told_apart():
    """Two units with opposite tuning and shared fluctuations: signal correlation near -1, noise
    correlation near 0.5."""
    random = np.random.default_rng(2)
    tuning = np.linspace(0, 10, 12)
    shared, private = random.standard_normal((12, 400)), random.standard_normal((2, 12, 400))
    counts = np.stack(
        [tuning[:, None] + shared + private[0], -tuning[:, None] + shared + private[1]]
    )
    signal, noise = signal_and_noise_correlation(counts)
    assert signal[0, 1] < -0.98 and noise[0, 1] == pytest.approx(0.5, abs=4 * 0.75 / np.sqrt(4800))
    assert np.isnan(signal_and_noise_correlation(counts[:, :2])[0]).all()


def test_the_true_signal_reaches_the_ceiling_and_a_wrong_one_does_not():
    random = np.random.default_rng(3)
    signal = np.convolve(random.standard_normal(3000), np.ones(10) / 10, "same")
    responses = signal + random.standard_normal((8, 3000))
    assert normalised_correlation(signal, responses) == pytest.approx(1.0, abs=0.05)
    assert abs(normalised_correlation(np.roll(signal, 500), responses)) < 0.2
    assert np.isnan(normalised_correlation(signal, responses[:1])) and np.isnan(
        normalised_correlation(0 * signal, responses)
    )


def test_spike_triggered_average_of_a_filter():
    """Spikes drawn from filtered white noise: the average is proportional to the filter
    (correlation above 0.98)."""
    random = np.random.default_rng(4)
    stimulus, kernel = (
        random.standard_normal(200_000),
        np.exp(-np.arange(20) / 5) * np.sin(np.arange(20) / 3),
    )
    drive = np.convolve(stimulus, kernel)[: stimulus.size]
    times = (
        np.flatnonzero(
            random.random(stimulus.size) < 0.1 * np.exp(drive - drive.max() / 2).clip(0, 10)
        )
        + 0.5
    ) * 1e-3
    lags, average = spike_triggered_average(times, stimulus, 1e-3, before=19e-3)
    assert lags[-1] == 0 and np.corrcoef(average[::-1], kernel)[0, 1] > 0.98
    assert np.isnan(spike_triggered_average([], stimulus, 1e-3, before=0.01)[1]).all()


def test_decoding_of_separate_and_of_equal_stimuli():
    random = np.random.default_rng(5)
    apart = random.poisson(np.array([2.0, 20.0, 60.0])[:, None, None], (3, 20, 4))
    accuracy, p = decode_stimulus(apart)
    assert accuracy == 1.0 and p == pytest.approx(1 / 200)
    accuracy, p = decode_stimulus(random.poisson(5, (3, 20, 4)))
    assert p > 0.01 and accuracy < 0.6


@pytest.mark.parametrize(
    "call",
    [
        lambda: signal_and_noise_correlation(np.zeros((2, 3))),
        lambda: decode_stimulus(np.zeros((2, 3))),
    ],
)
def test_shapes_are_named(call):
    with pytest.raises(DataError, match="have the shape"):
        call()


#: So narrow a Gaussian leaves bins of 10 ms as they are.
NONE = 1e-3


def test_histogram_by_hand():
    """Three spikes of two repeats in bins of 10 ms: 1 / (2 * 10 ms) = 50 Hz each."""
    times, rate = psth([[0.0105], [0.0205, 0.0305]], 0.05, bin_size=0.01, sigma=NONE)
    np.testing.assert_allclose(times, [0.005, 0.015, 0.025, 0.035, 0.045])
    np.testing.assert_allclose(rate, [0, 50, 50, 50, 0])


def test_histogram_is_smoothed_by_a_gaussian_that_spikes_at_the_edge_leave():
    """Bins of 1 ms, 10 ms standard deviation, as by default; of the spike in the first bin one side
    of the Gaussian is lost."""
    weights = np.exp(-(np.arange(-40, 41) ** 2) / 200)
    weights /= weights.sum()
    times, rate = psth([[0.0505]], 0.101)
    assert times[0] == pytest.approx(0.0005) and len(times) == 101
    np.testing.assert_allclose(rate[10:91], 1000 * weights, atol=1e-9)
    assert psth([[0.0005]], 0.101)[1].sum() == pytest.approx(1000 * weights[40:].sum())


def test_the_last_bin_of_a_histogram_holds_the_end():
    """Of four spikes one lies after the end, though inside the last bin, and one far after it."""
    rate = psth([[0.0, 0.0304, 0.031, 0.05]], 0.0305, bin_size=0.01, sigma=NONE)[1]
    np.testing.assert_allclose(rate, [100, 0, 0, 100])
    assert len(psth([[0.1]], 0.3, bin_size=0.1, sigma=0.01)[1]) == 3


@pytest.mark.parametrize("at", [0.0, 1.0])
def test_spikes_at_the_edges_of_a_histogram_count(at):
    assert psth([[at]], 1.0, bin_size=0.1, sigma=NONE)[1].sum() == pytest.approx(10)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: psth([], 1.0), "at least one spike train"),
        (lambda: psth([[0.1]], 1.0, bin_size=1.5), r"bin of 1.5 s is longer than the 1 s"),
        (
            lambda: psth([[100.0, 200.0]], 1.0),
            r"None of the 2 spikes, at 100 to 200 s, lies in the histogram's 1 s",
        ),
        (lambda: psth([[-0.1]], 1.0), "None of the 1 spikes"),
        (lambda: psth_band([[0.1]], 1.0, level=0.0), "level of confidence is 0.0"),
        (lambda: psth_band([[0.1]], 1.0, level=1), "level of confidence is 1"),
    ],
)
def test_histograms_that_cannot_be_made_are_named(call, says):
    with pytest.raises(DataError, match=says):
        call()
    assert psth([[0.1]], 1.0, bin_size=1.0, sigma=NONE)[1].tolist() == [1.0]


def test_correlation_of_histograms_by_hand():
    """Counts 1 1 0 0 against 1 0 0 0: covariance 0.5 over the root of 1 * 0.75."""
    first, second = [[0.0005, 0.0015]], [[0.0005]]
    assert psth_correlation(first, second, 0.004, sigma=1e-5) == pytest.approx(0.5 / np.sqrt(0.75))
    assert np.isnan(psth_correlation(first, [[0.0005, 0.0015, 0.0025, 0.0035]], 0.004, sigma=1e-5))


#: Trains in bins of 1 ms that so narrow a Gaussian leaves as they are.
BINS = {"duration": 0.004, "sigma": 1e-5}
BOTH, FIRST, OTHER = [0.0005, 0.0015], [0.0005], [0.0005, 0.0025]


def test_explained_variance_by_hand():
    """Recorded 1 1 0 0 and 1 0 0 0, so a mean of 1 1/2 0 0; predicted 1 0 1 0.

    Twice the covariance over the sum of variances: 0 and 2/16 * 2 / (3/16 + 4/16) = 4/7 with the
    prediction; with the mean (variance 11/64) 24/64 / (16/64 + 11/64) = 8/9 and 20/64 / (12/64 +
    11/64) = 20/23.
    """
    expected = (4 / 7) / (8 / 9 + 20 / 23)
    assert explained_variance([BOTH, FIRST], [OTHER], **BINS) == pytest.approx(expected, rel=1e-12)
    assert explained_variance([BOTH, FIRST], [OTHER, OTHER], **BINS) == pytest.approx(
        expected, rel=1e-12
    )
    assert explained_variance([BOTH, FIRST], [FIRST, BOTH], **BINS) == pytest.approx(1.0, rel=1e-12)
    assert explained_variance([BOTH, BOTH], [BOTH], **BINS) == pytest.approx(1.0, rel=1e-12)
    inverted = explained_variance([BOTH, BOTH], [[0.0025, 0.0035]], **BINS)
    assert inverted == pytest.approx(-1.0, rel=1e-12)


def test_explained_variance_of_gaussians_ten_milliseconds_wide():
    """One spike a train: K(d) = exp(-d^2/4 s^2) / (2 s sqrt(pi)) - 1/T is the covariance of trains
    whose spikes are d apart."""
    s, stop = 0.01, 1.0

    def covariance(apart):
        return np.exp(-((apart / s) ** 2) / 4) / (2 * s * np.sqrt(np.pi)) - 1 / stop

    variance, across = covariance(0), covariance(0.012)
    among = (variance + across) / (1.5 * variance + 0.5 * across)
    explained = explained_variance([[0.3005], [0.3125]], [[0.3245]], stop)
    assert explained == pytest.approx((covariance(0.024) + across) / 2 / variance / among, rel=3e-3)


def test_explained_variance_where_there_is_little_to_explain():
    """A silent model explains nothing, also not a silent repeat; one repeat, and repeats without
    spikes, leave it open."""
    assert (
        explained_variance([BOTH, FIRST], [[], []], **BINS)
        == 0
        == explained_variance([BOTH, []], [[]], **BINS)
    )
    assert np.isnan(explained_variance([BOTH], [BOTH], **BINS)) and np.isnan(
        explained_variance([[], []], [BOTH], **BINS)
    )
    # together they are constant
    assert np.isnan(explained_variance([[0.0005, 0.0015], [0.0025, 0.0035]], [BOTH], **BINS))
    # a spike after the end does not count
    assert explained_variance([BOTH, [0.1]], [BOTH], **BINS) > 0
    for arguments, says in (
        (([], [BOTH]), "at least one spike train"),
        (([BOTH, BOTH], []), "at least one spike train"),
    ):
        with pytest.raises(DataError, match=says):
            explained_variance(*arguments, **BINS)
    with pytest.raises(DataError, match="duration"):
        explained_variance([BOTH, BOTH], [BOTH], -1.0)


def test_band_by_hand():
    """Two repeats, one with a spike: means of resamples are 0, half and all of 10 Hz with chances
    1/4, 1/2 and 1/4."""
    options = {"bin_size": 0.1, "sigma": 0.01, "n_bootstrap": 2000}
    low, high = psth_band([[0.05], []], 0.2, level=0.4, **options)
    assert low.tolist() == [5.0, 0.0] and high.tolist() == [5.0, 0.0]
    for level in (0.6, 0.95):
        low, high = psth_band([[0.05], []], 0.2, level=level, **options)
        assert low.tolist() == [0.0, 0.0] and high.tolist() == [10.0, 0.0]
    low, high = psth_band([[0.05], []], 0.2, **options)
    assert low.tolist() == [0.0, 0.0] and high.tolist() == [10.0, 0.0]
    once = psth_band([[0.05], []], 0.2, bin_size=0.1, sigma=0.01, n_bootstrap=1, seed=3)
    chosen = np.random.default_rng(3).integers(2, size=2)
    assert once[0].tolist() == once[1].tolist() == [5.0 * np.sum(chosen == 0), 0.0]


def test_signal_and_noise_correlations_by_hand():
    """Means 1 2 3 against 3 2 1; residuals +1 -1 in every stimulus against +1 -1, +1 -1, -1 +1: (4
    - 2) / 6."""
    first_unit = np.array([[1.0], [2.0], [3.0]]) + np.array([1, -1])
    second_unit = np.array([[3.0], [2.0], [1.0]]) + np.array([[1, -1], [1, -1], [-1, 1]])
    signal, noise = signal_and_noise_correlation([first_unit, second_unit, np.ones((3, 2))])
    np.testing.assert_allclose(signal[:2, :2], [[1, -1], [-1, 1]])
    np.testing.assert_allclose(noise[:2, :2], [[1, 1 / 3], [1 / 3, 1]])
    assert np.isnan(signal[2]).all() and np.isnan(noise[:, 2]).all()
    signal, noise = signal_and_noise_correlation(np.stack([first_unit, second_unit])[:, :, :1])
    assert np.isnan(noise).all() and signal[0, 1] == pytest.approx(
        np.corrcoef([2, 3, 4], [4, 3, 0])[0, 1]
    )


def test_normalised_correlation_by_hand():
    """Variances 13 of the sum, 1 and 7 of the repeats: signal power 5 / 2; covariance 1.75 with a
    prediction of variance 1."""
    assert normalised_correlation([0, 1, 2], [[1, 2, 3], [1, 2, 6]]) == pytest.approx(
        1.75 / np.sqrt(2.5)
    )
    for scale in (0.5, 2.0):
        prediction = np.array([0, 1, 2]) * scale
        assert normalised_correlation(prediction, [[1, 2, 3], [1, 2, 6]]) == pytest.approx(
            1.75 / np.sqrt(2.5)
        )
    three = np.array([[1, 2, 3], [1, 2, 6], [0, 4, 5.0]])
    power = (np.var(three.sum(axis=0), ddof=1) - np.var(three, axis=1, ddof=1).sum()) / 6
    assert normalised_correlation([0, 1, 2], three) == pytest.approx(
        np.mean([14 - 2]) / 3 / 2 / np.sqrt(power)
    )
    for prediction, responses in (
        ([0, 1, 2], [[1, 0, 1], [0, 1, 0]]),
        ([0, 1, 2], [[1, 0, 1], [0, 0, 0]]),
        ([0, 1, 2], [[1, 2, 3]]),
        ([1, 1, 1], [[1, 2, 3], [1, 2, 6]]),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert np.isnan(normalised_correlation(prediction, responses))


def test_spike_triggered_average_by_hand():
    """Samples 0 1 4 9 16: spikes whose window leaves the stimulus on either side do not count,
    those that just fit do."""
    stimulus = np.arange(5.0) ** 2
    lags, average = spike_triggered_average(
        [0.0, 0.01, 0.03, 0.04], stimulus, 0.01, before=0.01, after=0.01
    )
    np.testing.assert_allclose(lags, [-0.01, 0, 0.01])
    np.testing.assert_allclose(average, [(0 + 4) / 2, (1 + 9) / 2, (4 + 16) / 2])
    assert spike_triggered_average([0.29], np.arange(30.0), 0.01, before=0.0)[1].tolist() == [29.0]
    assert spike_triggered_average([0.019], stimulus, 0.01, before=0.0)[1].tolist() == [1.0]
    lags, average = spike_triggered_average([0.01], stimulus, 0.01, before=-0.01, after=0.02)
    assert average.tolist() == [4.0, 9.0] and np.allclose(lags, [0.01, 0.02])
    with pytest.raises(DataError, match="ends before it begins"):
        spike_triggered_average([0.01], stimulus, 0.01, before=-0.02, after=0.01)
    with pytest.raises(DataError, match="one dimension, not 2"):
        spike_triggered_average([0.01], stimulus[:, None], 0.01, before=0.0)


def nearest_mean(responses):
    """Accuracy trial by trial: means of the other trials of the own stimulus and of all trials of
    the others."""
    right = []
    for s, trials in enumerate(responses):
        for t, trial in enumerate(trials):
            means = [
                np.delete(trials, t, 0).mean(axis=0) if k == s else other_trials.mean(axis=0)
                for k, other_trials in enumerate(responses)
            ]
            right.append(np.argmin([np.sum((trial - mean) ** 2) for mean in means]) == s)
    return np.mean(right)


def test_decoding_by_hand():
    """Trials 0 2 and 3 10: the third is nearer to the other mean (1) than to its own without itself
    (10)."""
    responses = np.array([[[0.0], [2.0]], [[3.0], [10.0]]])
    assert decode_stimulus(responses, n_permutations=0) == (0.75, 1.0)
    random = np.random.default_rng(8)
    responses = random.poisson([[[2, 4]], [[3, 3]], [[4, 2]]], (3, 4, 2)).astype(float)
    accuracy, p = decode_stimulus(responses, n_permutations=30, seed=9)
    random = np.random.default_rng(9)
    shuffled = [
        nearest_mean(random.permutation(responses.reshape(-1, 2)).reshape(responses.shape))
        for _ in range(30)
    ]
    assert (
        accuracy == nearest_mean(responses)
        and p == (1 + np.sum(np.array(shuffled) >= accuracy)) / 31
    )
    for few in (responses[:1], responses[:, :1]):
        assert np.isnan(decode_stimulus(few)).all()
    assert np.isfinite(decode_stimulus(responses[:2, :2], n_permutations=1)).all()


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (
            lambda: signal_and_noise_correlation(np.full((2, 3, 2), np.nan)),
            "Counts hold 12 values that are not finite",
        ),
        (lambda: decode_stimulus([[[np.inf], [1]], [[1], [2]]]), "Responses hold 1 values"),
        (
            lambda: normalised_correlation([1, np.nan], [[1, 2], [2, 1]]),
            "Predictions hold 1 values",
        ),
        (lambda: normalised_correlation([1, 2], [[1, np.nan], [2, 1]]), "Responses hold 1 values"),
        (lambda: normalised_correlation([1, 2, 3], [[1, 2], [2, 1]]), r"not \(2, 2\) and \(3,\)"),
    ],
)
def test_values_that_are_no_numbers_are_named(call, says):
    with pytest.raises(DataError, match=says):
        call()
