"""The panels of a unit, computed by hand: resolution, bins of intervals and rates, rasters,
stimuli."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.recordings import Trains
from neurocode.statistics.distributions import interval_histogram
from neurocode.statistics.stimuli import stimulus_table
from neurocode.statistics.time_resolution import grid_width, time_resolution
from neurocode.statistics.unit_panels import (
    best_width,
    correlogram_bin,
    correlogram_reach,
    rate_over_time,
    unit_panels,
)


def unit(*trains, stop=4.0, start=0.0):
    return [(np.asarray(train, float), start, stop) for train in trains]


@pytest.mark.parametrize("step", [1e-3, 1 / 30_000, 1 / 20_000, 5e-3 / 3])
def test_the_step_of_sampled_times_is_found(step):
    random = np.random.default_rng(1)
    samples = np.cumsum(random.integers(60, 3000, 400))
    assert time_resolution(Trains.of([samples * step])) == pytest.approx(step, rel=1e-6)


def test_times_on_no_grid_have_no_step():
    random = np.random.default_rng(1)
    assert time_resolution(Trains.of([np.cumsum(random.exponential(0.1, 400))])) == 0.0
    assert time_resolution(Trains.of([[0.1]])) == time_resolution(Trains.of([[]])) == 0.0
    assert time_resolution(Trains.of([np.arange(20) * 0.1])) == 0.0


def test_the_step_is_that_of_all_units_of_a_file():
    """Neither unit alone tells: 2 and 4 ms, 2 and 6 ms; and spikes at one time say nothing."""
    trains = [[0.010, 0.010, 0.012, 0.016], [0.100, 0.102, 0.108]]
    assert time_resolution(Trains.of(trains)) == pytest.approx(2e-3)


def test_widths_on_a_grid_are_odd_multiples_of_the_step():
    assert grid_width(1 / 30_000, 1e-3) == pytest.approx(31 / 30_000)
    assert grid_width(1e-3, 1e-3) == pytest.approx(1e-3)
    assert grid_width(5e-4, 1e-3) == pytest.approx(1.5e-3)
    assert correlogram_bin(5e-3) == 5e-3 and correlogram_reach(5e-3) == pytest.approx(0.1)
    assert correlogram_bin(1e-3) == 1e-3 and correlogram_reach(1e-3) == 50e-3


def test_bins_of_intervals_are_not_finer_than_the_resolution():
    """Intervals of 1, 2, 2, 3, 10, 11 and 400 ms; edges lie halfway between whole milliseconds."""
    times = np.cumsum([0, 1, 2, 2, 3, 10, 11, 400]) * 1e-3
    edges, probability = interval_histogram(Trains.of([times]), [0], resolution=1e-3)
    steps = edges * 1e3
    assert np.diff(steps).min() == pytest.approx(1.0)
    assert steps - np.floor(steps) == pytest.approx(0.5)
    assert steps[:3] == pytest.approx([0.5, 1.5, 2.5])
    assert probability[:3] == pytest.approx([1 / 7, 2 / 7, 1 / 7])
    assert probability.sum() == pytest.approx(1.0)


def test_a_histogram_of_sampled_intervals_has_no_comb():
    """Geometric intervals fall smoothly: at 1 ms no bin below 30 ms is empty, and densities of
    neighbouring bins are those of the distribution within five standard errors."""
    random = np.random.default_rng(2)
    intervals = random.geometric(1 / 20, 20_000)
    trains = Trains.of([np.cumsum(intervals) * 1e-3])
    edges, probability = interval_histogram(trains, [0], resolution=1e-3)
    low, high = (np.round(side * 1e3 - 0.5) for side in (edges[:-1], edges[1:]))
    expected = 0.95**low - 0.95**high
    error = np.sqrt(expected * (1 - expected) / 20_000)
    assert np.all(np.abs(probability - expected) <= 5 * error + 1e-12)


def test_few_intervals_have_few_bins():
    """Eight intervals: 2 * 8 ** (1 / 3) is four, and five is the least."""
    random = np.random.default_rng(3)
    panels = unit_panels(Trains.of([np.cumsum(random.exponential(0.1, 9))]), 0)
    assert len(panels.intervals.probability) == 5 and panels.intervals.n_intervals == 8
    same = unit_panels(Trains.of([[0.1, 0.1, 0.3]]), 0)
    assert (same.intervals.n_intervals, same.intervals.n_zero) == (1, 1)


def test_a_rate_over_repeats_by_hand():
    """Bins of 1 s; the second repeat lasts 2 s only and does not count after that."""
    trains = Trains.of_arrays(
        [[(np.array([0.5, 2.5, 3.0]), 0.0, 3.0), (np.array([0.5, 1.5]), 0.0, 2.0)]], ["a"]
    )
    rate = rate_over_time(trains, resolution=1.0)
    assert rate.edges.tolist() == [0, 1, 2, 3] and rate.bin_size == 1.0
    assert rate.rates[0].tolist() == [1.0, 0.5, 2.0]


def test_stimuli_have_rates_of_their_own_up_to_four():
    trains = [[0.5], [1.5], [2.5], [3.5], [0.5]]
    for conditions, rates in (([0, 1, 2, 3, 0], 4), ([0, 1, 2, 3, 4], 1)):
        session = Trains.of_arrays([unit(*trains)], ["a"], [conditions])
        assert len(rate_over_time(session, resolution=1.0).rates) == rates


def test_repeats_keep_their_time_axis_where_they_share_it():
    shared = Trains.of_arrays([unit([-1.0], [0.5], start=-2.0, stop=2.0)], ["a"])
    assert rate_over_time(shared, resolution=1.0).edges[[0, -1]].tolist() == [-2.0, 2.0]
    assert unit_panels(shared, 0).raster.span == (-2.0, 2.0)
    sweeps = Trains.of_arrays(
        [[(np.array([10.5]), 10.0, 12.0), (np.array([20.5]), 20.0, 22.0)]], ["a"]
    )
    panels = unit_panels(sweeps, 0)
    assert panels.raster.span == (0.0, 2.0) and panels.raster.rows[1].tolist() == [0.5]


def test_the_width_of_bins_follows_the_rate():
    """A rate that changes in steps of 0.5 s has bins that resolve them, a constant rate has wide
    ones."""
    random = np.random.default_rng(4)
    candidates = np.sort(random.uniform(0, 20, 4000))
    steps = candidates[(candidates % 1.0 < 0.5)]
    assert best_width(steps, 20.0) <= 0.5
    assert best_width(candidates, 20.0) > 0.5


def test_a_single_train_is_cut_into_twenty_lines():
    trains = Trains.of_arrays([[(np.array([0.05, 0.15, 1.95, 2.0]), 0.0, 2.0)]], ["a"])
    raster = unit_panels(trains, 0).raster
    assert len(raster.rows) == 20 and raster.span == (0.0, pytest.approx(0.1))
    assert raster.rows[1] == pytest.approx([0.05]) and raster.rows[19] == pytest.approx([0.05, 0.1])


def test_many_repeats_are_drawn_in_part_by_stimulus():
    trains = Trains.of_arrays([unit(*[[0.1]] * 250)], ["a"], [np.arange(250) % 5])
    raster = unit_panels(trains, 0).raster
    assert len(raster.rows) == 100 and raster.n_trains == 250
    assert np.all(np.diff(raster.stimuli) >= 0) and set(raster.stimuli) == set(range(5))


def test_a_table_of_stimuli_by_hand():
    """Counts of the first unit 2 and 4 under stimulus 3: Fano factor 2 / 3, rate 6 / 8 Hz; of the
    second 1 and 1: zero and 2 / 8 Hz."""
    first = unit([0.1, 0.2], [0.1, 0.2, 0.3, 0.4], [0.1])
    second = unit([0.1], [0.1], [])
    table = stimulus_table(Trains.of_arrays([first, second], ["a", "b"], [[3, 3, 5], [3, 3, 5]]))
    row = table.iloc[0]
    assert table["stimulus"].tolist() == [3, 5] and table["n_repeats"].tolist() == [2, 1]
    assert row["n_spikes"] == 8 and row["rate"] == pytest.approx((6 / 8 + 2 / 8) / 2)
    assert row["fano_factor"] == pytest.approx((2 / 3 + 0) / 2)
    assert np.isnan(table["fano_factor"].iloc[1])
