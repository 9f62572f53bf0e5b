"""Score function and straight-through estimates against the exact gradient of a small noisy
network."""

from __future__ import annotations

import itertools

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.special import ndtr

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import Dense, Layer, Network, Readout, Surrogate, Voters, estimate_gradient
from neurocode.learning.objective import Batch
from neurocode.learning.trainable import trainable

DT, STEPS, N = 1e-3, 3, 2
X = jnp.asarray([0.8, 0.2, 1.1])


def network(**options):
    a, b = jax.random.split(jax.random.key(0))
    options = {"surrogate": None, "learned": ("theta", "scale")} | options
    layer = Layer(Dense(1, N, key=a), nc.models.noisy_lif("escape"), DT, **options)
    layer = eqx.tree_at(lambda module: module.connection.weight, layer, jnp.asarray([[1.2, 0.7]]))
    readout = eqx.tree_at(
        lambda module: module.connection.weight,
        Readout(Dense(N, 2, key=b), DT, 3e-3),
        jnp.asarray([[4.0, -3], [-5, 4]]),
    )
    return Network([layer, readout])


def batch():
    return Batch(X[:, None, None], jnp.asarray([1]), jnp.ones((STEPS, 1), bool))


def expected_loss(learned, rest):
    """Sum over all 64 spike patterns, written out: v <- v/2 + w x + b, P = Phi((v - theta)/scale),
    reset to zero."""
    net = eqx.combine(learned, rest)
    layer, values = net.layers[0], net.layers[0].intrinsic.values()

    def weighted(spikes):
        v, chance = jnp.zeros(N), 1.0
        for x, fired in zip(X, spikes, strict=True):
            v = 0.5 * v + x * layer.connection.weight[0] + layer.connection.bias
            p = ndtr((v - values["theta"]) / values["scale"])
            chance = chance * jnp.prod(jnp.where(fired > 0, p, 1 - p))
            v = v * (1 - fired)
        evidence = jnp.mean(net.readout(spikes[:, None])[:, 0], axis=0)
        return chance * -jax.nn.log_softmax(evidence)[1]

    patterns = np.array(list(itertools.product((0.0, 1.0), repeat=STEPS * N))).reshape(-1, STEPS, N)
    return jnp.sum(jax.vmap(weighted)(jnp.asarray(patterns)))


def test_the_score_function_is_unbiased_and_straight_through_is_not():
    """4000 draws: every component within 5.5 standard errors of the exact gradient;
    straight-through misses by 9 or more in some.

    Its variance is smaller: the price of no bias.
    """
    net = network()
    learned, rest = trainable(net)
    exact = eqx.filter_jit(jax.grad(expected_loss))(learned, rest)
    estimates = {
        name: estimate_gradient(net, batch(), "mean_potential", estimator=name, n_draws=4000)
        for name in ("score_function", "straight_through")
    }

    def errors(name):
        leaves = zip(
            *(
                jax.tree.leaves(tree)
                for tree in (estimates[name].mean, estimates[name].variance, exact)
            ),
            strict=True,
        )
        return np.concatenate(
            [
                np.ravel((m - e) / np.sqrt(v / 4000 + 1e-14))
                for m, v, e in (map(np.asarray, leaf) for leaf in leaves)
            ]
        )

    assert np.abs(errors("score_function")).max() < 5.5
    assert np.abs(errors("straight_through")).max() > 9
    weights = [
        np.asarray(estimates[name].variance.layers[0].connection.weight)
        for name in ("score_function", "straight_through")
    ]
    assert np.all(weights[0] > weights[1])


def test_a_linear_loss_without_memory_leaves_no_bias():
    """One step, squared error of trajectories linear in no spike but the readout's: here the
    potentials themselves."""
    net = network()
    single_step = Batch(X[:1, None, None], jnp.zeros((1, 1, 2)), jnp.ones((1, 1), bool))
    learned, rest = trainable(net)

    def linear(learned, key):
        return jnp.sum(eqx.combine(learned, rest)(single_step.inputs, key).potentials[..., 0])

    slopes = jax.lax.map(
        lambda key: jax.grad(linear)(learned, key), jax.random.split(jax.random.key(1), 2000)
    )
    drawn = np.asarray(slopes.layers[0].connection.weight)
    values = net.layers[0].intrinsic.values()
    margin = X[0] * net.layers[0].connection.weight[0] - values["theta"]
    density = net.layers[0].model.noise.density(margin, values, DT)
    keep = float(jnp.exp(-DT / 3e-3))
    exact = (1 - keep) * density * X[0] * net.readout.connection.weight[:, 0]
    np.testing.assert_allclose(drawn.mean(axis=0)[0], exact, rtol=1e-4)
    assert drawn.std() == pytest.approx(np.asarray(exact).std(), rel=1e-3)


def test_what_has_no_known_probability_is_refused():
    for model in (nc.models.noisy_lif("both"), nc.models.noisy_lif("none")):
        layer = Layer(Dense(1, N, key=jax.random.key(0)), model, DT, surrogate=Surrogate())
        net = Network([layer, Readout(Dense(N, 2, key=jax.random.key(1)), DT)])
        with pytest.raises(ModelError, match="not known"):
            estimate_gradient(net, batch(), "mean_potential", estimator="score_function")
    layer = network().layers[0]
    voters = Voters(
        Layer(Dense(N, 2, key=jax.random.key(0)), nc.models.noisy_lif(), DT, surrogate=None), 2
    )
    with pytest.raises(ModelError, match="voters"):
        estimate_gradient(
            Network([layer, voters]), batch(), "rate_squared_error", estimator="score_function"
        )
    with pytest.raises(ModelError, match="two draws"):
        estimate_gradient(network(), batch(), "mean_potential", n_draws=1)
