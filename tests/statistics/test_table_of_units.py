"""The table of many units: every column computed by hand for one unit, every reason, and limits of
time and memory."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import Trains
from neurocode.statistics.unit_statistics import MOST_BINS, binned_events

#: Spikes of two repeats of 4 s: intervals 0.5, 1.5 and 1, 0.5, 0.5.
FIRST, SECOND = np.array([0.5, 1.0, 2.5]), np.array([0.25, 1.25, 1.75, 2.25])


def unit(*trains, stop=4.0):
    return [(train, 0.0, stop) for train in trains]


def test_every_column_of_one_unit_by_hand():
    row = nc.describe(Trains.of_arrays([unit(FIRST, SECOND)], ["a"]), n_surrogates=0).iloc[0]
    intervals = np.array([0.5, 1.5, 1.0, 0.5, 0.5])
    assert (row["n_spikes"], row["n_trains"], row["duration"]) == (7, 2, 8.0)
    assert row["rate"] == 7 / 8 and row["mean_isi"] == pytest.approx(0.8) and row["min_isi"] == 0.5
    assert row["cv"] == pytest.approx(np.std(intervals) / 0.8)
    # Neighbours: (0.5, 1.5), (1, 0.5), (0.5, 0.5); LV is three times the mean of ((a - b) / (a +
    # b)) squared.
    assert row["lv"] == pytest.approx(3 * np.mean([0.25, 1 / 9, 0.0]))
    assert row["cv2"] == pytest.approx(2 * np.mean([0.5, 1 / 3, 0.0]))
    assert row["burst_index"] == 0.0
    # Counts in windows of 1 s: 1, 1, 1, 0 and 1, 2, 1, 0.
    assert row["allan_factor"] == pytest.approx(np.mean([(1 / 3) / (2 * 0.75), 1.0 / (2 * 1.0)]))
    # Counts 3 and 4: variance 0.5, mean 3.5.
    assert row["fano_factor"] == pytest.approx(0.5 / 3.5)
    assert np.isnan(row["drift"]) and row["reason"] == "" and "lz76" not in row


def test_drift_needs_four_repeats_of_one_condition():
    repeats = [np.linspace(0.1, 3.9, n) for n in (2, 3, 5, 9)]
    row = nc.describe(Trains.of_arrays([unit(*repeats)], ["a"]), n_surrogates=0).iloc[0]
    assert row["drift"] == pytest.approx(1.0)
    three = nc.describe(Trains.of_arrays([unit(*repeats[:3])], ["a"]), n_surrogates=0).iloc[0]
    mixed = nc.describe(
        Trains.of_arrays([unit(*repeats)], ["a"], [[0, 0, 1, 1]]), n_surrogates=0
    ).iloc[0]
    assert np.isnan(three["drift"]) and np.isnan(mixed["drift"])


def test_occupied_bins_of_repeats_follow_one_another():
    trains = Trains.of_arrays([unit(FIRST, SECOND), unit(np.array([0.0, 4.0]))], ["a", "b"])
    events, length = binned_events(trains, 0, 0.5)
    assert events.tolist() == [1, 2, 5, 8 + 0, 8 + 2, 8 + 3, 8 + 4] and length == 16
    events, length = binned_events(trains, 1, 0.5)
    assert events.tolist() == [0, 7] and length == 8
    assert binned_events(trains, 1, 3.0)[1] == 2 and binned_events(trains, 1, 8.0) == (
        pytest.approx(np.array([0])),
        1,
    )
    events, length = binned_events(Trains.of_arrays([[]], ["none"]), 0, 1.0)
    assert events.size == 0 and length == 0


def test_the_default_bin_is_a_fifth_of_the_mean_interval_and_a_millisecond_at_least():
    random = np.random.default_rng(1)
    slow, fast = np.cumsum(random.exponential(0.1, 50)), np.cumsum(random.exponential(0.002, 50))
    table = nc.describe([slow, fast], n_surrogates=19)
    assert table["bin_size"].tolist() == [pytest.approx(0.2 * np.mean(np.diff(slow))), 1e-3]
    assert nc.describe([slow], n_surrogates=19, bin_size=0.05)["bin_size"].tolist() == [0.05]


def test_the_entropy_rate_is_that_of_independent_bins_times_the_ratio():
    train = np.cumsum(np.random.default_rng(1).exponential(0.1, 60))
    row = nc.describe([train], n_surrogates=19, bin_size=0.05).iloc[0]
    events, length = binned_events(Trains.of([train]), 0, 0.05)
    p = len(events) / length
    assert row["entropy_rate"] == pytest.approx(
        -row["lz_ratio"] * (p * np.log2(p) + (1 - p) * np.log2(1 - p))
    )


@pytest.mark.parametrize(
    ("train", "start", "stop", "reason"),
    [
        ([], 0.0, 1.0, "no spike"),
        ([0.5], 0.0, 1.0, "one spike"),
        ([0.25, 0.5, 0.5], 0.0, 1.0, "two spikes at one time"),
        ([0.5, 0.25], 0.0, 1.0, "the times are not sorted"),
        ([0.25, np.nan, np.inf], 0.0, 1.0, "2 times are not finite"),
        ([0.25, 1.5], 0.0, 1.0, "times lie outside [0, 1] s"),
        ([-0.25, 0.5], 0.0, 1.0, "times lie outside [0, 1] s"),
        ([0.25, 1.0 + 5e-10], 0.0, 1.0, ""),
        ([-5e-10, 0.5], 0.0, 1.0, ""),
        (
            [1e8, 1e8 + 1],
            0.0,
            1e8 + 1,
            "the train lasts 1e+08 s, beyond 1e+07 s: do its times count from an epoch? Give the "
            "start",
        ),
        ([1.7e9, 1.7e9 + 1], 1.7e9, 1.7e9 + 1, ""),
        (
            [0.25, 0.5],
            0.0,
            np.nan,
            "the train lasts nan s, beyond 1e+07 s: do its times count from an epoch? Give the "
            "start",
        ),
        ([0.5, 1.0, 1e7], 0.0, 1e7, ""),
    ],
)
def test_reasons(train, start, stop, reason):
    table = nc.describe(
        Trains.of_arrays([[(np.array(train), start, stop)], unit(FIRST)], ["a", "b"]),
        n_surrogates=0,
    )
    assert table["reason"].tolist() == [reason, ""] and table["rate"].iloc[1] == 0.75
    if "spike" not in reason and reason:
        assert (
            table.drop(columns=["n_spikes", "n_trains", "duration", "reason"]).iloc[0].isna().all()
        )


def test_the_first_fault_of_a_unit_is_told():
    bad = [(np.array([0.5, 0.25]), 0.0, 1.0), (np.array([np.nan]), 0.0, 1.0)]
    assert nc.describe(Trains.of_arrays([bad], ["a"]), n_surrogates=0)["reason"].tolist() == [
        "the times are not sorted"
    ]


@pytest.mark.parametrize("shift", [1e8, 1.7e9])
def test_times_of_an_epoch_take_neither_time_nor_memory(shift):
    """A bin for every fifth of an interval since 1970 would be 1e10 of them."""
    times = shift + np.cumsum(np.random.default_rng(1).exponential(0.1, 100))
    assert nc.describe([times], n_surrogates=19)["reason"].iloc[0].startswith("the train lasts")
    whole = nc.describe(Trains.of_arrays([[(times, shift, times[-1])]], ["a"]), n_surrogates=19)
    assert whole["reason"].tolist() == [""] and whole["lz_ratio"].notna().all()


def test_more_bins_than_memory_holds_leave_the_complexity_out():
    train = Trains.of_arrays([unit(FIRST)], ["a"])
    width = 4.0 / MOST_BINS
    row = nc.describe(train, n_surrogates=19, bin_size=0.99 * width).iloc[0]
    assert row["reason"] == "no complexity: more than 1e+07 bins of 4e-07 s"
    assert np.isnan(row["lz_ratio"]) and np.isnan(row["lz76"]) and row["rate"] == 0.75


@pytest.mark.parametrize(
    ("rate", "spikes", "hint"),
    [
        (1010.0, 30, "rate of 1010 Hz: are the times in seconds, read as milliseconds or smaller?"),
        (1000.6, 30, "rate of 1001 Hz: are the times in seconds, read as milliseconds or smaller?"),
        (999.6, 30, ""),
        (0.019, 30, "rate of 0.019 Hz: are the times in milliseconds or smaller, read as seconds?"),
        (0.021, 30, ""),
        (0.019, 20, ""),
        (0.019, 21, "rate of 0.019 Hz: are the times in milliseconds or smaller, read as seconds?"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_hints_at_a_misread_unit_of_time(rate, spikes, hint):
    stop = spikes / rate
    train = [(np.linspace(0.0, stop, spikes), 0.0, stop)]
    assert nc.describe(Trains.of_arrays([train], ["a"]), n_surrogates=0)["reason"].tolist() == [
        hint
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"bin_size": 0.0}, "The bin size is 0.0 s, expected a positive time."),
        ({"bin_size": np.nan}, "The bin size is nan, expected a finite number."),
        ({"bin_size": np.inf}, "The bin size is inf, expected a finite number."),
        ({"n_surrogates": -1}, "There are -1 surrogates with seed 0, expected zero or more."),
        ({"seed": -1}, "There are 200 surrogates with seed -1, expected zero or more."),
    ],
)
def test_options_that_make_no_sense_are_named(options, says):
    with pytest.raises(DataError) as caught:
        nc.describe([FIRST], **options)
    assert str(caught.value) == says


def test_no_unit_is_named():
    with pytest.raises(DataError, match="no unit to describe"):
        nc.describe([])
