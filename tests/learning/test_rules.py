"""Rules besides gradients through time: exact maxima and gradients, XOR in time, the same
plasticity in both engines."""

from __future__ import annotations

from dataclasses import replace

import brian2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurocode.errors import DataError, TrainingError
from neurocode.learning.rules import (
    Kernel,
    PairSTDP,
    Patterns,
    SpikeProp,
    SpikeTimeNetwork,
    SpikeTimes,
    Tempotron,
    TempotronNeurons,
    latency_patterns,
)
from neurocode.learning.rules import spikeprop as module

DT = 1e-3


def test_the_kernel_is_that_of_the_sheet():
    """Peak at 6.931 ms of height one with V_0 = 2.11653 for 15 and 3.75 ms."""
    kernel = Kernel()
    assert 1e3 * kernel.peak_time == pytest.approx(
        6.931, abs=5e-4
    ) and kernel.scale == pytest.approx(2.11653, abs=5e-6)
    assert (
        float(kernel(kernel.peak_time)) == pytest.approx(1.0, abs=1e-12)
        and float(kernel(-1.0)) == 0.0
    )


def test_the_maximum_is_that_of_a_fine_grid():
    """100 random patterns and weights: equal to the potential at all spikes and on a grid of 10 us,
    within its curvature."""
    patterns = latency_patterns(100, 30, 0.2, seed=1)
    weights = np.random.default_rng(2).normal(size=30)
    best, when = (
        values[:, 0] for values in TempotronNeurons(30).maxima(weights[:, None], patterns)
    )
    for number in range(100):
        spikes = slice(patterns.first[number], patterns.first[number + 1])
        grid = np.sort(np.r_[np.arange(0, 0.3, 1e-5), patterns.times[spikes]])
        potential = sum(
            weights[s] * Kernel()(grid - t)
            for s, t in zip(patterns.synapses[spikes], patterns.times[spikes], strict=True)
        )
        assert best[number] == pytest.approx(max(potential.max(), 0), abs=1e-5)
        if best[number] > 0:
            at = np.interp(when[number], grid, potential)
            assert at == pytest.approx(best[number], abs=1e-5)


def test_a_change_is_the_gradient_of_the_maximum():
    """After one false alarm the weights moved against the numerical gradient of V(t_max)."""
    patterns = replace(latency_patterns(1, 12, 0.05, seed=3), labels=np.array([0]))
    rule, neurons = (
        Tempotron(learning_rate=1e-6, momentum=0.0, cycles=1),
        TempotronNeurons(12, threshold=1e-3),
    )
    start = 1.0 * np.random.default_rng(5).standard_normal(12)
    result = rule.fit(neurons, patterns, seed=5, spread=1.0)
    for synapse in range(12):
        sides = [
            neurons.maxima((start + step * np.eye(12)[synapse])[:, None], patterns)[0][0, 0]
            for step in (1e-5, -1e-5)
        ]
        assert (result.weights[:, 0] - start)[synapse] / -1e-6 == pytest.approx(
            (sides[0] - sides[1]) / 2e-5, abs=1e-4
        )


def test_as_many_patterns_as_synapses_are_learned():
    """Random latencies, half the published capacity: every pattern right within 200 cycles, five
    seeds."""
    for seed in range(5):
        patterns, neurons = latency_patterns(100, 100, 0.5, seed), TempotronNeurons(100)
        result = Tempotron(cycles=200).fit(neurons, patterns, seed=seed)
        assert result.learned and np.array_equal(
            neurons.predict(result.weights, patterns), patterns.labels
        )


def test_one_neuron_a_class_tells_three_apart():
    """60 random latency patterns of three labels on 100 synapses: every one right, by three neurons
    that learn apart."""
    patterns = replace(latency_patterns(60, 100, 0.5, seed=0), labels=np.arange(60) % 3)
    neurons = TempotronNeurons(100, 3)
    result = Tempotron(cycles=300).fit(neurons, patterns)
    assert result.learned and np.array_equal(
        neurons.predict(result.weights, patterns), patterns.labels
    )


def test_wrong_patterns_are_named():
    for arguments, says in (
        (([[[0.1]], [[np.nan]]], [0, 1]), "Pattern 1 holds"),
        (([[[0.1]], [[0.1], [0.2]]], [0, 1]), "different numbers"),
        (([], []), "no pattern"),
        (([[[0.1]]], [1, 0]), "2 labels for 1 patterns"),
        (([[[0.1]]], [0.5]), "whole numbers"),
    ):
        with pytest.raises(DataError, match=says):
            Patterns.of(*arguments)
    pattern = Patterns.of([[[0.1]]], [2])
    with pytest.raises(DataError, match="Labels go up to 2"):
        Tempotron().fit(TempotronNeurons(1), pattern)
    with pytest.raises(DataError, match="1 synapses, but the neurons have 3"):
        Tempotron().fit(TempotronNeurons(3), pattern)
    silent = Patterns.of([[[], []]], [0])
    assert TempotronNeurons(2).maxima(np.ones((2, 1)), silent)[0].tolist() == [[0.0]]
    with pytest.raises(TrainingError, match="time constants"):
        Kernel(1e-3, 2e-3)


def test_the_gradient_of_spike_times_is_numerical():
    """Times of an output neuron by every kind of weight, against finite differences."""
    net = SpikeTimeNetwork(2, n_hidden=3)
    with jax.enable_x64(True):
        weights, times = net.start(1), jnp.array([0.0, 4.0])
        output = jax.jit(lambda w: net(w, times)[1][0])
        slopes = jax.grad(output)(weights)
        for layer, place in ((0, (3, 1, 2)), (1, (2, 0, 0)), (1, (9, 2, 0))):
            moved = [
                weights._replace(**{weights._fields[layer]: weights[layer].at[place].add(h)})
                for h in (1e-5, -1e-5)
            ]
            numerical = float(output(moved[0]) - output(moved[1])) / 2e-5
            assert float(slopes[layer][place]) == pytest.approx(numerical, rel=2e-3, abs=1e-6)


XOR = (
    np.array([[0, 0, 0], [0, 6, 0], [6, 0, 0], [6, 6, 0]], float),
    np.array([[16.0], [10.0], [10.0], [16.0]]),
)


@pytest.mark.long
def test_spikeprop_solves_xor_in_time():
    """Inputs at 0 and 6 ms and a reference, outputs at 10 and 16 ms: two seeds below one ms^2 in
    1000 cycles."""
    with jax.enable_x64(True):
        answer = jax.jit(
            jax.vmap(
                lambda weights, times: SpikeTimeNetwork(3)(weights, times)[1][0], in_axes=(None, 0)
            )
        )
        for seed in range(2):
            result = SpikeProp().fit(
                SpikeTimeNetwork(3), SpikeTimes(*XOR), cycles=1000, stop=1.0, seed=seed
            )
            assert result.errors[-1] < 1.0
            assert np.array_equal(
                np.asarray(answer(result.weights, jnp.asarray(XOR[0]))) > 13, XOR[1][:, 0] > 13
            )


@pytest.mark.long
def test_a_silent_network_grows_until_it_fires():
    net = SpikeTimeNetwork(1, n_hidden=2, threshold=1.0)
    start = net.start(0)
    quiet = module.Weights(0.05 * start.hidden, 0.05 * start.output)
    assert not np.isfinite(net(quiet, jnp.array([0.0]))[1]).any()
    with jax.enable_x64(True):
        weights = quiet
        for _ in range(20):
            _, weights = module._update(
                weights, jnp.zeros((1, 1)), jnp.array([[15.0]]), net, 0.001, 0.005
            )
    assert np.isfinite(net(weights, jnp.array([0.0]))[1]).all()


def test_times_that_are_none_are_refused():
    with pytest.raises(DataError, match="finite and not negative"):
        SpikeTimes([[-1.0]], [[5.0]])
    with pytest.raises(DataError, match="takes 1 input"):
        SpikeProp().fit(SpikeTimeNetwork(1), SpikeTimes([[1.0, 2.0]], [[5.0]]))
    with pytest.raises(TrainingError, match="positive"):
        SpikeTimeNetwork(1, delays=())


def in_brian(rule, pre, post, weights, reward=None):
    """The weights after the same spikes in Brian2."""
    brian2.start_scope()
    with_dt = DT * brian2.second
    groups = []
    for raster in (pre, post):
        steps, neurons = np.nonzero(raster)
        groups.append(
            brian2.SpikeGeneratorGroup(raster.shape[1], neurons, steps * with_dt, dt=with_dt)
        )
    synapses = rule.synapses(*groups, weights)
    objects = [*groups, synapses, *synapses.contained_objects]
    if reward is not None:
        reward_in_time = brian2.TimedArray(reward, dt=with_dt)
        synapses.namespace["given"] = reward_in_time
        objects.append(synapses.run_regularly("reward = given(t)", when="start"))
    net = brian2.Network(*dict.fromkeys(objects))
    brian2.prefs.codegen.target, old = "numpy", brian2.prefs.codegen.target
    try:
        net.run(len(pre) * with_dt)
    finally:
        brian2.prefs.codegen.target = old
    return np.asarray(synapses.w).reshape(weights.shape)


@pytest.mark.parametrize(("mu", "tau_reward"), [(0.0, None), (0.4, None), (0.0, 0.05), (1.0, 0.05)])
def test_plasticity_is_equal_in_both_engines(mu, tau_reward):
    """100 steps of dense random spikes: weights equal to 1e-12, and not where they began."""
    random = np.random.default_rng(0)
    pre, post = random.random((100, 4)) < 0.2, random.random((100, 3)) < 0.2
    weights = random.random((4, 3))
    rule = PairSTDP(a_plus=0.05, a_minus=0.06, mu=mu, tau_reward=tau_reward)
    reward = None if tau_reward is None else 0.2 * random.standard_normal(100)
    changed = np.asarray(rule.run(pre, post, weights, DT, reward))
    np.testing.assert_allclose(changed, in_brian(rule, pre, post, weights, reward), atol=1e-12)
    assert np.abs(changed - weights).max() > 0.02 and changed.min() >= 0 and changed.max() <= 1


def test_order_decides_the_sign_and_bounds_hold():
    """Before strengthens, after weakens, with the printed exponentials; soft bounds are never
    reached."""
    pre, post = np.zeros((40, 1)), np.zeros((40, 1))
    pre[10], post[15] = 1, 1
    rule = PairSTDP(a_plus=0.1, a_minus=0.2, tau_plus=10e-3, tau_minus=30e-3)
    assert float(rule.run(pre, post, [[0.5]], DT)[0, 0]) == pytest.approx(0.5 + 0.1 * np.exp(-0.5))
    assert float(rule.run(post, pre, [[0.5]], DT)[0, 0]) == pytest.approx(
        0.5 - 0.2 * np.exp(-5 / 30)
    )
    busy = np.ones((500, 1))
    soft = PairSTDP(a_plus=0.001, a_minus=0.00001, mu=1.0)
    assert 0.9 < float(soft.run(busy, busy, [[0.5]], DT)[0, 0]) < 1.0
    assert float(PairSTDP(a_plus=0.1, a_minus=0.001).run(busy, busy, [[0.5]], DT)[0, 0]) == 1.0


def test_plasticity_refuses_what_is_none():
    spikes = np.zeros((5, 1))
    for arguments, says in (
        ((spikes, spikes, [[2.0]]), "between 0 and 1"),
        ((spikes + 2, spikes, [[0.5]]), "zero or one"),
        ((spikes, spikes, [[0.5, 0.5]]), "do not fit"),
        ((spikes, spikes, [[0.5]], DT, np.zeros(5)), "reward is needed"),
    ):
        with pytest.raises(DataError, match=says):
            PairSTDP().run(*arguments[:3], DT, *arguments[4:])
    with pytest.raises(TrainingError, match="positive"):
        PairSTDP(tau_plus=0.0)
