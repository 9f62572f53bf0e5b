"""Values of a teacher are found from its spikes and signals, and Brian2 fires them."""

from __future__ import annotations

import brian2
import jax
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

import neurocode as nc
from neurocode.errors import FitError
from neurocode.learning.surrogate import Surrogate
from neurocode.networks.fit import filtered
from neurocode.networks.targets import targets_of


def network_of(weights: np.ndarray, drive: np.ndarray) -> tuple[Network, dict[str, object]]:
    group = NeuronGroup(
        4,
        "dv/dt = (I - v)/tau : 1\nI : 1",
        threshold="v > 1",
        reset="v = 0",
        method="exact",
        name="neurons",
    )
    group.I, group.v = drive, [0.1, 0.5, 0.3, 0.7]
    synapses = Synapses(group, group, "w : 1", on_pre="v_post += w", delay=1 * ms, name="synapses")
    synapses.connect(condition="i != j")
    synapses.w = weights
    spikes = SpikeMonitor(group, name="spikes")
    states = StateMonitor(group, "v", record=[0, 2], name="states")
    return Network(group, synapses, spikes, states), {"tau": 8 * ms}


WEIGHTS, DRIVE = np.linspace(-0.1, 0.15, 12), np.array([1.1, 1.3, 1.6, 1.9])


def test_worked_filter():
    with jax.enable_x64(True):
        trace = filtered(np.array([[1.0], [0.0], [1.0]]), 0.5)
    np.testing.assert_allclose(trace[:, 0], [1, 0.5, 1.25], rtol=1e-15)


def test_a_recorded_spike_belongs_to_the_step_that_it_falls_into():
    network, names = network_of(WEIGHTS, DRIVE)
    plan = nc.from_brian(network, namespace=names).plan
    trains = [[0.0, 0.17e-3], [0.3e-3], [0.39e-3, 0.301e-3], [3 * 0.1e-3]]
    counts = targets_of(plan, 5, trains, {}, 0.9).spikes["spikes"]
    np.testing.assert_array_equal(
        counts,
        [[1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 2, 1], [0, 0, 0, 0]],
    )


def test_drives_from_spikes_go_back_to_brian():
    """A student with other drives finds those of the teacher to within a few per cent."""
    teacher, names = network_of(WEIGHTS, DRIVE)
    trains = nc.from_brian(teacher, namespace=names).run("60 ms").segments[0].spiketrains
    brian2.start_scope()
    student, names = network_of(WEIGHTS, DRIVE * [1.2, 0.9, 1.1, 0.85])
    network = nc.from_brian(student, namespace=names)
    found = network.fit(
        "60 ms",
        free=["neurons.I"],
        spikes=trains,
        surrogate=Surrogate("superspike", slope=10.0),
        updates=60,
        intervals={"neurons.I": (0.5, 1.95)},
    )
    assert len(found.losses) == 61
    assert found.loss < 0.25 * found.losses[0]
    np.testing.assert_allclose(found.values["neurons.I"], DRIVE, rtol=0.05)
    assert found.values["neurons.I"].max() <= 1.95
    expected = network.run("60 ms", values=found.values).segments[0].spiketrains
    network.write_back(found.values)
    student.run(60 * ms, namespace=names)
    (spikes,) = [each for each in student.objects if isinstance(each, SpikeMonitor)]
    for i, train in enumerate(expected):
        np.testing.assert_array_equal(train.magnitude, spikes.t_[spikes.i == i])


def test_constants_from_signals():
    """Without spikes the loss is smooth, and the values are those of the teacher."""
    teacher, names = network_of(WEIGHTS, DRIVE * 0.5)
    signal = nc.from_brian(teacher, namespace=names).run("20 ms").segments[0].analogsignals[0]
    network = nc.from_brian(teacher, namespace={"tau": 12 * ms})
    found = network.fit(
        "20 ms", free=["neurons.tau"], signals={"neurons.v": signal}, updates=150, rate=0.01
    )
    assert found.values["neurons.tau"] == pytest.approx(8e-3, rel=1e-3)
    assert found.loss < 1e-6


def test_refused_targets():
    teacher, names = network_of(WEIGHTS, DRIVE)
    network = nc.from_brian(teacher, namespace=names)
    ask = [
        ({}, "Expected spikes or signals"),
        ({"spikes": [[0.001]] * 3}, "records 4 neurons, not 3"),
        ({"spikes": [[0.001]] * 4}, "needs a surrogate"),
        ({"spikes": [[0.1]] * 4}, "outside the time of the fit"),
        ({"spikes": [[]] * 4}, "hold no spikes"),
        ({"spikes": {"states": []}}, "'states' is not a monitor of spikes"),
        ({"signals": {"neurons.I": np.ones(50)}}, "No StateMonitor of the network records"),
        (
            {"signals": {"neurons.v": np.ones((7, 2))}},
            r"has the shape \(7, 2\), expected \(50, 2\)",
        ),
    ]
    for given, message in ask:
        with pytest.raises(FitError, match=message):
            network.fit("5 ms", free=["neurons.I"], **given)
