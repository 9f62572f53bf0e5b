"""Variability: equal to Elephant where it computes the same, and to theory."""

from __future__ import annotations

import elephant.statistics
import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocode.statistics.variability import (
    allan_factor,
    drift_test,
    fano_factor,
    fano_time_curve,
    interval_statistics,
    mean_matched_fano_factor,
    serial_correlations,
    sliding_fano_factor,
    window_counts,
)


def gamma_train(random, shape, duration, rate=20.0):
    return np.cumsum(random.gamma(shape, 1 / (shape * rate), int(duration * rate * 1.5)))


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 200), st.floats(0.2, 20.0), st.integers(0, 2**32 - 1))
def test_interval_statistics_equal_elephant(size, shape, seed):
    times = np.cumsum(np.random.default_rng(seed).gamma(shape, 0.05 / shape, size) + 1e-6)
    intervals = elephant.statistics.isi(neo.SpikeTrain(times * pq.s, t_stop=(times[-1] + 1) * pq.s))
    ours = interval_statistics([times]).iloc[0]
    for name in ("cv", "cv2", "lv", "lvr"):
        assert ours[name] == pytest.approx(float(getattr(elephant.statistics, name)(intervals)), rel=1e-12, abs=1e-12)


def test_recorded_trains_equal_elephant(recorded_data):
    from neurocode.recordings import Layout, read_layout

    trains = read_layout(recorded_data / "hippocampus" / "all_unit.mat", Layout("unit_t", "unit"))
    table = interval_statistics(trains)
    for number, (unit,) in enumerate(trains.to_neo()):
        intervals = elephant.statistics.isi(unit)
        for name in ("cv", "cv2", "lv", "lvr"):
            assert table[name].iloc[number] == pytest.approx(float(getattr(elephant.statistics, name)(intervals)), rel=1e-12)


def test_intervals_do_not_run_over_repeats():
    pooled = interval_statistics([[np.array([0.0, 1.0]), np.array([5.0, 6.0])]]).iloc[0]
    assert pooled["mean_isi"] == 1.0 and pooled["cv"] == 0.0 and np.isnan(pooled["cv2"])


def test_fano_factor_is_unbiased_where_elephant_divides_by_n():
    """Mean over 20 000 sets of ten Poisson counts within four standard errors of 1; Elephant's is 10 % lower."""
    counts = np.random.default_rng(1).poisson(5, (20_000, 10))
    values = np.array([fano_factor(row) for row in counts])
    assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(values)) + 1e-3
    trains = [neo.SpikeTrain(np.linspace(0.1, 0.9, n) * pq.s, t_stop=1 * pq.s) for n in (3, 5, 7, 9)]
    assert elephant.statistics.fanofactor(trains) == pytest.approx(0.75 * fano_factor([3, 5, 7, 9]))


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_fano_factor_of_a_renewal_process_tends_to_squared_cv(shape):
    """Windows of 200 intervals: within four standard errors and 2 % for what a finite window leaves."""
    train = gamma_train(np.random.default_rng(2), shape, 20_000.0)
    value = fano_time_curve(train, 10.0, train[-1] - 10.0, np.array([10.0]))[0]
    n_windows = (train[-1] - 20.0) / 10.0
    assert value == pytest.approx(1 / shape, rel=4 * np.sqrt(2 / n_windows) + 0.02)


def test_allan_factor_ignores_a_drift_that_the_fano_factor_counts():
    random = np.random.default_rng(3)
    times = np.sort(np.concatenate([random.uniform(k, k + 1, random.poisson(5 + 0.1 * k)) for k in range(400)]))
    counts = window_counts([times], 0.0, 400.0, 1.0)[0]
    assert fano_factor(counts) > 4 and allan_factor(times, 0.0, 400.0, 1.0) == pytest.approx(1.0, abs=0.3)


def test_serial_correlation_of_a_moving_average():
    """Intervals that share half of each neighbour correlate by one half at lag 1 and not at lag 2 (bound: four standard errors)."""
    noise = np.random.default_rng(4).standard_normal(40_001)
    intervals = 1 + 0.1 * (noise[1:] + noise[:-1])
    values = serial_correlations(intervals, lags=2)
    assert values[0] == pytest.approx(0.5, abs=0.02) and values[1] == pytest.approx(0.0, abs=0.025)
    assert interval_statistics([np.cumsum(intervals)])["serial_correlation"].iloc[0] == pytest.approx(values[0], abs=1e-3)


def test_mean_matching_removes_a_change_of_rate():
    """Poisson units whose rate doubles half way: the matched Fano factor stays at 1, and units are dropped."""
    random = np.random.default_rng(5)
    rates = random.uniform(1, 10, (300, 1, 1)) * np.array([1.0, 2.0])
    value, share = mean_matched_fano_factor(random.poisson(np.broadcast_to(rates, (300, 40, 2))), seed=6)
    np.testing.assert_allclose(value, 1.0, atol=0.08)
    assert 0 < share[0] < 1


def test_sliding_fano_factor_of_identical_repeats_is_zero():
    counts = window_counts([np.array([0.1, 0.2, 1.4])] * 5, 0.0, 2.0, 0.5, 0.25)
    values = sliding_fano_factor(counts)
    assert np.all(values[counts[0] > 0] == 0) and np.all(np.isnan(values[counts[0] == 0]))


def test_drift_is_found():
    assert drift_test(np.arange(10))[0] == pytest.approx(1.0) and drift_test(np.arange(10))[1] < 1e-6
    assert np.isnan(drift_test([1, 2, 3])[0])


@pytest.mark.parametrize("times", [[], [0.5]])
def test_trains_without_intervals_are_undefined(times):
    assert interval_statistics([np.array(times)]).isna().all(axis=None)


def test_undefined_counts():
    assert np.isnan(fano_factor([3])) and np.isnan(fano_factor([0, 0])) and np.isnan(allan_factor(np.array([]), 0, 10, 1))
    assert np.isnan(allan_factor(np.array([0.5]), 0, 1, 1))
