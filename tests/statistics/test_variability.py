"""Variability: equal to Elephant where it computes the same, and to theory."""

from __future__ import annotations

import warnings

import elephant.statistics
import neo
import numpy as np
import pytest
import quantities as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocode.errors import DataError
from neurocode.recordings import Trains
from neurocode.statistics.variability import (
    allan_factor,
    drift_test,
    fano_factor,
    fano_factors,
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
        assert ours[name] == pytest.approx(
            float(getattr(elephant.statistics, name)(intervals)), rel=1e-12, abs=1e-12
        )


def test_recorded_trains_equal_elephant(recorded_data):
    from neurocode.recordings import Layout, read_layout

    trains = read_layout(recorded_data / "hippocampus" / "all_unit.mat", Layout("unit_t", "unit"))
    table = interval_statistics(trains)
    for number, (unit,) in enumerate(trains.to_neo()):
        intervals = elephant.statistics.isi(unit)
        for name in ("cv", "cv2", "lv", "lvr"):
            assert table[name].iloc[number] == pytest.approx(
                float(getattr(elephant.statistics, name)(intervals)), rel=1e-12
            )


def test_intervals_do_not_run_over_repeats():
    pooled = interval_statistics([[np.array([0.0, 1.0]), np.array([5.0, 6.0])]]).iloc[0]
    assert pooled["mean_isi"] == 1.0 and pooled["cv"] == 0.0 and np.isnan(pooled["cv2"])


def test_fano_factor_is_unbiased_where_elephant_divides_by_n():
    """Mean over 20 000 sets of ten Poisson counts within four standard errors of 1; Elephant's is
    10 % lower."""
    counts = np.random.default_rng(1).poisson(5, (20_000, 10))
    values = np.array([fano_factor(row) for row in counts])
    assert abs(values.mean() - 1) < 4 * values.std() / np.sqrt(len(values)) + 1e-3
    trains = [
        neo.SpikeTrain(np.linspace(0.1, 0.9, n) * pq.s, t_stop=1 * pq.s) for n in (3, 5, 7, 9)
    ]
    assert elephant.statistics.fanofactor(trains) == pytest.approx(0.75 * fano_factor([3, 5, 7, 9]))


@pytest.mark.parametrize("shape", [0.5, 1.0, 4.0])
def test_fano_factor_of_a_renewal_process_tends_to_squared_cv(shape):
    """Windows of 200 intervals: within four standard errors and 2 % for what a finite window
    leaves."""
    train = gamma_train(np.random.default_rng(2), shape, 20_000.0)
    value = fano_time_curve(train, 10.0, train[-1] - 10.0, np.array([10.0]))[0]
    n_windows = (train[-1] - 20.0) / 10.0
    assert value == pytest.approx(1 / shape, rel=4 * np.sqrt(2 / n_windows) + 0.02)


def test_allan_factor_ignores_a_drift_that_the_fano_factor_counts():
    random = np.random.default_rng(3)
    times = np.sort(
        np.concatenate([random.uniform(k, k + 1, random.poisson(5 + 0.1 * k)) for k in range(400)])
    )
    counts = window_counts([times], 0.0, 400.0, 1.0)[0]
    assert fano_factor(counts) > 4 and allan_factor(times, 0.0, 400.0, 1.0) == pytest.approx(
        1.0, abs=0.3
    )


def test_serial_correlation_of_a_moving_average():
    """Intervals that share half of each neighbour correlate by one half at lag 1 and not at lag 2
    (bound: four standard errors)."""
    noise = np.random.default_rng(4).standard_normal(40_001)
    intervals = 1 + 0.1 * (noise[1:] + noise[:-1])
    values = serial_correlations(intervals, lags=2)
    assert values[0] == pytest.approx(0.5, abs=0.02) and values[1] == pytest.approx(0.0, abs=0.025)
    assert interval_statistics([np.cumsum(intervals)])["serial_correlation"].iloc[
        0
    ] == pytest.approx(values[0], abs=1e-3)


def test_mean_matching_removes_a_change_of_rate():
    """Poisson units whose rate doubles half way: the matched Fano factor stays at 1, and units are
    dropped."""
    random = np.random.default_rng(5)
    rates = random.uniform(1, 10, (300, 1, 1)) * np.array([1.0, 2.0])
    value, share = mean_matched_fano_factor(
        random.poisson(np.broadcast_to(rates, (300, 40, 2))), seed=6
    )
    np.testing.assert_allclose(value, 1.0, atol=0.08)
    assert 0 < share[0] < 1


def test_sliding_fano_factor_of_identical_repeats_is_zero():
    counts = window_counts([np.array([0.1, 0.2, 1.4])] * 5, 0.0, 2.0, 0.5, 0.25)
    values = sliding_fano_factor(counts)
    assert np.all(values[counts[0] > 0] == 0) and np.all(np.isnan(values[counts[0] == 0]))


def test_drift_is_found():
    assert (
        drift_test(np.arange(10))[0] == pytest.approx(1.0) and drift_test(np.arange(10))[1] < 1e-6
    )
    assert np.isnan(drift_test([1, 2, 3])[0])


@pytest.mark.parametrize("times", [[], [0.5]])
def test_trains_without_intervals_are_undefined(times):
    assert interval_statistics([np.array(times)]).isna().all(axis=None)


def test_undefined_counts():
    assert (
        np.isnan(fano_factor([3]))
        and np.isnan(fano_factor([0, 0]))
        and np.isnan(allan_factor(np.array([]), 0, 10, 1))
    )
    assert np.isnan(allan_factor(np.array([0.5]), 0, 1, 1))


def test_interval_statistics_by_hand():
    """Intervals 1 2 1 s: variance 2/9 over all three; |1 - 2| / 3 twice; (1/3)² twice; each is
    anticorrelated with the next."""
    row = interval_statistics([[0.0, 1.0, 3.0, 4.0]]).iloc[0]
    assert row["mean_isi"] == pytest.approx(4 / 3) and row["min_isi"] == 1.0
    assert row["cv"] == pytest.approx(np.sqrt(2 / 9) / (4 / 3))
    assert row["cv2"] == pytest.approx(2 / 3) and row["lv"] == pytest.approx(1 / 3)
    assert row["lvr"] == pytest.approx(3 * (1 - 4 * 2 / 9) * (1 + 4 * 0.005 / 3))
    assert row["serial_correlation"] == pytest.approx(-1) and row["burst_index"] == 0


def test_serial_correlation_by_hand():
    """Pairs (1, 2), (2, 4), (4, 3) of one repeat and (3, 1) of the other, none across the
    repeats."""
    repeats = [[0.0, 1.0, 3.0, 7.0, 10.0], [20.0, 23.0, 24.0]]
    expected = np.corrcoef([1, 2, 4, 3], [2, 4, 3, 1])[0, 1]
    table = interval_statistics(
        [repeats, [[0.0, 1.0, 2.0]], [[0.0, 1.0, 3.0, 5.0]], [[0.0, 2.0, 3.0, 5.0, 5.5]]]
    )
    assert table["serial_correlation"].iloc[0] == pytest.approx(expected)
    assert table["serial_correlation"].isna().tolist() == [False, True, True, False]
    assert serial_correlations([1, 2, 4, 3], [3, 1], lags=1)[0] == pytest.approx(expected)
    assert (
        serial_correlations([1, 2, 4, 3], [3, 1], lags=2)[1]
        != serial_correlations([1, 2, 4, 3, 3, 1], lags=2)[1]
    )
    assert np.isnan(serial_correlations([1, 2, 3], lags=1)[0]) and np.isfinite(
        serial_correlations([1, 2, 3, 1], lags=1)[0]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(serial_correlations([1, 1, 1, 2], lags=1)[0]) and np.isnan(
            serial_correlations([2, 1, 1, 1], lags=1)[0]
        )
    assert len(serial_correlations([1.0, 2.0])) == 5


def test_bursts_and_doublets_by_hand():
    """Of the intervals 5, 6.5, 0 and 20 ms two are below 6 ms; the pair of two zeros has no CV2 and
    no LV."""
    row = interval_statistics([np.cumsum([0.1, 0.005, 0.0065, 0.0, 0.020])]).iloc[0]
    assert row["burst_index"] == 0.5 and row["min_isi"] == pytest.approx(0, abs=1e-12)
    row = interval_statistics([[1.0, 1.0, 1.0, 2.0, 5.0]]).iloc[0]
    assert row["cv2"] == pytest.approx((2 * 1 / 1 + 2 * 2 / 4) / 2) and row["lv"] == pytest.approx(
        3 * (1 + 4 / 16) / 2
    )
    assert row["lvr"] == pytest.approx(3 * ((1 + 0.02) + (1 - 12 / 16) * (1 + 0.02 / 4)) / 2)
    row = interval_statistics([[1.0, 1.0, 1.0]]).iloc[0]
    assert (
        row["mean_isi"] == 0
        and row["burst_index"] == 1
        and row[["cv", "cv2", "lv", "lvr"]].isna().all()
    )


def test_units_keep_their_names_and_their_own_intervals():
    trains = Trains.of_arrays(
        [
            [(np.array([0.0, 1.0]), 0, 2)],
            [],
            [(np.array([0.0, 3.0]), 0, 4), (np.array([5.0, 6.0]), 4, 7)],
        ],
        "abc",
    )
    table = interval_statistics(trains)
    assert table.index.tolist() == ["a", "b", "c"] and table["mean_isi"].iloc[[0, 2]].tolist() == [
        1.0,
        2.0,
    ]
    assert table.loc["b"].isna().all() and table["min_isi"].iloc[2] == 1.0


def test_fano_factors_over_conditions_by_hand():
    """Counts 1 3 of the first stimulus (variance 2 over mean 2), 0 0 of the second (none), 2 2 of
    the third: mean of 1 and 0."""
    times = np.arange(1, 10) * 0.1
    repeats = [(times[:count], 0.0, 1.0) for count in (1, 3, 0, 0, 2, 2)]
    trains = Trains.of_arrays(
        [repeats, repeats[:1], repeats[2:4]], "abc", [[0, 0, 1, 1, 2, 2], [0], [0, 0]]
    )
    np.testing.assert_array_equal(fano_factors(trains), [0.5, np.nan, np.nan])


def test_fano_factor_by_hand():
    assert (
        fano_factor([1, 3]) == 1.0
        and fano_factor([0, 0, 3]) == pytest.approx(3.0)
        and fano_factor([4, 4]) == 0.0
    )
    assert np.isnan(fano_factor([])) and fano_factor([True, False]) == pytest.approx(1.0)


def test_windows_by_hand():
    """A spike at the end of a window, or within rounding before it, counts in the next; the last
    whole window ends at the stop."""
    train = [0.0, 0.1, 0.3, 0.55, 0.6, 0.65]
    np.testing.assert_array_equal(window_counts([train], 0.0, 0.6, 0.1), [[1, 1, 0, 1, 0, 1]])
    np.testing.assert_array_equal(window_counts([train, []], 0.05, 0.64, 0.2), [[1, 1], [0, 0]])
    np.testing.assert_array_equal(window_counts([train], 0.0, 0.6, 0.2, 0.1), [[2, 1, 1, 1, 1]])
    np.testing.assert_array_equal(window_counts([[0.1 + 0.2, 0.7]], 0.0, 0.9, 0.3), [[0, 1, 1]])
    np.testing.assert_array_equal(
        window_counts([[0.3, 0.7]], 0.0, 0.9, 0.1)[0], [0, 0, 0, 1, 0, 0, 0, 1, 0]
    )
    assert window_counts([train], 0.0, 0.1, 0.2).shape == (1, 0)


def test_allan_factor_and_fano_curve_by_hand():
    """Counts 2 0 1 4: squared differences 4 1 9, mean 14/3, over twice the mean count 7/4."""
    train = [0.1, 0.2, 2.5, 3.0, 3.1, 3.2, 3.3]
    assert allan_factor(train, 0.0, 4.0, 1.0) == pytest.approx(14 / 3 / (2 * 7 / 4))
    assert allan_factor(train, 0.0, 2.0, 1.0) == pytest.approx(4 / 2)
    assert np.isnan(allan_factor(train, 0.0, 1.9, 1.0)) and np.isnan(
        allan_factor(train, 10.0, 14.0, 1.0)
    )
    curve = fano_time_curve(train, 0.0, 4.0, [1.0, 2.0, 2.5])
    assert curve[:2] == pytest.approx(
        [np.var([2, 0, 1, 4], ddof=1) / 1.75, 4.5 / 3.5]
    ) and np.isnan(curve[2])


def test_sliding_fano_factor_by_hand():
    np.testing.assert_allclose(sliding_fano_factor([[1, 0, 2], [3, 0, 2]]), [1.0, np.nan, 0.0])
    assert np.isnan(sliding_fano_factor([[1, 2]])).all()


def test_drift_by_hand():
    """Ranks 1 3 2 4 5 of five repeats: 1 - 6 * 2 / (5 * 24) = 0.9; equal counts share a rank."""
    assert drift_test([1, 5, 3, 7, 9])[0] == pytest.approx(0.9) and drift_test([1, 5, 3, 7, 9])[
        1
    ] == pytest.approx(0.0373861)
    assert (
        drift_test([9, 7, 3, 1])[0] == pytest.approx(-1)
        and np.isnan(drift_test([2, 2, 2, 2])).all()
    )
    assert np.isnan(drift_test([1, 2, 3])).all() and drift_test([1, 2, 3, 4])[1] == pytest.approx(
        0, abs=1e-12
    )


def unit(*pairs):
    """Counts of two repeats in each window."""
    return np.array(pairs).T


def test_mean_matching_by_hand():
    """Only the units whose mean is 1 or 21 in both windows are shared; the silent one is left out,
    the one that moves dropped."""
    counts = np.stack(
        [
            unit((0, 2), (1, 1)),
            unit((20, 22), (18, 24)),
            unit((4, 6), (10, 12)),
            unit((0, 0), (0, 0)),
        ]
    )
    value, share = mean_matched_fano_factor(counts, n_draws=3)
    assert share.tolist() == [0.5, 0.5]
    assert value == pytest.approx([(1 * 2 + 21 * 2) / (1 + 441), (0 + 21 * 18) / (1 + 441)])
    assert np.isnan(mean_matched_fano_factor(np.zeros((2, 2, 1), int))[0]).all()
    neighbours = np.stack([unit((0, 2), (1, 1)), unit((19, 20), (21, 21))])
    value, share = mean_matched_fano_factor(neighbours)
    assert value.tolist() == [2.0, 0.0] and share.tolist() == [0.5, 0.5]
    apart = np.stack([unit((0, 2), (40, 42))])
    value, share = mean_matched_fano_factor(apart)
    assert np.isnan(value).all() and share.tolist() == [0, 0]


def test_mean_matching_draws_among_the_units_of_a_bin():
    """Two units of mean 5 in the first window, one in the second: each is drawn in its share of 40
    seeded draws."""
    counts = np.stack([unit((5, 5), (5, 5)), unit((2, 8), (30, 30)), unit((30, 30), (30, 30))])
    random = np.random.default_rng(11)
    expected = np.zeros(2)
    for _ in range(40):
        for window in (0, 1):
            low = random.choice([0, 1] if window == 0 else [0], 1, replace=False)
            random.choice([2] if window == 0 else [1, 2], 1, replace=False)
            expected[window] += (5 * 18 if low[0] == 1 else 0) / (25 + 900)
    value, share = mean_matched_fano_factor(counts, n_draws=40, seed=11)
    assert value == pytest.approx(expected / 40) and share.tolist() == [2 / 3, 2 / 3]
    assert 0 < value[0] < 90 / 925


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: fano_factor([1, -1]), "whole numbers that are not negative"),
        (lambda: fano_factor([1, 2.5]), "whole numbers"),
        (lambda: fano_factor([1, np.nan]), "whole numbers"),
        (lambda: fano_factor([[1, 2], [3, 4]]), r"shape \(repeats\), not \(2, 2\)"),
        (lambda: fano_factor(["a", "b"]), "shape"),
        (lambda: drift_test([1, 2, -3, 4]), "whole numbers"),
        (lambda: sliding_fano_factor([1, 2]), r"shape \(repeats, windows\)"),
        (lambda: mean_matched_fano_factor([[1, 2]]), r"shape \(units, repeats, windows\)"),
        (lambda: mean_matched_fano_factor([[[1, 2]]]), "needs two of them, not 1"),
        (lambda: window_counts([], 0, 1, 0.1), "at least one spike train"),
        (lambda: window_counts([[0.1]], 1, 0, 0.1), "stop at 0 s comes before the start at 1 s"),
        (lambda: window_counts([[0.1]], 0, 1e9, 1.0), "more than 50000000 windows, one every 1 s"),
        (lambda: allan_factor([0.1], 0, 1e9, 0.001), "more than 50000000 windows"),
        (lambda: serial_correlations([1.0, -1.0, 2.0]), "finite and not negative"),
        (lambda: serial_correlations([1.0, 2.0], [np.inf]), "finite and not negative"),
        (lambda: interval_statistics([[0.3, 0.1]]), "Unit '0': the times are not sorted"),
        (lambda: fano_factors([[[0.1], [np.nan, 0.2]]]), "Unit '0': 1 times are not finite"),
    ],
)
def test_counts_and_windows_that_cannot_be_used_are_named(call, says):
    with pytest.raises(DataError, match=says):
        call()
    assert window_counts([[0.1]], 0.0, 0.0, 0.1).shape == (1, 0)


def test_a_curve_of_fano_factors_takes_several_windows():
    for windows in (0.5, "0.5 s"):
        with pytest.raises(DataError, match="a sequence of widths"):
            fano_time_curve([0.1, 0.2], 0.0, 2.0, windows)
