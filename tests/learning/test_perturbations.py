"""Disturbances do what their definitions say, and attacks along gradients mislead more than random
changes."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr
from small_tasks import few_digits

import neurocode as nc
from neurocode.errors import DataError, ModelError
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    Part,
    Readout,
    Settings,
    Surrogate,
    evaluate,
    train,
)
from neurocode.learning import perturbations as disturb

DT, STEPS = 1e-3, 4


@pytest.fixture(scope="module")
def task():
    return few_digits(STEPS)


def network(mode, key=0):
    a, b = jax.random.split(jax.random.key(key))
    spike = (
        Surrogate("gaussian", 1 / 0.3, 1 / (0.3 * np.sqrt(2 * np.pi))) if mode == "none" else None
    )
    layer = Layer(Dense(64, 40, key=a), nc.models.noisy_lif(mode), DT, surrogate=spike)
    return Network([layer, Readout(Dense(40, 10, key=b), DT, 4e-3)])


@pytest.fixture(scope="module")
def trained(task):
    settings = Settings(epochs=6, learning_rate=0.01)
    return {
        mode: train(network(mode), task, settings=settings).network for mode in ("none", "escape")
    }


def test_disturbed_inputs_have_the_moments_and_shares_that_are_asked(task):
    part = task.test
    noise = disturb.gaussian_noise(part, 0.3).inputs - part.inputs
    assert abs(noise.mean()) < 5 * 0.3 / np.sqrt(noise.size)
    assert abs(noise.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * noise.size)
    bright = part.inputs > 0.5
    ratio = disturb.multiplicative_noise(part, 0.2).inputs[bright] / part.inputs[bright]
    assert abs(ratio.mean() - 1) < 5 * 0.2 / np.sqrt(ratio.size)
    salted = disturb.salt_and_pepper(part, 0.25, low=-1.0, high=2.0).inputs
    assert np.all((salted == 2.0).sum(axis=2) == 8) and np.all((salted == -1.0).sum(axis=2) == 8)
    np.testing.assert_array_equal(salted[:, 0] == 2.0, salted[:, -1] == 2.0)
    for call in (disturb.gaussian_noise, disturb.multiplicative_noise):
        with pytest.raises(DataError, match="must not be negative"):
            call(part, -0.1)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_dropped_events_are_the_floor_of_their_share(share):
    inputs = (np.random.default_rng(0).random((6, 10, 21)) < 0.3).astype(np.float32) * 2
    part = Part(inputs, np.zeros(6, np.int32), np.ones((6, 10), bool))
    left = disturb.event_drop(part, share, seed=3).inputs
    before, after = ((x != 0).sum(axis=(1, 2)) for x in (inputs, left))
    np.testing.assert_array_equal(before - after, (share * before).astype(int))
    assert np.all(left[left != 0] == 2) and np.all(inputs[left != 0] == 2)
    with pytest.raises(DataError, match="between 0 and 1"):
        disturb.event_drop(part, 1.2)


@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_flipped_spikes_are_the_floor_of_the_share_of_spikes_and_silences(share):
    """The rate r becomes r (1 - p) + (1 - r) p; the layer's own spikes are not touched."""
    net, x = (
        network("none"),
        jnp.asarray(np.random.default_rng(1).random((STEPS, 9, 64)) * 2, jnp.float32),
    )
    flipped = disturb.spike_flips(net, share)
    spikes = np.asarray(eqx.filter_jit(net)(x).spikes[0])
    same = eqx.filter_jit(flipped)(x, jax.random.key(0)).spikes[0]
    np.testing.assert_array_equal(same, spikes)
    after = np.asarray(eqx.filter_jit(flipped.disturbance)(spikes, jax.random.key(0)))
    changed = after != spikes
    for kind in (0, 1):
        where = spikes == kind
        np.testing.assert_array_equal(
            (changed & where).sum(axis=(0, 2)), np.floor(share * where.sum(axis=(0, 2)))
        )
    assert set(np.unique(after)) <= {0.0, 1.0}
    with pytest.raises(ModelError, match="between 0 and 1"):
        disturb.spike_flips(net, -0.1)


def test_membrane_noise_is_carried_and_adds_to_that_of_the_model():
    """Of a leaky sum with factor 1/2: P(spike) late = Phi((2 I - 1) / (b sqrt(4/3))), plus escape
    noise in quadrature."""
    a, b = jax.random.split(jax.random.key(0))
    for mode, scale in (("none", 0.0), ("escape", 0.3)):
        layer = Layer(Dense(1, 20_000, key=a), nc.models.noisy_lif(mode), DT)
        net = Network([layer, Readout(Dense(20_000, 2, key=b), DT)])
        noisy = disturb.membrane_noise(net, 0.15)
        noisy = eqx.tree_at(
            lambda n: n.layers[0].connection.weight, noisy, jnp.full((1, 20_000), 0.2)
        )
        spikes = eqx.filter_jit(noisy)(jnp.ones((12, 1, 1)), jax.random.key(1)).spikes[0]
        rate = float(np.mean(spikes[8:]))
        truth = ndtr((0.4 - 1.0) / np.sqrt(0.15**2 * 4 / 3 + scale**2))
        assert abs(rate - truth) < 0.12 * truth + 5 * np.sqrt(truth / 80_000)
    assert (
        disturb.membrane_noise(net, 0.0).layers[0].model.equations == net.layers[0].model.equations
    )
    with pytest.raises(ModelError, match="must not be negative"):
        disturb.membrane_noise(net, -1.0)


def test_attacks_keep_their_length(task, trained):
    part, net = task.test.select(np.arange(50)), trained["none"]
    fast = disturb.fast_gradient_sign(net, part, task, 0.05).inputs - part.inputs
    assert (
        np.all((np.abs(fast) < 1e-6) | (np.abs(np.abs(fast) - 0.05) < 1e-6))
        and np.mean(np.abs(fast) > 0.01) > 0.5
    )
    for shared in (False, True):
        ball = disturb.projected_gradient(net, part, task, 0.05, shared=shared).inputs - part.inputs
        assert np.abs(ball).max() <= 0.05 + 1e-6
        assert np.allclose(ball[:, 0], ball[:, -1]) == shared
    euclid = (
        disturb.projected_gradient(net, part, task, 0.7, norm="euclidean", shared=True).inputs
        - part.inputs
    )
    assert np.linalg.norm(euclid[:, 0], axis=1).max() <= 0.7 + 1e-5
    for change in (
        disturb.direct_optimisation(net, part, task, 0.7).inputs - part.inputs,
        disturb.random_direction(part, 0.7).inputs - part.inputs,
    ):
        np.testing.assert_allclose(np.linalg.norm(change, axis=2), 0.7, rtol=1e-4)
    with pytest.raises(DataError, match="not a norm"):
        disturb.projected_gradient(net, part, task, 0.1, norm="l7")
    with pytest.raises(DataError, match="must not be negative"):
        disturb.fast_gradient_sign(net, part, task, -0.1)


@pytest.mark.long
def test_attacks_raise_the_loss_more_than_random_directions(task, trained):
    """Of equal Euclidean length, deterministic and noisy networks (8 passes); more steps find
    more."""
    part = task.test
    for mode, net in trained.items():
        passes = 1 if mode == "none" else 8
        length = 0.05 * 8
        variants = {
            "none": part,
            "random": disturb.random_direction(part, length),
            "fast": disturb.fast_gradient_sign(net, part, task, 0.05, passes=passes, shared=True),
            "iterated": disturb.projected_gradient(
                net, part, task, 0.05, passes=passes, shared=True
            ),
        }
        losses = {
            name: evaluate(net, variant, task, passes=passes).loss
            for name, variant in variants.items()
        }
        assert losses["random"] < losses["fast"] and losses["random"] < losses["iterated"]
        assert losses["fast"] > losses["none"] + 0.05
        assert losses["iterated"] > 0.95 * losses["fast"]


def test_an_ensemble_has_a_lower_loss_than_its_members(task, trained):
    """Jensen: cross entropy is convex in the potentials, so the loss of their average is below the
    average loss."""
    net = trained["escape"]
    alone = np.mean([evaluate(net, task.test, task, seed=seed).loss for seed in range(8)])
    assert evaluate(net, task.test, task, passes=20).loss < alone
    assert evaluate(trained["none"], task.test, task, passes=3).loss == pytest.approx(
        evaluate(trained["none"], task.test, task).loss, rel=1e-5
    )
