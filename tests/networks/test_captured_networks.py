"""Reading a network changes nothing in it, and what is not covered is refused by name."""

from __future__ import annotations

import brian2
import jax.numpy as jnp
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeGeneratorGroup, SpikeMonitor, Synapses, ms, mV

import neurocode as nc
from neurocode.errors import DataError, ModelError


def noisy_network() -> Network:
    group = NeuronGroup(
        20,
        "dv/dt = (1.2 - v)/(10*ms) + 0.3*xi*(10*ms)**-0.5 : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    generator = SpikeGeneratorGroup(20, np.arange(20), np.arange(20) * ms)
    synapses = Synapses(generator, group, on_pre="v += 0.2*rand()", delay=1 * ms)
    synapses.connect(j="i")
    return Network(group, generator, synapses, SpikeMonitor(group))


def attributes(net: Network) -> dict[str, dict[str, int]]:
    """Identities of all attributes of all objects, and of their code objects."""
    return {
        each.name: {**{k: id(v) for k, v in vars(each).items()}, "codes": len(each._code_objects)}
        for each in net.sorted_objects
    }


def test_reading_changes_nothing():
    brian2.seed(5)
    net = noisy_network()
    net.run(7 * ms)
    net.store()
    net.run(20 * ms)
    expected = np.array(spikes_of(net).t)
    net.restore(restore_random_state=True)
    state, before = np.random.get_state()[1].copy(), attributes(net)
    arrays = {k: v for k, v in net.get_states(units=False).items()}
    queues = [e.queue._full_state() for e in net.sorted_objects if hasattr(e, "queue")]
    network = nc.from_brian(net)
    network.run("5 ms")
    assert attributes(net) == before
    np.testing.assert_equal(net.get_states(units=False), arrays)
    assert queues == [e.queue._full_state() for e in net.sorted_objects if hasattr(e, "queue")]
    assert np.array_equal(np.random.get_state()[1], state)
    assert brian2.prefs.codegen.target == "numpy"
    net.run(20 * ms)
    np.testing.assert_array_equal(np.array(spikes_of(net).t), expected)


def spikes_of(net: Network) -> SpikeMonitor:
    return next(each for each in net.objects if isinstance(each, SpikeMonitor))


def test_everything_in_scope():
    """Without a network it is what ``run`` would run, with the variables of the caller."""
    tau = 10 * ms
    group = NeuronGroup(1, "dv/dt = (2 - v)/tau : 1", threshold="v > 1", reset="v = 0")
    spikes = SpikeMonitor(group)
    block = nc.from_brian().run(50 * ms)
    brian2.run(50 * ms)
    np.testing.assert_array_equal(block.segments[0].spiketrains[0].magnitude, spikes.t_)
    later = nc.from_brian().run(0.05)
    assert float(later.segments[0].spiketrains[0].t_start) == pytest.approx(0.05)
    brian2.run(50 * ms)
    np.testing.assert_array_equal(
        later.segments[0].spiketrains[0].magnitude, spikes.t_[spikes.t_ >= 0.05]
    )
    other = NeuronGroup(1, "x : 1")
    with pytest.raises(ModelError, match="have been run and others have not"):
        nc.from_brian()
    assert (tau, len(other)) == (10 * ms, 1)


def test_functions_of_the_user():
    @brian2.check_units(x=1, result=1)
    def squash(x):
        return x / (1 + np.abs(x))

    group = NeuronGroup(3, "dv/dt = (squash(4*v + 2) - v)/(10*ms) : 1", method="euler")
    group.v = [0, 0.5, -1]
    states = brian2.StateMonitor(group, "v", record=True)
    net = Network(group, states)
    with pytest.raises(ModelError, match="calls the function 'squash', which has no JAX version"):
        nc.from_brian(net)
    nc.jax_function(squash, lambda x: x / (1 + jnp.abs(x)))
    block = nc.from_brian(net).run("10 ms")
    net.run(10 * ms)
    ours = block.segments[0].analogsignals[0].magnitude
    np.testing.assert_allclose(ours, states.v_.T, rtol=1e-12)


def spatial() -> list[object]:
    return [brian2.SpatialNeuron(brian2.Soma(10 * brian2.um), "Im = 0*amp/meter**2 : amp/meter**2")]


def operation() -> list[object]:
    @brian2.network_operation
    def look():
        brian2.stop()

    return [NeuronGroup(1, "v : 1"), look]


def gsl() -> list[object]:
    return [NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", method="gsl_rkf45")]


def clocks() -> list[object]:
    return [NeuronGroup(1, "v : 1", dt=0.2 * ms), NeuronGroup(1, "w : 1", dt=0.3 * ms)]


def unconnected() -> list[object]:
    group = NeuronGroup(1, "v : 1", threshold="v > 1", reset="")
    return [group, Synapses(group, group, on_pre="v += 1")]


def single_precision() -> list[object]:
    return [NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", dtype=np.float32, method="euler")]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (spatial, "is a SpatialNeuron, only point neurons"),
        (operation, "runs Python code in every step"),
        (gsl, r"is integrated by GSL \(gsl_rkf45\)"),
        (clocks, "has a step of 0.0003 s, which is not a whole multiple of 0.0002 s"),
        (unconnected, "has no synapses: call its connect"),
        (single_precision, "is kept in float32"),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ModelError, match=message):
        nc.from_brian(Network(*make()))


def test_refused_devices_and_arguments():
    with pytest.raises(ModelError, match="Expected a Network of Brian2, not NeuronGroup"):
        nc.from_brian(NeuronGroup(1, "v : 1"))
    network = nc.from_brian(Network(NeuronGroup(1, "dv/dt = -v/(3*ms) : 1", method="exact")))
    with pytest.raises(DataError, match="The duration"):
        network.run("5 mV")
    with pytest.raises(ModelError, match=r"'neurons\.x' is not a value of the network"):
        network.values(["neurons.x"])
    brian2.set_device("cpp_standalone", build_on_run=False)
    try:
        with pytest.raises(ModelError, match="standalone device"):
            nc.from_brian(Network(NeuronGroup(1, "v : 1")))
    finally:
        brian2.device.reinit()
        brian2.set_device("runtime")


def test_values_go_back_to_brian():
    """With other weights, constants and inputs written back, Brian2 fires the spikes of JAX."""
    tau = 10 * ms
    group = NeuronGroup(
        5,
        "dv/dt = (-70*mV - v + I)/tau : volt\nI : volt",
        threshold="v > -50*mV",
        reset="v = -65*mV",
        method="exact",
        name="neurons",
    )
    group.v, group.I = -60 * mV, np.linspace(22, 30, 5) * mV
    synapses = Synapses(group, group, "w : volt", on_pre="v += w", delay=1 * ms, name="synapses")
    synapses.connect(condition="i != j")
    synapses.w = 1 * mV
    spikes = SpikeMonitor(group)
    net = Network(group, synapses, spikes)
    network = nc.from_brian(net)
    values = network.values(["synapses.w", "neurons.tau", "neurons.I"])
    assert values["neurons.tau"] == 0.01
    before = network.run("100 ms").segments[0].spiketrains
    values["synapses.w"] = values["synapses.w"] * np.linspace(-1, 2, 20)
    values["neurons.tau"] = np.array(0.007)
    values["neurons.I"] = values["neurons.I"] + 1e-3
    trains = network.run("100 ms", values=values).segments[0].spiketrains
    assert [len(t) for t in trains] != [len(t) for t in before]
    network.write_back(values)
    net.run(100 * ms)
    for i, train in enumerate(trains):
        np.testing.assert_array_equal(train.magnitude, spikes.t_[spikes.i == i])
    with pytest.raises(ModelError, match=r"'neurons.I' has the shape \(\), expected \(5,\)"):
        network.write_back({"neurons.I": 0.0})
    assert tau == 10 * ms
