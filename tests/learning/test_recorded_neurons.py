"""Networks fitted to recorded spikes: exact probabilities, their gradient, and recovery of a known
truth."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    Part,
    RecordedNeurons,
    Recurrent,
    Settings,
    Surrogate,
    Task,
    evaluate,
    train,
)

DT = 1e-3


def neurons(n_in=1, n=1, weight=None, **options):
    layer = Layer(
        Dense(n_in, n, key=jax.random.key(0)),
        nc.models.noisy_lif("escape"),
        DT,
        surrogate=None,
        **options,
    )
    layer = (
        layer
        if weight is None
        else eqx.tree_at(lambda module: module.connection.weight, layer, jnp.asarray(weight))
    )
    return RecordedNeurons(layer)


def test_the_probability_is_that_of_the_clamped_neuron():
    """v <- (v/2 + I)(1 - o) with the recorded spikes o, P = Phi((v - 1)/0.3), written out."""
    random = np.random.default_rng(0)
    x, recorded = random.random((20, 3, 1)), (random.random((20, 3, 1)) < 0.4).astype(float)
    with jax.enable_x64(True):
        neuron = jax.tree.map(
            lambda leaf: jnp.asarray(np.asarray(leaf, float)), neurons(weight=[[1.1]])
        )
        logs = np.asarray(eqx.filter_jit(neuron.log_probability)(x, recorded))
    v = np.zeros((3, 1))
    for step_input, fired, log in zip(x, recorded, logs, strict=True):
        v = 0.5 * v + 1.1 * step_input
        p = ndtr((v - 1) / 0.3)
        np.testing.assert_allclose(log, np.log(np.where(fired > 0, p, 1 - p)), rtol=1e-9)
        v = v * (1 - fired)


def test_coupling_between_recorded_neurons_acts_in_the_next_step():
    """A spike of the first neuron changes its own probability and raises that of the other, one
    step later."""
    coupled = neurons(1, 2, weight=[[0.5, 0.5]], recurrent=Recurrent(2, key=jax.random.key(1)))
    coupled = eqx.tree_at(
        lambda part: part.layer.recurrent.weight, coupled, jnp.asarray([[0.0, 0.4], [0.0, 0.0]])
    )
    x, silent = np.ones((4, 1, 1), np.float32), np.zeros((4, 1, 2), np.float32)
    once = silent.copy()
    once[1, 0, 0] = 1.0
    log = eqx.filter_jit(coupled.log_probability)
    change = np.asarray(log(x, once)) - np.asarray(log(x, silent))
    assert np.array_equal(np.abs(change[:, 0, 1]) > 1e-6, [False, False, True, True])
    assert float(change[2, 0, 1]) < 0  # silence is less probable


def task_of(net, n=60, steps=300, seed=0):
    """Return a task of recorded spikes that are drawn from a network for random inputs."""
    random = np.random.default_rng(seed)
    x = random.random((n, steps, net.n_in)).astype(np.float32)
    spikes = np.moveaxis(
        np.asarray(eqx.filter_jit(net)(np.moveaxis(x, 0, 1), jax.random.key(seed)).potentials),
        1,
        0,
    )
    valid = np.tile(np.arange(steps) >= 10, (n, 1))
    parts = [
        Part(x, spikes, valid).select(np.arange(n)[part])
        for part in (slice(0, 40), slice(40, 50), slice(50, n))
    ]
    return Task("recorded", *parts, loss="spike_log_likelihood", n_outputs=spikes.shape[2], dt=DT)


def test_a_neuron_is_recovered_from_its_spikes():
    """12 000 steps: weights within 10 % of the largest, noise width within 12 %, the likelihood
    that of the truth."""
    truth = Network([neurons(2, 1, weight=[[2.0], [-1.0]])])
    task = task_of(truth)
    start = Network([neurons(2, 1, weight=[[0.3], [0.3]], learned=("scale",))])
    result = train(start, task, settings=Settings(epochs=100, batch_size=20, learning_rate=0.04))
    layer = result.network.readout.layer
    np.testing.assert_allclose(layer.connection.weight[:, 0], [2.0, -1.0], atol=0.2)
    assert float(layer.intrinsic.values()["scale"][0]) == pytest.approx(0.3, rel=0.12)
    best = evaluate(truth, task.test, task).score
    assert (
        result.test_score == pytest.approx(best, abs=0.01)
        and result.test_score > evaluate(start, task.test, task).score + 0.05
    )


@pytest.mark.long
def test_hidden_noise_bounds_the_likelihood_from_below():
    """The bound rises with the passes; without noise inside one pass is exact."""
    a = jax.random.key(3)
    for mode in ("none", "escape"):
        spike = Surrogate() if mode == "none" else None
        hidden = Layer(Dense(2, 12, key=a), nc.models.noisy_lif(mode), DT, surrogate=spike)
        net = Network([hidden, neurons(12, 1)])
        net = eqx.tree_at(
            lambda n: n.layers[0].connection.weight, net, 2 + 0 * net.layers[0].connection.weight
        )
        net = eqx.tree_at(
            lambda n: n.readout.layer.connection.weight,
            net,
            0.3 + 0 * net.readout.layer.connection.weight,
        )
        task = task_of(net, n=52, steps=20)
        once, often = (
            evaluate(net, task.training, task, passes=passes).score for passes in (1, 20)
        )
        if mode == "none":
            assert often == pytest.approx(once, abs=1e-5)
        else:
            assert often > once + 0.005


def test_what_cannot_be_recorded_is_refused():
    diffusive = Layer(
        Dense(1, 1, key=jax.random.key(0)), nc.models.noisy_lif("both"), DT, surrogate=None
    )
    with pytest.raises(ModelError, match="recorded neurons is not known"):
        RecordedNeurons(diffusive)
    part = Part(np.ones((2, 5, 1)), 2.0 * np.ones((2, 5, 1)), np.ones((2, 5), bool))
    with pytest.raises(DataError, match="0 or 1 in every step"):
        Task("two spikes", part, part, part, loss="spike_log_likelihood", n_outputs=1, dt=DT)
    with pytest.raises(DataError, match="expected"):
        Task("shape", part, part, part, loss="spike_log_likelihood", n_outputs=2, dt=DT)
