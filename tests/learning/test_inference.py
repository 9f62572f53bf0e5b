"""Compiled inference: the spikes of the JAX network in double precision, for every kind of neuron, and what it refuses."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import CompiledNetwork, Dense, Layer, Network, Readout, Recurrent, tasks

DT = 1e-3
MODELS = {
    "lif": (nc.models.normalised_lif(), 25.0, ("tau",)), "adlif": (nc.models.adlif(), 60.0, ("a", "b")),
    "meta": (nc.models.meta_neuron(), 3.0, ("a", "c")), "refractory": (nc.models.lif(), 12.0, ()),
}  # fmt: skip


def network(name, n_in=6):
    model, gain, learned = MODELS[name]
    units = {"current_unit": "0.5 nA", "margin_unit": "20 mV"} if name == "refractory" else {}
    keys = jax.random.split(jax.random.key(3), 3)
    layers = [
        Layer(Dense(a, b, key=key), model, DT, learned=learned, spread=bool(learned), key=key, **units)
        for a, b, key in ((n_in, 12, keys[0]), (12, 7, keys[1]))
    ]
    net = Network([*layers, Readout(Dense(7, 3, key=keys[2]), DT)])
    return jax.tree.map(lambda leaf: jnp.asarray(gain * np.asarray(leaf, float)) if leaf.ndim == 2 else leaf, net)


@pytest.mark.parametrize("name", MODELS)
def test_spikes_and_potentials_are_those_of_the_network(name):
    """300 steps of noise: every spike of both layers, potentials to 1e-12."""
    x = np.random.default_rng(1).random((300, 6))
    with jax.enable_x64(True):
        net = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), network(name))
        expected = net(jnp.asarray(x)[:, None])
        found = CompiledNetwork(net)(x)
    for mine, theirs in zip(found.spikes, expected.spikes, strict=True):
        assert 0.001 < mine.mean() < 1 and np.array_equal(mine, np.asarray(theirs)[:, 0])
    np.testing.assert_allclose(found.potentials, np.asarray(expected.potentials)[:, 0], atol=1e-12)


def test_noisy_neurons_fire_as_often_as_they_should():
    """Escape noise at threshold: half of all steps, within four standard errors, and a seed gives the same spikes."""
    layer = Layer(Dense(1, 50, key=jax.random.key(0)), nc.models.noisy_lif("escape"), DT, surrogate=None)
    net = Network([layer, Readout(Dense(50, 1, key=jax.random.key(1)), DT)])
    run = CompiledNetwork(net)
    own = [run(np.zeros((400, 1)), seed=seed).spikes[0] for seed in (0, 0, 1)]
    expected = float(ndtr(-1 / 0.3))
    assert own[0].mean() == pytest.approx(expected, abs=4 * np.sqrt(expected / 20_000))
    assert np.array_equal(own[0], own[1]) and not np.array_equal(own[0], own[2])


def test_what_cannot_be_compiled_is_named():
    key = jax.random.key(0)
    layer = Layer(Dense(2, 3, key=key), nc.models.normalised_lif(), DT, recurrent=Recurrent(3, key=key))
    with pytest.raises(ModelError, match="Layer 0 is not a feed-forward layer"):
        CompiledNetwork(Network([layer, Readout(Dense(3, 2, key=key), DT)]))
    with pytest.raises(ModelError, match="without a synapse"):
        CompiledNetwork(Network([Readout(Dense(3, 2, key=key), DT, synapse=5e-3)]))
    run = CompiledNetwork(network("lif"))
    for x in (np.ones((5, 2)), np.full((5, 6), np.nan), np.ones((2, 5, 6))):
        with pytest.raises(DataError, match=r"finite inputs of shape \(steps, 6\)"):
            run(x)


def test_a_trained_kind_of_network_answers_alike():
    """Digits: the class of compiled inference is that of the network for 50 images."""
    task = tasks.digits(steps=8)
    a, b = jax.random.split(jax.random.key(0))
    net = Network([Layer(Dense(64, 30, key=a), nc.models.normalised_lif(), DT), Readout(Dense(30, 10, key=b), DT)])
    inputs = 4 * task.test.inputs[:50]
    theirs = np.asarray(net(jnp.moveaxis(jnp.asarray(inputs), 0, 1)).potentials).mean(axis=0).argmax(axis=1)
    run = CompiledNetwork(net)
    assert np.mean([run(x).potentials.mean(axis=0).argmax() for x in inputs] == theirs) > 0.97
