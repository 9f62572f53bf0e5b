"""Inputs, events and clocks run as in Brian2."""

from __future__ import annotations

import brian2
import numpy as np
from brian2 import (
    EventMonitor,
    Hz,
    Network,
    NeuronGroup,
    SpikeGeneratorGroup,
    SpikeMonitor,
    StateMonitor,
    Synapses,
    TimedArray,
    ms,
)


def test_generated_spikes_that_repeat(beside_brian):
    generator = SpikeGeneratorGroup(
        4, [0, 1, 2, 3, 0, 2], [0, 1, 1, 3, 4.2, 6.9] * ms, period=7 * ms
    )
    once = SpikeGeneratorGroup(2, [0, 1, 0], [0.3, 2, 12] * ms)
    group = NeuronGroup(3, "dv/dt = -v/(5*ms) : 1", threshold="v > 1", reset="v = 0")
    synapses = Synapses(generator, group, "w : 1", on_pre="v += w", delay=1 * ms)
    synapses.connect()
    synapses.w = np.linspace(0.1, 0.9, 12)
    other = Synapses(once, group, on_pre="v += 0.4")
    other.connect()
    net = Network(
        generator,
        once,
        group,
        synapses,
        other,
        SpikeMonitor(generator),
        SpikeMonitor(once),
        SpikeMonitor(group, variables="v"),
        StateMonitor(group, "v", record=True),
    )
    beside_brian(net, 10 * ms)
    beside_brian(net, 20 * ms)


def test_timed_arrays(beside_brian):
    rng = np.random.default_rng(0)
    drive, table = TimedArray(rng.random(20) * 3, dt=1.3 * ms), rng.random((10, 3)) * 2
    columns = TimedArray(table, dt=0.1 * ms)
    group = NeuronGroup(
        5,
        "dv/dt = (drive(t) + columns(t, i % 3) - v)/(5*ms) : 1",
        threshold="v > 1",
        reset="v = 0",
        method="euler",
    )
    net = Network(group, SpikeMonitor(group), StateMonitor(group, "v", record=True))
    block = beside_brian(net, 40 * ms, drive=drive, columns=columns)
    assert len(block.segments[0].spiketrains[0]) > 3


def test_custom_events_and_variables_at_spikes(beside_brian):
    group = NeuronGroup(
        4,
        "dv/dt = (2 - v)/(10*ms) : 1\nn : 1\nseen : second",
        threshold="v > 1.4",
        reset="v = 0.1*n",
        events={"halfway": "v > 0.7 and n < 3"},
        method="exact",
    )
    group.v = np.linspace(0, 1, 4)
    group.run_on_event("halfway", "n += 1\nseen = t")
    target = NeuronGroup(4, "x : 1")
    synapses = Synapses(
        group,
        target,
        on_pre={"half": "x_post += n_pre", "full": "x_post -= 1"},
        on_event={"half": "halfway", "full": "spike"},
    )
    synapses.connect("i == j")
    synapses.full.delay = 2 * ms
    net = Network(
        group,
        target,
        synapses,
        SpikeMonitor(group, ["v", "n"]),
        SpikeMonitor(group, record=False),
        EventMonitor(group, "halfway", "v"),
        StateMonitor(target, "x", record=True),
    )
    block = beside_brian(net, 50 * ms)
    assert len(block.segments[0].spiketrains) == 12


def test_clocks_that_are_whole_multiples(beside_brian):
    fast = NeuronGroup(
        3,
        "dv/dt = (1.5 - v)/(5*ms) : 1",
        threshold="v > 1",
        reset="v = 0",
        dt=0.05 * ms,
        method="exact",
    )
    fast.v = [0, 0.3, 0.6]
    slow = NeuronGroup(
        2,
        "dx/dt = -x/(20*ms) : 1\ny : 1",
        threshold="x > 1",
        reset="x = 0",
        dt=0.2 * ms,
        method="exact",
    )
    synapses = Synapses(fast, slow, on_pre="x_post += 0.3", delay=0.35 * ms)
    synapses.connect()
    back = Synapses(slow, fast, on_pre="v_post -= 0.1", delay=0.4 * ms)
    back.connect()
    slow.run_regularly("y = x + t/second", dt=1 * ms, when="end")
    net = Network(
        fast,
        slow,
        synapses,
        back,
        SpikeMonitor(fast),
        SpikeMonitor(slow),
        StateMonitor(slow, ["x", "y"], record=True),
        StateMonitor(fast, "v", record=True, dt=0.3 * ms),
        brian2.PopulationRateMonitor(slow),
    )
    beside_brian(net, 10.1 * ms)
    beside_brian(net, 21.25 * ms)


def test_synapses_on_synapses_and_several_pathways(beside_brian):
    generator = SpikeGeneratorGroup(3, np.arange(30) % 3, np.arange(30) * 0.7 * ms)
    group = NeuronGroup(2, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0")
    synapses = Synapses(
        generator,
        group,
        "w : 1\nplastic : 1",
        on_pre={"deliver": "v_post += w", "grow": "w = clip(w + plastic, 0, 1)"},
    )
    synapses.connect()
    synapses.w, synapses.plastic = 0.2, 0.01
    synapses.grow.order = 2
    modulating = Synapses(generator, synapses, on_pre="plastic_post *= 1.1", delay=1 * ms)
    modulating.connect("i == j % 3")
    net = Network(
        generator,
        group,
        synapses,
        modulating,
        SpikeMonitor(group),
        StateMonitor(synapses, ["w", "plastic"], record=[0, 3, 5]),
    )
    beside_brian(net, 30 * ms)


def test_sums_over_synapses_of_synapses(beside_brian):
    group = NeuronGroup(
        3, "dv/dt = (1.5 - v)/(5*ms) : 1", threshold="v > 1", reset="v = 0", method="exact"
    )
    group.v = [0, 0.3, 0.6]
    synapses = Synapses(group, group, "w : 1\ntotal : 1", on_pre="v_post += 0.01*total")
    synapses.connect(condition="i != j")
    synapses.w = np.linspace(0.1, 0.6, 6)
    glia = NeuronGroup(2, "dy/dt = -y/(10*ms) : 1", method="exact")
    glia.y = [1, 2]
    near = Synapses(glia, synapses, "total_post = y_pre*w_post : 1 (summed)")
    near.connect(condition="(i + j) % 2 == 0")
    net = Network(
        group,
        synapses,
        glia,
        near,
        SpikeMonitor(group),
        StateMonitor(synapses, "total", record=True),
        StateMonitor(group, "v", record=True),
    )
    beside_brian(net, 20 * ms)


def test_many_targets_take_several_passes(beside_brian):
    """Rows longer than one pass, and synapses that are changed by hand in every millisecond."""
    generator = SpikeGeneratorGroup(2, [0, 1, 1, 0], [1, 1, 2, 3] * ms)
    group = NeuronGroup(700, "dv/dt = -v/(10*ms) : 1", threshold="v > 1", reset="v = 0")
    synapses = Synapses(generator, group, "w : 1", on_pre="v += w")
    synapses.connect()
    synapses.w = np.random.default_rng(0).random(1400)
    synapses.run_regularly("w *= 1.01", dt=1 * ms)
    net = Network(generator, group, synapses, SpikeMonitor(group))
    block = beside_brian(net, 5 * ms)
    assert sum(map(len, block.segments[0].spiketrains)) > 500


def test_poisson_sources_have_their_rates():
    """Numbers are not Brian2's, but their distribution is: counts within four standard errors."""
    import neurocode as nc

    group = brian2.PoissonGroup(200, rates="(20 + 0.2*i)*Hz")
    target = NeuronGroup(100, "dv/dt = -v/(10*ms) : 1\nn : 1")
    few = brian2.PoissonInput(target, "v", 5, 50 * Hz, weight=0.1)
    many = brian2.PoissonInput(target, "n", 1000, 100 * Hz, weight=1)
    spikes, states = SpikeMonitor(group), StateMonitor(target, ["v", "n"], record=True)
    network = nc.from_brian(Network(group, target, few, many, spikes, states))
    segment = network.run("1 s", seed=3).segments[0]
    total = sum(map(len, segment.spiketrains))
    assert abs(total - 200 * 39.9) < 4 * np.sqrt(200 * 39.9)
    signals = {each.name: each.magnitude for each in segment.analogsignals}
    v = signals[f"{target.name}.v"][3000:]
    assert abs(v.mean() / (5 * 50 * 0.1 * 0.01) - 1) < 0.02
    assert abs(v.var() / (5 * 50 * 0.1**2 * 0.01 / 2) - 1) < 0.06
    n = signals[f"{target.name}.n"][-1]
    expected = 1000 * 100 * 0.9999
    assert abs(n.mean() - expected) < 4 * np.sqrt(expected / 100)
    again, other = (network.run("20 ms", seed=seed).segments[0] for seed in (3, 4))
    early = [np.asarray(train)[np.asarray(train) < 0.02] for train in segment.spiketrains]
    pairs = list(zip(early, again.spiketrains, other.spiketrains, strict=True))
    assert all(np.array_equal(a, np.asarray(b)) for a, b, _ in pairs)
    assert not all(np.array_equal(a, np.asarray(c)) for a, _, c in pairs)
