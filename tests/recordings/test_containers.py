"""Containers of other packages give the right trains, whether the package is installed or an object
only has its methods."""

from __future__ import annotations

import ast
import importlib.util
import inspect
from types import SimpleNamespace

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.inference.one_unit import one_unit
from neurocode.recordings import Trains, containers
from neurocode.recordings.trains import repeats_of, spike_times
from neurocode.statistics import coding, variability

A, B = np.array([0.25, 0.5, 1.25]), np.array([0.125, 1.0])


def needs(package):
    return pytest.mark.skipif(
        importlib.util.find_spec(package) is None, reason=f"{package} is not installed"
    )


def pynapple_group():
    import pynapple

    return pynapple.TsGroup(
        {3: pynapple.Ts(A), 8: pynapple.Ts(B * 1e3, time_units="ms")},
        time_support=pynapple.IntervalSet(-0.5, 2.0),
    )


def sorting():
    from spikeinterface.core import NumpySorting, generate_recording

    units = NumpySorting.from_unit_dict(
        [{"3": (A * 8000).astype(int), "8": (B * 8000).astype(int)}], 8000.0
    )
    units.register_recording(
        generate_recording(num_channels=1, sampling_frequency=8000.0, durations=[2.0])
    )
    return units


class Sorting:
    """The methods of a SpikeInterface sorting of two segments (``BaseSorting`` of 0.105)."""

    def get_unit_ids(self):
        return ["3", "8"]

    def get_sampling_frequency(self):
        return 8000.0

    def get_num_segments(self):
        return 2

    def get_unit_spike_train(
        self, unit_id, segment_index=None, start_frame=None, end_frame=None, return_times=False
    ):
        frames = {"3": A, "8": B}[unit_id][segment_index:] * 8000
        return frames / 8000 if return_times else frames.astype(int)

    def has_recording(self):
        return False


def support(*epochs):
    return SimpleNamespace(
        start=np.array([start for start, _ in epochs]), end=np.array([end for _, end in epochs])
    )


class Group(dict):
    """A stand-in for a pynapple ``TsGroup``: a mapping of ``Ts`` with one time support."""

    time_support = support((-0.5, 2.0))


def series(times, *epochs):
    return SimpleNamespace(t=times, time_support=support(*epochs))


def segment():
    held = neo.Segment()
    for name, times in (("3", A), ("8", B)):
        held.spiketrains.append(neo.SpikeTrain(times * 1e3, units="ms", t_stop=2000, name=name))
    return held


def frame():
    return pd.DataFrame(
        {"t": np.concatenate([B, A]), "neuron": [8, 8, 3, 3, 3], "depth": 1.0},
        index=[0, 0, 1, 1, 1],
    )


CONTAINERS = {
    "pynapple": pytest.param(pynapple_group, (-0.5, 2.0), marks=needs("pynapple")),
    "like pynapple": (
        lambda: Group({3: series(A, (-0.5, 2.0)), 8: series(B, (-0.5, 2.0))}),
        (-0.5, 2.0),
    ),
    "spikeinterface": pytest.param(sorting, (0.0, 2.0), marks=needs("spikeinterface")),
    "segment": (segment, (0.0, 2.0)),
    "frame": (frame, (0.0, 1.25)),
    "mapping of arrays": (lambda: {3: A, 8: B}, None),
    "mapping of quantities": (
        lambda: {3: A * 1e3 * pq.ms, 8: neo.SpikeTrain(B, units="s", t_stop=1.0)},
        None,
    ),
    "series of arrays": (lambda: pd.Series([A, B], index=[3, 8]), None),
}


@pytest.mark.parametrize(("make", "span"), CONTAINERS.values(), ids=CONTAINERS)
def test_a_container_holds_the_trains_of_its_units(make, span):
    """Units 3 and 8, from the limits that the container states, else from zero to their own last
    spike."""
    trains = Trains.of(make())
    assert trains.names == ("3", "8") and trains.counts.tolist() == [3, 2]
    np.testing.assert_allclose(trains.times, [*A, *B], rtol=1e-12)
    limits = [(start, stop) for start, stop in zip(trains.t_start, trains.t_stop, strict=True)]
    np.testing.assert_allclose(
        limits, [span] * 2 if span else [(0.0, 1.25), (0.0, 1.0)], atol=1e-12
    )
    table = nc.describe(make(), n_surrogates=0)
    assert table.index.tolist() == ["3", "8"] and table["n_spikes"].tolist() == [3, 2]
    assert variability.interval_statistics(make())["mean_isi"].tolist() == pytest.approx(
        [0.5, 0.875]
    )
    with pytest.raises(DataError, match="hold 2 units, expected repeats of one"):
        repeats_of(make())
    with pytest.raises(DataError, match="hold 2 units, expected one; fit each by itself"):
        one_unit(make())
    same = nc.compare(make(), make(), statistics=["rate"])
    assert same.loc["rate", "difference"] == 0 and same.loc["rate", "model"] > 0


def test_segments_of_a_sorting_are_repeats():
    """The second segment lacks the first spike of each unit. It ends with its last spike, because
    no recording states where it ends."""
    trains = Trains.of(Sorting())
    assert (
        trains.names == ("3", "8")
        and trains.unit.tolist() == [0, 0, 1, 1]
        and trains.counts.tolist() == [3, 2, 2, 1]
    )
    np.testing.assert_allclose(trains.train(1), A[1:])
    assert trains.t_stop.tolist() == [1.25] * 4 and trains.t_start.tolist() == [0.0] * 4


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: pynapple_group()[3], marks=needs("pynapple")),
        lambda: series(A, (-0.5, 2.0)),
    ],
)
def test_one_train_of_pynapple_is_a_train_wherever_one_is_taken(make):
    assert spike_times(make()).tolist() == A.tolist()
    for trains in (Trains.of(make()), one_unit(make()), Trains.of([[make()]]), one_unit([make()])):
        assert (trains.t_start.tolist(), trains.t_stop.tolist(), trains.n_units) == (
            [-0.5],
            [2.0],
            1,
        )
    assert nc.Experiment([make()]).repeats[0].duration == 2.5
    np.testing.assert_array_equal(coding.psth(make(), 2.0), coding.psth(A, 2.0))


@needs("pynapple")
def test_series_of_values_and_several_epochs_are_refused():
    import pynapple

    for values in (pynapple.Tsd(A, A), pynapple.TsdFrame(A, np.ones((3, 2)))):
        with pytest.raises(
            DataError,
            match=f"A {type(values).__name__} holds values at its times, expected spike trains",
        ):
            Trains.of(values)
    epochs = pynapple.IntervalSet([0.0, 1.0], [0.75, 2.0])
    for several in (
        pynapple.Ts(A, time_support=epochs),
        pynapple.TsGroup({1: pynapple.Ts(A)}, time_support=epochs),
    ):
        with pytest.raises(
            DataError, match="time support has 2 epochs from 0 to 2 s, expected one; restrict"
        ):
            Trains.of(several)
    assert Trains.of(
        pynapple.TsGroup({1: pynapple.Ts(A)}, time_support=epochs).restrict(epochs[1])
    ).times.tolist() == [1.25]


def test_a_mapping_of_times_and_units_is_a_table():
    trains = Trains.of(
        {"spike_times": np.array([0.5, 0.25, 0.75]), "spike_clusters": np.array([7, 3, 7])}
    )
    assert (
        trains.names == ("3", "7")
        and trains.times.tolist() == [0.25, 0.5, 0.75]
        and trains.t_stop.tolist() == [0.75, 0.75]
    )


def test_repeats_of_a_unit_in_a_mapping():
    trains = Trains.of({"a": [[0.5], [0.25, 0.75]], "b": []})
    assert trains.unit.tolist() == [0, 0, 1] and trains.counts.tolist() == [1, 2, 0]


def test_names_that_read_alike_stay_apart():
    assert Trains.of({1: [0.5], "1": [0.25]}).names == ("1", "1 (2)")
    assert Trains.of(pd.Series([[0.5], [0.25]], index=["x", "x"])).names == ("x", "x (2)")


@pytest.mark.parametrize(
    ("holder", "says"),
    [
        ({"a": np.array([30000, 60000])}, "The unit 'a' holds whole numbers, which may be samples"),
        (
            pd.DataFrame({"a": A, "b": A}),
            "The data frame has the columns a, b, expected one of spike times",
        ),
        (pd.DataFrame({"time": [1, 2]}), "'time' holds whole numbers, which may be samples"),
        (
            pd.DataFrame({"sample": [1, 2], "unit": 1}),
            "'sample' counts samples; say how many there are per second",
        ),
        (pd.DataFrame({"time": A, "times": A}), "'time' and 'times' may each hold the spike times"),
        (
            pd.DataFrame([[0.5, 1.0]], columns=["time", "time"]),
            "'time' and 'time' may each hold the spike times",
        ),
        (pd.DataFrame(), "The data frame has the columns none"),
        ({"a": {"b": A}}, "expected times in seconds|one dimension"),
        ({"a": "soon"}, "one dimension|expected times in seconds"),
        ({"a": None}, "one dimension|expected times in seconds"),
        ({"a": np.ones((2, 2))}, "one dimension, not 2"),
        (pd.Series(["a", "b"]), "expected times in seconds"),
    ],
)
def test_containers_that_cannot_be_read_are_refused_in_a_sentence(holder, says):
    with pytest.raises(DataError, match=says) as caught:
        nc.describe(holder)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_nothing_is_imported_to_recognise_a_container():
    tree = ast.parse(inspect.getsource(containers))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {
        name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    assert "neo" in imported and not {"pynapple", "spikeinterface"} & {
        name.split(".")[0] for name in imported
    }
