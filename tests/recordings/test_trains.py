"""Many trains as arrays: the forms in which they are accepted, windows, selections and joins."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings import Trains, read_trains, write
from neurocode.recordings.files import block_of_trains
from neurocode.recordings.layout import Layout
from neurocode.recordings.trains import join, spike_times


def two_units():
    """Return unit a with two repeats and unit b with one."""
    a = [(np.array([0.25, 0.5]), 0.0, 1.0), (np.array([0.75]), 0.0, 2.0)]
    return Trains.of_arrays(
        [a, [(np.array([1.0, 1.25, 1.5]), 0.5, 4.0)]], ["a", "b"], [[3, 4], [5]]
    )


def test_counts_and_parts():
    trains = two_units()
    assert (trains.n_units, trains.n_trains) == (2, 3)
    assert trains.counts.tolist() == [2, 1, 3] and trains.offsets.tolist() == [0, 2, 3, 6]
    assert trains.unit.tolist() == [0, 0, 1] and trains.condition.tolist() == [3, 4, 5]
    assert (
        trains.first_train.tolist() == [0, 2, 3]
        and list(trains.trains_of(0)) == [0, 1]
        and list(trains.trains_of(1)) == [2]
    )
    assert trains.train(1).tolist() == [0.75]


def test_one_unit_selected():
    chosen = two_units().select(1)
    assert (
        chosen.names == ("b",)
        and chosen.times.tolist() == [1.0, 1.25, 1.5]
        and chosen.offsets.tolist() == [0, 3]
    )
    assert chosen.unit.tolist() == [0] and chosen.condition.tolist() == [5]
    assert chosen.t_start.tolist() == [0.5] and chosen.t_stop.tolist() == [4.0]
    assert two_units().select(0).offsets.tolist() == [0, 2, 3]
    none = Trains.of_arrays([[]], ["nothing"]).select(0)
    assert none.n_trains == 0 and none.times.size == 0 and none.offsets.tolist() == [0]


def test_joined_units_follow_one_another():
    joined = join([two_units(), two_units()])
    assert joined.names == ("a", "b", "a", "b") and joined.unit.tolist() == [0, 0, 1, 2, 2, 3]
    assert joined.offsets.tolist() == [0, 2, 3, 6, 8, 9, 12] and joined.condition.tolist() == [
        3,
        4,
        5,
        3,
        4,
        5,
    ]
    assert (
        joined.train(5).tolist() == [1.0, 1.25, 1.5]
        and joined.t_stop.tolist() == [1.0, 2.0, 4.0] * 2
    )


def test_a_window_of_every_train():
    part = two_units().window(0.5, 1.25)
    assert [part.train(k).tolist() for k in range(3)] == [[0.5], [0.75], [1.0, 1.25]]
    assert part.t_start.tolist() == [0.5] * 3 and part.t_stop.tolist() == [1.0, 1.25, 1.25]
    assert (
        part.names == ("a", "b")
        and part.unit.tolist() == [0, 0, 1]
        and part.condition.tolist() == [3, 4, 5]
    )
    windowed = two_units().window(1.5)
    assert (
        windowed.counts.tolist() == [0, 0, 1]
        and windowed.t_start.tolist() == [1.5] * 3
        and windowed.t_stop.tolist() == [1.5, 2.0, 4.0]
    )
    whole = two_units().window()
    assert whole.times.tolist() == two_units().times.tolist() and whole.t_stop.tolist() == [
        1.0,
        2.0,
        4.0,
    ]
    assert whole.t_start.tolist() == [0.0, 0.0, 0.5]
    assert Trains.of_arrays([], []).window(0.0, 1.0).n_trains == 0


def test_times_that_are_nowhere_stay_in_a_window():
    part = Trains.of_arrays([[(np.array([0.5, np.nan, np.inf, 2.0]), 0.0, 3.0)]], ["a"]).window(
        0.0, 1.0
    )
    np.testing.assert_array_equal(part.times, [0.5, np.nan, np.inf])


def test_forms_of_trains_give_seconds():
    seconds = np.array([0.25, 0.5])
    for form in (
        [seconds],
        [seconds.tolist()],
        [seconds * 1e3 * pq.ms],
        [seconds * 1e6 * pq.us],
        [seconds / 60 * pq.min],
        neo.SpikeTrain(seconds * 1e3 * pq.ms, t_stop=1.0 * pq.s),
        [[seconds]],
        seconds,
    ):
        trains = Trains.of(form)
        np.testing.assert_allclose(trains.times, seconds)
        assert trains.n_units == 1 and trains.t_start.tolist() == [0.0]
    assert Trains.of(two_units()).names == ("a", "b")
    negative = Trains.of([[-0.5, 0.25]])
    assert negative.t_start.tolist() == [-0.5] and negative.t_stop.tolist() == [0.25]
    empty = Trains.of([np.array([]), [np.nan]])
    assert empty.t_start.tolist() == [0.0, 0.0] and empty.t_stop.tolist() == [0.0, 0.0]


def test_neo_trains_keep_their_extent():
    train = neo.SpikeTrain(
        [600.0], units="ms", t_start=0.5 * pq.s, t_stop=1500 * pq.ms, name="cell"
    )
    trains = Trains.of([train, [train, train]])
    assert trains.names == ("cell", "cell") and trains.unit.tolist() == [0, 1, 1]
    np.testing.assert_allclose(trains.t_start, 0.5)
    np.testing.assert_allclose(trains.t_stop, 1.5)


@pytest.mark.parametrize("form", [[np.zeros((2, 2))], [[0.1] * pq.mV]])
def test_other_forms_are_refused(form):
    with pytest.raises(DataError, match=r"one dimension, not 2|in 'mV', expected a unit of time"):
        Trains.of(form)


def test_trains_of_one_name_are_repeats_over_segments_and_units_within_one():
    block = neo.Block()
    for names in (("x", "x", None), ("x",)):
        segment = neo.Segment()
        segment.spiketrains.extend(
            [neo.SpikeTrain([0.1], units="s", t_stop=1.0, name=name) for name in names]
        )
        block.segments.append(segment)
    trains = Trains.of(block)
    assert trains.names == ("x", "x (2)", "2") and trains.unit.tolist() == [0, 0, 1, 2]


def test_rasters_have_spikes_in_the_middle_of_their_steps():
    trains = Trains.of_rasters(np.array([[[0, 1], [1, 1]], [[0, 0], [0, 1]]]), 0.5)
    assert [trains.train(k).tolist() for k in range(4)] == [[0.75], [0.25, 0.75], [], [0.75]]
    assert (
        trains.unit.tolist() == [0, 0, 1, 1]
        and trains.names == ("0", "1")
        and trains.t_stop.tolist() == [1.0] * 4
    )


def test_neo_trains_come_back():
    units = two_units().to_neo()
    assert [[train.magnitude.tolist() for train in unit] for unit in units] == [
        [[0.25, 0.5], [0.75]],
        [[1.0, 1.25, 1.5]],
    ]
    assert (
        float(units[1][0].t_start) == 0.5
        and float(units[1][0].t_stop) == 4.0
        and units[1][0].name == "b"
    )


@pytest.mark.parametrize("suffix", [".nwb", ".nix"])
def test_a_window_of_a_file(tmp_path, suffix):
    path = write(
        block_of_trains([np.array([0.1, 0.6]), np.array([0.7])], 1.0, "cell"),
        tmp_path / f"x{suffix}",
    )
    assert read_trains(path).counts.tolist() == [2, 1]
    part = read_trains(path, Layout(time_unit="ms", t_start=200, t_stop=650))
    assert part.names == ("cell",) and part.unit.tolist() == [0, 0]
    assert [part.train(k).tolist() for k in range(2)] == [[0.6], []]
    np.testing.assert_allclose(part.t_start, 0.2)
    np.testing.assert_allclose(part.t_stop, 0.65)
    assert read_trains(path, Layout(t_stop=1.0)).t_stop.tolist() == [1.0, 1.0]
    for window, limit in (
        ({"t_stop": 1.5}, "1.5"),
        ({"t_start": -0.5}, "-0.5"),
        ({"t_start": 1.25, "t_stop": 1.5}, "1.25"),
    ):
        with pytest.raises(DataError) as caught:
            read_trains(path, Layout(**window))
        assert (
            str(caught.value)
            == f"{path}: the window reaches to {limit} s, the recording lasts from 0 to 1 s."
        )


def test_a_unit_of_ten_milliseconds_is_ten_milliseconds():
    unit = pq.CompoundUnit("10*ms")
    np.testing.assert_allclose(spike_times([0.1, 0.9] * unit), [0.001, 0.009], rtol=1e-12)
    np.testing.assert_allclose(
        spike_times(neo.SpikeTrain([0.1, 0.9], units=unit, t_stop=1.0)), [0.001, 0.009], rtol=1e-12
    )
