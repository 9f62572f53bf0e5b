"""Time rescaling: uniform under the truth, also in coarse bins, and not under another hazard."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from neurocode.errors import DataError
from neurocode.statistics import rescaled_intervals, time_rescaling


def spikes_of(probability, seed):
    return np.random.default_rng(seed).uniform(size=len(probability)) < probability


def test_rescaled_intervals_are_uniform_even_in_coarse_bins():
    """Firing in 30 % of the bins: the uncorrected statistic would fail; Kolmogorov-Smirnov at 0.1 %."""
    probability = 0.3 * (1 + 0.9 * np.sin(np.arange(20_000) / 30))
    values = rescaled_intervals(probability, spikes_of(probability, 1), np.random.default_rng(2))
    assert kstest(values, "uniform").pvalue > 1e-3


def test_false_alarm_rate_of_the_band():
    """The 95 % band: 400 true models, failures binomial; bound of four standard errors around 5 %."""
    probability = 0.02 * (1 + np.sin(np.arange(20_000) / 300))
    failures = [not time_rescaling([probability], [spikes_of(probability, s)], seed=s).passed for s in range(400)]
    assert abs(np.mean(failures) - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 400)


def test_a_wrong_hazard_fails():
    probability = 0.02 * (1 + np.sin(np.arange(50_000) / 300))
    assert not time_rescaling([np.full(50_000, 0.02)], [spikes_of(probability, 3)]).passed


def test_no_interval_is_no_pass():
    result = time_rescaling([np.full(10, 0.1)], [np.zeros(10, bool)])
    assert np.isnan(result.statistic) and not result.passed
    with pytest.raises(DataError):
        time_rescaling([np.full(10, np.nan)], [np.zeros(10, bool)])
