"""Responses to repeated stimuli against constructions whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.statistics.coding import (
    decode_stimulus,
    normalised_correlation,
    psth,
    psth_band,
    signal_and_noise_correlation,
    spike_triggered_average,
)


def test_band_covers_the_true_rate():
    """Ten repeats of a homogeneous process: the pointwise 95 % band covers its rate over 80 to 99 % of the middle."""
    random = np.random.default_rng(1)
    trains = [np.sort(random.uniform(0, 20, random.poisson(600))) for _ in range(10)]
    low, high = psth_band(trains, 20.0, sigma=20e-3)
    middle = slice(500, -500)
    assert 0.8 < np.mean((low[middle] <= 30) & (high[middle] >= 30)) < 0.99
    assert np.all(low[middle] <= psth(trains, 20.0, sigma=20e-3)[1][middle] + 1e-9)
    assert np.all(np.isnan(psth_band(trains[:1], 20.0)[0]))


def test_signal_and_noise_are_told_apart():
    """Two units with opposite tuning and shared fluctuations: signal correlation near -1, noise correlation near 0.5."""
    random = np.random.default_rng(2)
    tuning = np.linspace(0, 10, 12)
    shared, own = random.standard_normal((12, 400)), random.standard_normal((2, 12, 400))
    counts = np.stack([tuning[:, None] + shared + own[0], -tuning[:, None] + shared + own[1]])
    signal, noise = signal_and_noise_correlation(counts)
    assert signal[0, 1] < -0.98 and noise[0, 1] == pytest.approx(0.5, abs=4 * 0.75 / np.sqrt(4800))
    assert np.isnan(signal_and_noise_correlation(counts[:, :2])[0]).all()


def test_the_true_signal_reaches_the_ceiling_and_a_wrong_one_does_not():
    random = np.random.default_rng(3)
    signal = np.convolve(random.standard_normal(3000), np.ones(10) / 10, "same")
    responses = signal + random.standard_normal((8, 3000))
    assert normalised_correlation(signal, responses) == pytest.approx(1.0, abs=0.05)
    assert abs(normalised_correlation(np.roll(signal, 500), responses)) < 0.2
    assert np.isnan(normalised_correlation(signal, responses[:1])) and np.isnan(normalised_correlation(0 * signal, responses))


def test_spike_triggered_average_of_a_filter():
    """Spikes drawn from filtered white noise: the average is proportional to the filter (correlation above 0.98)."""
    random = np.random.default_rng(4)
    stimulus, kernel = random.standard_normal(200_000), np.exp(-np.arange(20) / 5) * np.sin(np.arange(20) / 3)
    drive = np.convolve(stimulus, kernel)[: stimulus.size]
    times = (np.flatnonzero(random.random(stimulus.size) < 0.1 * np.exp(drive - drive.max() / 2).clip(0, 10)) + 0.5) * 1e-3
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
    "call", [lambda: signal_and_noise_correlation(np.zeros((2, 3))), lambda: decode_stimulus(np.zeros((2, 3)))]
)
def test_shapes_are_named(call):
    with pytest.raises(DataError, match="have the shape"):
        call()
