"""Clocks that differ, spikes on their way, pathways without synapses, and flags."""

from __future__ import annotations

import brian2
import jax
import numpy as np
import pytest
from brian2 import Hz, Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms

import neurocode as nc
from neurocode.errors import ModelError


@pytest.mark.parametrize("slow", [None, 0.2 * ms])
def test_synapses_on_a_slower_clock_than_their_neurons(beside_brian, slow):
    """After its tick a clock of Brian2 shows the time of its next one, which event-driven
    equations read."""
    group = NeuronGroup(
        2,
        "dv/dt = (600 + 200*i)*Hz : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
        dt=0.05 * ms,
    )
    synapses = Synapses(
        group,
        group,
        "w : 1\ndx/dt = -x/(1*ms) : 1 (event-driven)",
        on_pre="x += 1\nw += x",
        **({} if slow is None else {"dt": slow}),
    )
    synapses.connect("i != j")
    weights = StateMonitor(synapses, ["w", "x", "lastupdate"], record=True)
    block = beside_brian(Network(group, synapses, SpikeMonitor(group), weights), 20 * ms, Hz=Hz)
    assert sum(map(len, block.segments[0].spiketrains)) > 20


def test_a_spike_on_its_way_and_a_new_one_reach_a_synapse_in_one_step():
    source = brian2.SpikeGeneratorGroup(1, [0, 0], [0, 0.5] * ms)
    group = NeuronGroup(1, "g : 1", name="target")
    synapses = Synapses(source, group, on_pre="g += 1", delay=0.9 * ms)
    synapses.connect()
    network = Network(source, group, synapses)
    network.run(0.3 * ms)
    synapses.delay = 0.4 * ms
    read = nc.from_brian(network)
    with jax.enable_x64(True):
        assert float(read.function("2 ms")({}).final["target.g"][0]) == 2.0
    network.run(2 * ms)
    assert group.g[0] == 2.0


def test_delays_are_not_values():
    """They are read before the run, so that another value would leave spikes where they are."""
    source = brian2.SpikeGeneratorGroup(1, [0], [0] * ms)
    group = NeuronGroup(1, "g : 1", name="target")
    synapses = Synapses(source, group, on_pre="g += delay/ms", name="synapses")
    synapses.connect()
    synapses.delay = 0.3 * ms
    read = nc.from_brian(Network(source, group, synapses))
    assert not any("delay" in name for name in read.values())
    with pytest.raises(ModelError, match="is not a value of the network"):
        read.run("1 ms", values={"synapses._pre_delay": np.array([0.6e-3])})


def test_a_pathway_without_synapses_and_flags_that_a_reset_sets(beside_brian):
    group = NeuronGroup(
        3,
        "dv/dt = (1.5 - v)/(5*ms) : 1\nodd : boolean",
        threshold="v > 1",
        reset="v = 0\nodd = not odd",
        method="exact",
        name="neurons",
    )
    group.v = [0, 0.3, 0.6]
    synapses = Synapses(group, group, on_pre="v_post += 0.1")
    synapses.connect("False")
    flags = StateMonitor(group, ["odd", "v"], record=True)
    network = Network(group, synapses, SpikeMonitor(group), flags)
    read = nc.from_brian(network)
    with jax.enable_x64(True):
        final = read.function("30 ms")({}).final
    beside_brian(network, 30 * ms)
    np.testing.assert_array_equal(np.asarray(final["neurons.odd"]), group.odd[:])
    np.testing.assert_allclose(np.asarray(final["neurons.v"]), group.v[:], rtol=1e-12)
