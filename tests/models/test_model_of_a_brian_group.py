"""A group of Brian2 read as a model gives the spikes that Brian2 gives."""

from __future__ import annotations

import brian2
import neo
import numpy as np
import pytest
import quantities as pq
from brian2 import NeuronGroup, SpikeMonitor, TimedArray, ms, mV, nA, nS, pA, pF, second

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.models import EscapeNoise, Parameter

EQUATIONS = """
dv/dt = (g*(E - v) - w + I)/C : volt (unless refractory)
dw/dt = (a*(v - E) - w)/tau : amp
I : amp
a : siemens (constant)
"""


@pytest.fixture(autouse=True)
def a_scope_of_its_own() -> None:
    brian2.start_scope()


def adapting(n: int = 3, current: str = "I : amp", **changes: object) -> NeuronGroup:
    settings = {
        "threshold": "v > V_T",
        "reset": "v = -60*mV\nw += b",
        "refractory": 2 * ms,
        "method": "euler",
        "name": "cells",
        "namespace": {
            "g": 10 * nS,
            "E": -70 * mV,
            "C": 150 * pF,
            "tau": 80 * ms,
            "V_T": -50 * mV,
            "b": 40 * pA,
        },
    }
    group = NeuronGroup(n, EQUATIONS.replace("I : amp", current), **{**settings, **changes})
    group.a = np.linspace(1, 3, n) * nS
    group.v = -65 * mV
    return group


def test_spikes_are_those_of_brian() -> None:
    steps = np.array([0.0, 0.35, 0.5, 0.2]) * nA
    drive = TimedArray(steps, dt=50 * ms)
    group = adapting(current="I = drive(t) : amp")
    spikes = SpikeMonitor(group)
    model = nc.NeuronModel.from_brian(group, input="I")
    assert model.name == "cells" and model.integrator == "euler"
    brian2.prefs.codegen.target = "numpy"
    network = brian2.Network(group, spikes)
    network.run(200 * ms, namespace={"drive": drive})
    signal = neo.AnalogSignal(
        np.repeat(np.asarray(steps / nA), 500)[:, None] * pq.nA, sampling_rate=10 * pq.kHz
    )
    block = nc.simulate(model, signal, trials=3, seed=0)
    for neuron, segment in enumerate(block.segments):
        ours = segment.spiketrains[0].rescale("s").magnitude
        brian = np.asarray(spikes.spike_trains()[neuron] / second)
        assert len(brian) >= 4
        np.testing.assert_allclose(ours, brian, atol=1e-9)


def test_parameters_have_units_bounds_and_values() -> None:
    model = nc.NeuronModel.from_brian(adapting(), input="I")
    found = {name: (p.value, p.unit) for name, p in model.parameters.items() if name != "a"}
    assert found == {
        "g": (10.0, "nS"),
        "E": (-70.0, "mV"),
        "C": (150.0, "pF"),
        "tau": (80.0, "ms"),
        "V_T": (-50.0, "mV"),
        "b": (pytest.approx(40.0), "pA"),
        "t_ref": (2.0, "ms"),
        "v_0": (-65.0, "mV"),
    }
    np.testing.assert_allclose(model.parameters["a"].value, [1, 2, 3])
    bounds = {name: p.bounds[0] for name, p in model.parameters.items()}
    assert [name for name, low in bounds.items() if low == 0] == ["a", "C", "g", "tau", "t_ref"]
    assert {"t_ref", "v_0"} & set(model.free) == set()
    assert {"g", "E", "C", "tau", "V_T", "b", "a"} == set(model.free)


def test_a_sharp_threshold_becomes_an_escape_rate() -> None:
    noise = EscapeNoise("exponential", scale="Delta_V", rate="lambda_0")
    more = {"Delta_V": Parameter(2.0, "mV"), "lambda_0": Parameter(1000.0, "Hz", fixed=True)}
    model = nc.NeuronModel.from_brian(adapting(1), input="I", noise=noise, parameters=more)
    assert model.margin == "v - V_T" and "Delta_V" in model.free
    signal = neo.AnalogSignal(np.full((10_000, 1), 300.0) * pq.pA, sampling_rate=10 * pq.kHz)
    assert len(nc.simulate(model, signal, seed=1, engine="jax").segments[0].spiketrains[0]) > 3


def test_constants_come_from_where_it_is_called_and_the_method_from_brian() -> None:
    tau, V = 5 * ms, 20 * mV
    group = NeuronGroup(1, "dv/dt = (V - v)/tau : volt", threshold="15*mV < v", reset="v = 0*mV")
    model = nc.NeuronModel.from_brian(group)
    assert model.margin == "v - 15 * mV" and model.integrator == "exact"
    assert float(model.parameters["V"].si) == 0.02 and model.refractory is None
    first = nc.simulate(model, duration="20 ms", seed=0).segments[0].spiketrains[0][0]
    # the step that begins before 5 ms log(20/5) = 6.93 ms ends after it
    assert float(first.rescale("ms")) == pytest.approx(6.9)
    assert (tau, V) == (5 * ms, 20 * mV)
    other = NeuronGroup(1, "dv/dt = (V - v**3/volt**2)/tau : volt", threshold="v > V", reset="")
    assert nc.NeuronModel.from_brian(other).integrator == "euler"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"threshold": "v > V_T and w < b"}, "does not compare a potential with a threshold"),
        ({"refractory": "v > V_T"}, "'v > V_T' is not a duration"),
        ({"events": {"near": "v > V_T"}}, "has events besides spikes"),
        ({"threshold": None, "reset": None, "refractory": False}, "'cells' has no threshold"),
    ],
)
def test_what_a_model_cannot_say_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        nc.NeuronModel.from_brian(adapting(**changes), input="I")


def test_wrong_names_are_refused() -> None:
    with pytest.raises(ModelError, match=r"no variable 'J' for its input.*define v, w, I, a"):
        nc.NeuronModel.from_brian(adapting(), input="J")
    with pytest.raises(ModelError, match="'v' has an equation of its own"):
        nc.NeuronModel.from_brian(adapting(), input="v")
    with pytest.raises(ModelError, match="uses 'C', of which no value is known"):
        nc.NeuronModel.from_brian(adapting(namespace={}), input="I", namespace={"g": 1 * nS})
    with pytest.raises(ModelError, match="Expected a NeuronGroup of Brian2, not dict"):
        nc.NeuronModel.from_brian({})
    drive = TimedArray([1.0] * pA, dt=1 * ms)
    with pytest.raises(
        ModelError, match=r"'drive' is TimedArray.*name the variable that it drives"
    ):
        nc.NeuronModel.from_brian(
            adapting(current="I = drive(t) : amp"), namespace={"drive": drive}
        )
    whole = NeuronGroup(1, "dv/dt = -v/second : 1\nk : integer", threshold="v > 1", reset="")
    with pytest.raises(ModelError, match="'k' is integer, which is not covered"):
        nc.NeuronModel.from_brian(whole)
