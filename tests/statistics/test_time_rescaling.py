"""Rescaled intervals are uniform under the true model, also in coarse bins, but not under another
hazard."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from neurocode.errors import DataError
from neurocode.statistics import rescaled_intervals, time_rescaling
from neurocode.statistics.time_rescaling import uniform_test


def spikes_of(probability, seed):
    return np.random.default_rng(seed).uniform(size=len(probability)) < probability


def test_rescaled_intervals_are_uniform_even_in_coarse_bins():
    """Firing in 30 % of the bins: the uncorrected statistic would fail; Kolmogorov-Smirnov at 0.1
    %."""
    probability = 0.3 * (1 + 0.9 * np.sin(np.arange(20_000) / 30))
    values = rescaled_intervals(probability, spikes_of(probability, 1), np.random.default_rng(2))
    assert kstest(values, "uniform").pvalue > 1e-3


def test_false_alarm_rate_of_the_band():
    """The 95 % band: 400 true models, failures binomial; bound of four standard errors around
    5 %."""
    probability = 0.02 * (1 + np.sin(np.arange(20_000) / 300))
    failures = [
        not time_rescaling([probability], [spikes_of(probability, s)], seed=s).passed
        for s in range(400)
    ]
    assert abs(np.mean(failures) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 400)


def test_a_wrong_hazard_fails():
    probability = 0.02 * (1 + np.sin(np.arange(50_000) / 300))
    assert not time_rescaling([np.full(50_000, 0.02)], [spikes_of(probability, 3)]).passed


def test_no_interval_is_no_pass():
    result = time_rescaling([np.full(10, 0.1)], [np.zeros(10, bool)])
    assert np.isnan(result.statistic) and not result.passed
    with pytest.raises(DataError):
        time_rescaling([np.full(10, np.nan)], [np.zeros(10, bool)])


def test_rescaled_intervals_by_hand():
    """Hazards -log(1 - p) of the bins between two spikes, and of the part of the last bin before
    the drawn place of its spike."""
    probability = np.array([0.1, 0.5, 0.2, 0.3, 0.4, 0.25])
    spikes = np.array([0, 1, 0, 0, 1, 1])
    uniform = np.random.default_rng(7).uniform(size=3)
    inside = -np.log(1 - uniform * [0.5, 0.4, 0.25])
    elapsed = np.array([-np.log(0.8) - np.log(0.7) + inside[1], inside[2]])
    intervals = rescaled_intervals(probability, spikes.astype(bool), np.random.default_rng(7))
    np.testing.assert_allclose(intervals, 1 - np.exp(-elapsed))
    np.testing.assert_array_equal(
        rescaled_intervals(probability, spikes, np.random.default_rng(7)), intervals
    )


def test_a_certain_spike_has_a_finite_hazard():
    """Certain spikes: the interval ends inside the second bin, after the drawn share of its hazard
    -log(1 - u)."""
    uniform = np.random.default_rng(3).uniform(size=3)
    intervals = rescaled_intervals(
        np.array([1.0, 1.0, 0.0, 1.0]), np.array([1, 1, 0, 1]), np.random.default_rng(3)
    )
    np.testing.assert_allclose(intervals, uniform[1:])


def test_kolmogorov_smirnov_by_hand():
    """Steps of the distribution at 0.2, 0.3 and 0.9: 2/3 - 0.3 above, 0.9 - 2/3 and 0.2 - 0
    below."""
    result = uniform_test([0.3, 0.9, 0.2])
    assert result.statistic == pytest.approx(2 / 3 - 0.3) and result.band == pytest.approx(
        1.358 / np.sqrt(3)
    )
    assert result.passed and result.quantiles.tolist() == [0.2, 0.3, 0.9]
    assert uniform_test([0.5, 0.6, 0.95]).statistic == pytest.approx(0.5)
    assert uniform_test([0.7]).statistic == pytest.approx(0.7)
    edge = uniform_test(np.linspace(0.9, 0.99, 4))
    assert edge.statistic == pytest.approx(0.9) and not edge.passed


def test_sweeps_are_pooled_and_drawn_one_after_another():
    p, s = np.full(5, 0.3), np.array([1, 0, 1, 0, 1])
    random = np.random.default_rng(5)
    expected = np.sort(
        np.concatenate([rescaled_intervals(p, s, random), rescaled_intervals(p, s, random)])
    )
    np.testing.assert_allclose(time_rescaling([p, p], [s, s], seed=5).quantiles, expected)
    assert np.isnan(time_rescaling([], []).band)


@pytest.mark.parametrize(
    ("probability", "spikes", "says"),
    [
        ([0.1, 1.1], [0, 1], r"in \[0, 1\]"),
        ([-0.1, 0.1], [0, 1], r"in \[0, 1\]"),
        ([0.1, 0.1, 0.1], [0, 1], "one probability"),
        ([0.1, 0.1], [0, 2], "at most one spike"),
        ([0.1, 0.1], [0, 0.5], "at most one spike"),
    ],
)
def test_what_cannot_be_rescaled_is_named(probability, spikes, says):
    with pytest.raises(DataError, match=says):
        rescaled_intervals(probability, spikes, np.random.default_rng(0))
