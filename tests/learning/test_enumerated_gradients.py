"""Exact gradients of small noisy networks: closed forms of two steps, sums by hand, and how far
each estimate is off."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import norm

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import (
    Chain,
    Dense,
    Layer,
    Network,
    Readout,
    Surrogate,
    enumerated_gradients,
)
from neurocode.learning.dynamics import Dynamics
from neurocode.learning.objective import Batch
from neurocode.tasks.loss import Loss

DT, LEAK, WIDTH = 1e-3, 0.5, 0.3


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


class WeighedSpikes(Loss):
    """1.5 times the first spike less 0.7 times the second, of a readout that keeps nothing."""

    def loss_and_score(self, evidence, targets, valid):
        return jnp.mean(1.5 * evidence[0, :, 0] - 0.7 * evidence[1, :, 0]), jnp.zeros(())


def one_neuron(weight=1.3):
    layer = Layer(
        Dense(1, 1, key=jax.random.key(0)),
        nc.models.noisy_lif(),
        DT,
        surrogate=None,
        reset_gradient=True,
    )
    readout = Readout(Dense(1, 1, key=jax.random.key(0)), DT, 1e-9)
    places = lambda net: [part.connection.weight for part in (*net.layers, net.readout)]  # noqa: E731
    biases = lambda net: [part.connection.bias for part in (*net.layers, net.readout)]  # noqa: E731
    net = eqx.tree_at(
        places, Network([layer, readout]), [jnp.full((1, 1), weight), jnp.ones((1, 1))]
    )
    return eqx.tree_at(biases, net, [jnp.zeros(1), jnp.zeros(1)])


def test_two_steps_with_a_reset_by_hand():
    """v1 = w x1, v2 = w x2 after a spike and w x2 + v1/2 without; the loss is linear, so all bias
    comes through the reset.

    Of a first spike the exact gradient takes the difference of the second probability,
    straight-through -v1/2 times the density at what was drawn, the trapezoid the mean of both
    densities; the secant is exact.
    """
    w, x1, x2, first, second = 1.3, 0.6, 0.3, 1.5, -0.7
    batch = Batch(jnp.asarray([x1, x2])[:, None, None], jnp.zeros(1, int), jnp.ones((2, 1), bool))
    gradients = enumerated_gradients(one_neuron(w), batch, WeighedSpikes())
    distances = np.array([w * x1 - 1, w * x2 - 1, LEAK * w * x1 + w * x2 - 1]) / WIDTH
    (p, after, without), (f, f_after, f_without) = ndtr(distances), norm.pdf(distances) / WIDTH
    direct = first * f * x1 + second * (p * f_after * x2 + (1 - p) * f_without * (LEAK * x1 + x2))
    by_reset = {
        "score_function": after - without,
        "secant": after - without,
        "trapezoid_secant": after - without,
        "straight_through": -LEAK * w * x1 * (p * f_after + (1 - p) * f_without),
        "trapezoid": -LEAK * w * x1 * (f_after + f_without) / 2,
    }
    for name, effect in by_reset.items():
        slope = float(gradients[name].mean.layers[0].connection.weight[0, 0])
        assert slope == pytest.approx(direct + second * f * x1 * effect, rel=1e-9), name
    assert abs(by_reset["straight_through"] / by_reset["secant"] - 1) > 0.2


class OneSpike(Loss):
    """1.5 times the first spike."""

    def loss_and_score(self, evidence, targets, valid):
        return jnp.mean(1.5 * evidence[0, :, 0]), jnp.zeros(())


def test_the_variance_of_a_single_spike_is_that_of_a_coin():
    """One step, the loss 1.5 o: the score (o - p) f/(p (1 - p)) times 1.5 (o - p) against the
    constant 1.5 f."""
    batch = Batch(jnp.full((1, 1, 1), 0.6), jnp.zeros(1, int), jnp.ones((1, 1), bool))
    gradients = enumerated_gradients(
        one_neuron(), batch, OneSpike(), ("straight_through", "trapezoid", "score_function")
    )
    y = (1.3 * 0.6 - 1) / WIDTH
    p, slope = ndtr(y), 1.5 * norm.pdf(y) / WIDTH * 0.6
    variance = {
        name: float(gradient.variance.layers[0].connection.weight[0, 0])
        for name, gradient in gradients.items()
    }
    assert variance["straight_through"] == pytest.approx(0, abs=1e-20)
    assert variance["trapezoid"] == pytest.approx(slope**2 * (1 / (4 * p * (1 - p)) - 1), rel=1e-9)
    assert variance["score_function"] == pytest.approx(
        slope**2 * (((1 - p) ** 3 + p**3) / (p * (1 - p)) - 1), rel=1e-9
    )


def small_network(seed, neurons, width, between=0.1):
    """Two inputs, noisy layers, two classes."""
    random, layers, n_in = np.random.default_rng(seed), [], 2
    for n in neurons:
        model = nc.models.noisy_lif().with_parameters(scale=width)
        layer = Layer(
            Dense(n_in, n, key=jax.random.key(0)), model, DT, surrogate=None, reset_gradient=True
        )
        mean, spread = (between, between / 2) if layers else (0.7, 0.4)
        weights = (
            jnp.asarray(random.normal(mean, spread, (n_in, n))),
            jnp.asarray(random.normal(0.3, 0.1, n)),
        )
        layers.append(
            eqx.tree_at(
                lambda module: (module.connection.weight, module.connection.bias), layer, weights
            )
        )
        n_in = n
    readout = Readout(Dense(n_in, 2, key=jax.random.key(0)), DT, 4e-3)
    readout = eqx.tree_at(
        lambda module: module.connection.weight,
        readout,
        jnp.asarray(random.normal(0, 4, (n_in, 2))),
    )
    return Network([*layers, readout])


def errors(network, steps, estimators):
    """Distance of the mean of each estimate from the exact gradient of the noisy layers, over the
    size of that."""
    x = jnp.asarray(np.random.default_rng(9).random((steps, 1, 2)))
    batch = Batch(x, jnp.zeros(1, int), jnp.ones((steps, 1), bool))
    gradients = enumerated_gradients(
        network, batch, "mean_potential", ("score_function", *estimators)
    )
    rows = {
        name: np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(gradient.mean.layers)])
        for name, gradient in gradients.items()
    }
    exact = rows["score_function"]
    return {name: np.linalg.norm(rows[name] - exact) / np.linalg.norm(exact) for name in estimators}


@pytest.mark.parametrize(
    ("neurons", "steps", "width"),
    [
        ((2,), 4, 0.2),
        pytest.param((1,), 6, 0.3, marks=pytest.mark.long),
        pytest.param((2, 1), 3, 0.3, marks=pytest.mark.long),
    ],
)
def test_the_correction_is_unbiased_to_two_percent_and_straight_through_is_not(
    neurons, steps, width
):
    """Of two layers with weights of a third of a width of the noise between them."""
    of_estimators = errors(
        small_network(2, neurons, width), steps, ("straight_through", "trapezoid_secant")
    )
    assert of_estimators["trapezoid_secant"] < 0.02 < 2 * 0.02 < of_estimators["straight_through"]


# What the measure sees; that the code is right the closed form above says to nine digits.
@pytest.mark.long
@pytest.mark.parametrize(("fault", "neurons"), [("swapped weights", 2), ("no difference", 1)])
def test_a_fault_in_the_correction_is_seen(monkeypatch, fault, neurons):
    """The density over p where there was no spike, or no difference through the reset: off by more
    than two percent."""
    network, (smooth, chance) = (
        small_network(2, (neurons,), 0.2),
        (Dynamics._smooth, Dynamics._chance),
    )
    if fault == "swapped weights":
        monkeypatch.setattr(
            Dynamics, "_smooth", lambda self, p, fired, *rest: smooth(self, p, 1 - fired, *rest)
        )
    else:
        monkeypatch.setattr(Dynamics, "_chance", lambda *all: 0.0 * chance(*all))
    # three steps of these sizes no other test here enumerates, so that no program without the fault
    # is at hand
    assert errors(network, 3, ("trapezoid_secant",))["trapezoid_secant"] > 0.02


def test_what_cannot_be_enumerated_is_refused():
    batch = Batch(jnp.ones((3, 1, 2)), jnp.zeros(1, int), jnp.ones((3, 1), bool))
    network = small_network(1, (2,), 0.3)
    with pytest.raises(ModelError, match="'reinforce' is not an estimator"):
        enumerated_gradients(network, batch, "mean_potential", ("reinforce",))
    with pytest.raises(ModelError, match=r"21 draws .* expected 1 to 18"):
        enumerated_gradients(small_network(1, (7,), 0.3), batch, "mean_potential")
    with pytest.raises(ModelError, match="0 draws"):
        enumerated_gradients(Network([network.readout]), batch, "mean_potential")
    with pytest.raises(ModelError, match="does not read potentials"):
        enumerated_gradients(network, batch, "spike_log_likelihood")
    still = Layer(
        Dense(2, 2, key=jax.random.key(0)), nc.models.noisy_lif("none"), DT, surrogate=Surrogate()
    )
    with pytest.raises(ModelError, match="not known"):
        enumerated_gradients(Network([still, network.readout]), batch, "mean_potential")


def test_connections_in_a_chain_have_the_gradients_of_their_parts():
    batch = Batch(jnp.full((1, 1, 1), 0.6), jnp.zeros(1, int), jnp.ones((1, 1), bool))
    alone = one_neuron()
    chained = eqx.tree_at(
        lambda net: net.layers[0].connection, alone, Chain([alone.layers[0].connection])
    )
    names = ("straight_through",)
    first = enumerated_gradients(alone, batch, OneSpike(), names)["straight_through"].mean
    second = enumerated_gradients(chained, batch, OneSpike(), names)["straight_through"].mean
    part = second.layers[0].connection.parts[0]
    assert float(part.weight[0, 0]) == float(first.layers[0].connection.weight[0, 0]) != 0
