"""Networks of neurons run as in Brian2: every spike, and states within 1e-12 of their size."""

from __future__ import annotations

import brian2
import numpy as np
import pytest
from brian2 import Network, NeuronGroup, SpikeMonitor, StateMonitor, Synapses, ms, mV

import neurocode as nc

LEAKY = "dv/dt = (I - v)/tau : 1 (unless refractory)\nI : 1\nref : second"


def leaky(refractory: object, method: str = "exact") -> NeuronGroup:
    group = NeuronGroup(
        6, LEAKY, threshold="v > 1", reset="v = 0", refractory=refractory, method=method
    )
    group.I = np.linspace(0.9, 3, 6)
    group.ref = np.linspace(0, 6, 6) * ms
    return group


def watched(*objects: object, record: object = True) -> Network:
    """A network with monitors of spikes and ``v`` of its first group."""
    group = objects[0]
    states = StateMonitor(group, "v", record=record)
    return Network(*objects, SpikeMonitor(group), states)


@pytest.mark.parametrize("refractory", [3 * ms, "ref", "v > 0.8", False])
def test_refractory_forms(beside_brian, refractory):
    group = leaky(refractory)
    group.v = np.linspace(0, 0.5, 6)
    block = beside_brian(watched(group), 60 * ms, tau=10 * ms)
    trains = block.segments[0].spiketrains
    assert len(trains) == 6
    assert len(trains[5]) > 5
    assert trains[5].annotations["neuron"] == 5


def test_conditional_writes_delays_and_inhibition(beside_brian):
    """``on_pre`` does not reach refractory neurons; older spikes come first."""
    group = leaky(4 * ms)
    synapses = Synapses(group, group, "w : 1", on_pre="v_post += w")
    synapses.connect(condition="i != j")
    synapses.w = np.random.default_rng(0).normal(0.05, 0.2, len(synapses))
    synapses.delay = np.random.default_rng(1).integers(0, 30, len(synapses)) * 0.1 * ms
    block = beside_brian(watched(group, synapses), 100 * ms, tau=10 * ms)
    assert sum(map(len, block.segments[0].spiketrains)) > 40


def test_plasticity_with_event_driven_traces(beside_brian):
    group = leaky(2 * ms, "euler")
    synapses = Synapses(
        group,
        group,
        """w : 1
        dApre/dt = -Apre/taupre : 1 (event-driven)
        dApost/dt = -Apost/taupost : 1 (event-driven)""",
        on_pre="""v_post += w
        Apre += 0.02
        w = clip(w + Apost, 0, 0.3)""",
        on_post="""Apost -= 0.021
        w = clip(w + Apre, 0, 0.3)""",
    )
    synapses.connect(p=0.6)
    synapses.w = 0.1
    synapses.pre.delay = np.linspace(0, 2, len(synapses)) * ms
    synapses.post.delay = 1 * ms
    weights = StateMonitor(synapses, ["w", "Apre", "lastupdate"], record=True)
    names = {"tau": 10 * ms, "taupre": 20 * ms, "taupost": 30 * ms}
    beside_brian(Network(*watched(group, synapses).objects, weights), 150 * ms, **names)
    assert np.ptp(synapses.w[:]) > 0.05


def test_results_that_depend_on_the_order_of_synapses(beside_brian):
    """Compiled targets go from synapse to synapse; so does NumPy where it cannot do without."""
    group = leaky(False)
    synapses = Synapses(group, group, "w : 1", on_pre="v_post = clip(v_post*0.9 + w, 0, 1.2)")
    synapses.connect()
    synapses.w = np.random.default_rng(0).normal(0.1, 0.2, len(synapses))
    beside_brian(watched(group, synapses), 60 * ms, tau=10 * ms)


def test_scaled_and_shared_targets(beside_brian):
    group = NeuronGroup(
        5,
        "dv/dt = (I - v)/tau : 1\nI : 1\nn : integer\nlast : second",
        threshold="v > 1",
        reset="v = 0",
        method="exact",
    )
    group.I = np.linspace(1.1, 3, 5)
    synapses = Synapses(group, group, on_pre="v_post *= 0.98\nn_post += 1\nlast_post = t")
    synapses.connect(condition="(i + j) % 2 == 1")
    states = StateMonitor(group, ["n", "last"], record=[1, 3])
    beside_brian(Network(*watched(group, synapses).objects, states), 80 * ms, tau=10 * ms)
    assert group.n[1] > 5


def test_two_names_of_one_variable():
    """Each synapse reads its variables before it writes them, and sees what others have written.

    NumPy goes from statement to statement instead; this is the order of Brian2's compiled code.
    """
    generator = brian2.SpikeGeneratorGroup(2, [0, 1], [0, 0] * ms)
    group = NeuronGroup(1, "x : 1\ny : 1")
    synapses = Synapses(
        generator, group, "seen : 1", on_pre="x += 1 + i\nseen = x_post\ny += x_post"
    )
    synapses.connect()
    states = [StateMonitor(group, ["x", "y"], record=True), StateMonitor(synapses, "seen", True)]
    block = nc.from_brian(Network(generator, group, synapses, *states)).run("0.2 ms")
    values = {
        each.name.split(".")[1]: each.magnitude[1] for each in block.segments[0].analogsignals
    }
    assert values["x"] == [3]
    assert list(values["seen"]) == [0, 1]
    assert values["y"] == [0 + 1]


def test_summed_variables_and_gap_junctions(beside_brian):
    group = NeuronGroup(
        6,
        "dv/dt = (I - v + Igap + Is)/tau : 1\nI : 1\nIgap : 1\nIs : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    group.I = np.linspace(0.8, 2, 6)
    gaps = Synapses(group, group, "w : 1\nIgap_post = w*(v_pre - v_post) : 1 (summed)")
    gaps.connect(condition="abs(i - j) == 1")
    gaps.w = 0.2
    slow = Synapses(
        group,
        group[2:5],
        "ds/dt = -s/(5*ms) : 1 (clock-driven)\nIs_post = 0.1*s : 1 (summed)",
        on_pre="s += 1",
        method="exact",
    )
    slow.connect(p=0.7)
    states = StateMonitor(group, ["Igap", "Is"], record=True)
    beside_brian(Network(*watched(group, gaps, slow).objects, states), 80 * ms, tau=10 * ms)


def test_subgroups(beside_brian):
    group = leaky(2 * ms)
    first, second_half = group[:3], group[2:]
    synapses = Synapses(first, second_half, "w : 1", on_pre="v_post += w", delay=0.5 * ms)
    synapses.connect()
    synapses.w = "0.05*(i + 1) + 0.02*j"
    back = Synapses(second_half, first, on_pre="v_post -= 0.05")
    back.connect(condition="i == j")
    net = Network(
        group,
        synapses,
        back,
        SpikeMonitor(second_half),
        SpikeMonitor(group[4:5]),
        StateMonitor(second_half, ["v", "I"], record=[0, 2]),
        brian2.PopulationRateMonitor(first),
    )
    block = beside_brian(net, 60 * ms, tau=10 * ms)
    assert len(block.segments[0].spiketrains) == 5


def test_linked_variables(beside_brian):
    source = NeuronGroup(3, "dx/dt = -x/(20*ms) : 1", method="exact")
    source.x = [1, 2, 3]
    group = NeuronGroup(
        6,
        "dv/dt = (2*x - v)/tau : 1\nx : 1 (linked)",
        threshold="v > 1",
        reset="v = 0",
        method="exact",
    )
    group.x = brian2.linked_var(source, "x", index=np.array([0, 0, 1, 1, 2, 2]))
    states = StateMonitor(group, "x", record=True)
    beside_brian(Network(*watched(group, source).objects, states), 40 * ms, tau=10 * ms)


def test_kinds_of_variables(beside_brian):
    """Shared, whole and truth values, and a subexpression that is constant over a step."""
    group = NeuronGroup(
        4,
        """dv/dt = (drive - v)/tau : 1
        drive = gain*(1 + on*0.5) + int(i > 1)*0.2*k + whole*0.1 : 1 (constant over dt)
        gain : 1 (shared)
        k : integer (constant)
        on : boolean
        whole = (i + k) // 2 % 3 : integer""",
        threshold="v > 1 and not on or v > 1.4",
        reset="v = -0.1*(i % 2)\non = not on",
        method="exact",
    )
    group.gain = 1.3
    group.k = [0, 3, 5, 7]
    group.on = [True, False, True, False]
    group.run_regularly("gain = clip(gain + 0.01, 0, 2)", dt=1 * ms)
    states = StateMonitor(group, ["drive", "on", "whole", "gain"], record=True, dt=0.5 * ms)
    beside_brian(Network(*watched(group).objects, states), 50 * ms, tau=10 * ms)


def test_membrane_in_volts_with_a_window_of_second_runs(beside_brian):
    """Later runs start from pending spikes and from the time that has been reached."""
    group = NeuronGroup(
        3,
        "dv/dt = (-60*mV - v + I)/tau : volt (unless refractory)\nI : volt",
        threshold="v > -50*mV",
        reset="v = -65*mV",
        refractory=2 * ms,
        method="exponential_euler",
    )
    group.v, group.I = -60 * mV, [12, 15, 25] * mV
    synapses = Synapses(group, group, on_pre="v += 2*mV")
    synapses.connect()
    synapses.delay = np.linspace(0, 8, 9) * ms
    net = watched(group, synapses)
    for _ in range(3):
        beside_brian(net, 22 * ms, tau=10 * ms)
    assert net.t == 66 * ms
    assert len(next(each for each in net.objects if isinstance(each, SpikeMonitor)).t) > 8
