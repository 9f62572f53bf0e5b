"""With the same random numbers, random networks run as in Brian2."""

from __future__ import annotations

import brian2
import numpy as np
from brian2 import Hz, Network, NeuronGroup, PoissonGroup, StateMonitor, Synapses, ms

from benchmarks.brian2_examples import _one_run

RUN = brian2.Network.run


def differences(duration: brian2.Quantity, *objects: object, **namespace: object) -> tuple:
    row = _one_run(Network(*objects), duration, namespace, RUN, "jax")
    assert row.outcome == "equal", row
    return row.spikes, row.state_error


def test_every_kind_of_draw():
    rates = PoissonGroup(20, rates="(i + 1)*20*Hz")
    group = NeuronGroup(
        15,
        """dv/dt = (0.7 - v)/tau + 0.4*xi*tau**-0.5 : 1 (unless refractory)
        jitter = rand() : 1 (constant over dt)
        n : 1
        chosen : 1 (shared)""",
        threshold="v > 1 - 0.1*rand()",
        reset="v = 0.2*rand() - 0.1*randn()",
        refractory=1 * ms,
        method="euler",
    )
    group.run_regularly("chosen = floor(rand()*15)\nn = poisson(2.5) + rand()", dt=0.5 * ms)
    synapses = Synapses(rates, group, "w : 1", on_pre="v += w*rand()\nw = clip(w*randn(), 0.1, 1)")
    synapses.connect(p=0.4)
    synapses.w = 0.2
    synapses.delay = np.linspace(0, 3, len(synapses)) * ms
    few = brian2.PoissonInput(group, "n", 5, 50 * Hz, weight=0.1)
    many = brian2.PoissonInput(group, "n", 1000, 100 * Hz, weight=1)
    states = StateMonitor(group, ["v", "jitter"], record=True)
    spikes, error = differences(30 * ms, rates, group, synapses, few, many, states, tau=10 * ms)
    assert spikes > 150
    assert error < 1e-12


def test_draws_where_synapses_go_one_after_another():
    rates = PoissonGroup(10, rates=200 * Hz)
    group = NeuronGroup(4, "dv/dt = -v/(10*ms) : 1", threshold="v > 0.6", reset="v = 0")
    synapses = Synapses(
        rates, group, on_pre="v_post = clip(v_post + rand(), 0, 1)\nv_post -= 0.1*rand()"
    )
    synapses.connect()
    spikes, error = differences(20 * ms, rates, group, synapses)
    assert spikes > 40
    assert error < 1e-12
