"""Normalisation, chains, pools, shortcuts and voters."""

from __future__ import annotations

from dataclasses import replace

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import softmax
from small_tasks import few_digits

import neurocode as nc
from neurocode.errors import ModelError
from neurocode.learning import (
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    JointDecision,
    Layer,
    Network,
    Pool,
    Readout,
    Settings,
    Shortcut,
    Surrogate,
    Voters,
    evaluate,
    run_in_brian,
    train,
)
from neurocode.learning.network import calibrated
from neurocode.learning.trainable import trainable

DT = 1e-3
MODEL = nc.models.noisy_lif("none")


@eqx.filter_jit
def answer(part, *arguments, **options):
    """What a network or a part of it gives, as one program instead of one for every operation."""
    return part(*arguments, **options)


def spiking(connection, **options):
    return Layer(connection, MODEL, DT, surrogate=Surrogate("arctan", 2.0), **options)


def test_normalised_inputs_have_mean_zero_and_variance_one():
    """Every channel is normalised over batch, time and pixels; after calibration also outside
    training, for the same inputs."""
    x = 3 + 2 * jax.random.normal(jax.random.key(0), (7, 5, 12)) * jnp.arange(1.0, 13.0)
    norm = BatchNorm(12, 3)
    for normalised in (norm(x, training=True), norm.measured(x)(x)):
        channels = np.asarray(normalised).reshape(7, 5, 3, 4)
        np.testing.assert_allclose(channels.mean(axis=(0, 1, 3)), 0, atol=1e-5)
        np.testing.assert_allclose(channels.var(axis=(0, 1, 3)), 1, rtol=1e-4)
    np.testing.assert_allclose(norm(x), x / np.sqrt(1 + 1e-5), rtol=1e-6)
    with pytest.raises(ModelError, match="divide"):
        BatchNorm(12, 5)


def test_moments_are_measured_and_not_learned():
    net = Network(
        [
            spiking(Chain([Dense(4, 6, bias=False, key=jax.random.key(0)), BatchNorm(6)])),
            Readout(Dense(6, 2, key=jax.random.key(1)), DT),
        ]
    )
    assert net.is_normalised
    assert net.n_parameters == 4 * 6 + 2 * 6 + 6 * 2 + 2
    x = jax.random.normal(jax.random.key(2), (10, 8, 4))
    fitted = answer(calibrated, net, x)
    norm = fitted.layers[0].connection.parts[1]
    np.testing.assert_allclose(
        norm.mean, jnp.mean(net.layers[0].connection.parts[0](x), axis=(0, 1)), atol=1e-6
    )
    np.testing.assert_allclose(
        answer(fitted, x).potentials, answer(net, x, training=True).potentials, atol=1e-5
    )


def test_pools_and_strides_equal_slicing():
    image = jax.random.normal(jax.random.key(0), (2, 3, 2 * 8 * 8))
    squares = np.asarray(image).reshape(2, 3, 2, 4, 2, 4, 2)
    np.testing.assert_allclose(
        Pool((2, 8, 8), 2)(image), squares.mean(axis=(4, 6)).reshape(2, 3, -1), rtol=1e-5
    )
    np.testing.assert_allclose(
        Pool((2, 8, 8), 2, highest=True)(image), squares.max(axis=(4, 6)).reshape(2, 3, -1)
    )
    dense, strided = (Convolution((2, 8, 8), 5, 3, stride=s, key=jax.random.key(1)) for s in (1, 2))
    full = dense(image).reshape(2, 3, 5, 8, 8)[..., ::2, ::2]
    np.testing.assert_allclose(strided(image), full.reshape(2, 3, -1), rtol=1e-5, atol=1e-5)
    assert (
        strided.out_shape == (5, 4, 4)
        and dense.operations == 4 * strided.operations == 9 * 2 * 5 * 64
    )
    with pytest.raises(ModelError, match="tile"):
        Pool((2, 8, 8), 3)
    with pytest.raises(ModelError, match="takes 64 inputs"):
        Chain([dense, Dense(64, 3, key=jax.random.key(0))])


def test_a_shortcut_adds_the_input_of_an_earlier_layer():
    """With weights of zero a block passes what its shortcut brings; sizes that do not fit are
    refused by number."""
    keys = jax.random.split(jax.random.key(0), 4)
    quiet = eqx.tree_at(lambda module: module.weight, Dense(6, 6, key=keys[0]), jnp.zeros((6, 6)))
    x = jax.random.normal(keys[1], (12, 3, 6)) * 2
    plain = Network(
        [
            spiking(Dense(6, 6, key=keys[2])),
            spiking(quiet),
            spiking(quiet, shortcut=Shortcut(1)),
            Readout(Dense(6, 2, key=keys[3]), DT),
        ]
    )
    spikes = answer(plain, x).spikes
    assert float(spikes[0].sum()) > 10 and float(spikes[1].sum()) == 0
    direct = spiking(Dense(6, 6, bias=False, key=keys[2]))
    direct = eqx.tree_at(lambda own: own.connection.weight, direct, jnp.eye(6))
    np.testing.assert_array_equal(spikes[2], answer(direct, spikes[0]))
    with pytest.raises(ModelError, match="before the input"):
        Network([spiking(quiet, shortcut=Shortcut(1)), Readout(Dense(6, 2, key=keys[3]), DT)])
    with pytest.raises(ModelError, match="shortcut of layer 1"):
        Network(
            [
                spiking(Dense(4, 6, key=keys[0])),
                spiking(quiet, shortcut=Shortcut(1)),
                Readout(Dense(6, 2, key=keys[3]), DT),
            ]
        )
    with pytest.raises(ModelError, match="shortcut"):
        run_in_brian(plain, x)


def test_a_calibrated_network_runs_in_brian2():
    """In Brian2 average pooling, convolution and normalisation become one matrix; the spikes are
    the same."""
    keys = jax.random.split(jax.random.key(4), 3)
    deep = Chain([Pool((2, 4, 4), 2), Convolution((2, 2, 2), 3, key=keys[1]), BatchNorm(12, 3)])
    net = Network(
        [
            spiking(Convolution((1, 4, 4), 2, key=keys[0])),
            spiking(deep),
            Readout(Dense(12, 3, key=keys[2]), DT),
        ]
    )
    net = eqx.tree_at(
        lambda module: module.layers[0].connection.weight, net, 8 * net.layers[0].connection.weight
    )
    x = (np.random.default_rng(0).random((60, 3, 16)) < 0.4).astype(float)
    net = answer(calibrated, net, jnp.asarray(x, jnp.float32))
    with jax.enable_x64(True):
        response = answer(
            jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), net), jnp.asarray(x)
        )
        ours = [np.asarray(spikes) > 0 for spikes in response.spikes]
    run = run_in_brian(net, x)
    assert all(layer.sum() > 100 for layer in ours)
    assert all(np.array_equal(a, b) for a, b in zip(ours, run.spikes, strict=True))


def voting(classes=10, voters=3, n=40, steps=None):
    a, b, c = jax.random.split(jax.random.key(0), 3)
    readout = Voters(spiking(Dense(n, classes * voters, key=b), learned=("theta",)), classes)
    if steps is not None:
        readout = JointDecision(readout, Readout(Dense(n, classes, key=c), DT, 4e-3), steps)
    return Network([spiking(Dense(64, n, key=a), learned=("theta",)), readout])


def test_votes_are_shares_of_the_voters():
    net = voting()
    x = jax.random.uniform(jax.random.key(1), (5, 7, 64))
    response = answer(net, x)
    spikes = np.asarray(answer(net.readout.layer, response.spikes[0]))
    np.testing.assert_allclose(response.potentials, spikes.reshape(5, 7, 10, 3).mean(axis=-1))
    assert set(np.unique(np.round(3 * np.asarray(response.potentials)))) <= {0, 1, 2, 3}
    with pytest.raises(ModelError, match="divide"):
        Voters(spiking(Dense(4, 7, key=jax.random.key(0))), 2)


def test_the_joint_decision_is_a_convex_combination():
    """Its mean over time lies in [0, 1]; at equal weights it is the mean of votes and beliefs; ends
    of the share are either."""
    net = voting(steps=5)
    x = jax.random.uniform(jax.random.key(1), (5, 7, 64))
    response, joint = answer(net, x), net.readout
    spikes = response.spikes[0]
    votes = np.asarray(answer(joint.voters, spikes))
    beliefs = softmax(np.asarray(answer(joint.integrators, spikes)), axis=-1)
    score = np.mean(response.potentials, axis=0)
    np.testing.assert_allclose(score, 0.5 * (votes + beliefs).mean(axis=0), atol=1e-6)
    for share, only in ((50.0, votes), (-50.0, beliefs)):
        own = eqx.tree_at(lambda j: j.share, joint, jnp.asarray(share))
        np.testing.assert_allclose(
            np.mean(answer(own, spikes), axis=0), only.mean(axis=0), atol=1e-6
        )
    with pytest.raises(ModelError, match="weighs 5 steps"):
        joint(jnp.concatenate([spikes, spikes]))


# What the parts of this training compute, the tests of votes above and of losses by hand say.
@pytest.mark.long
@pytest.mark.parametrize("steps", [None, 4])
def test_voters_learn_digits_by_their_rates(steps):
    """Squared error of rates, thresholds and weights learned: above 70 % of ten digits after eight
    epochs (chance 10 %)."""
    task = replace(few_digits(), loss="rate_squared_error")
    result = train(
        voting(n=64, steps=steps),
        task,
        settings=Settings(epochs=8, learning_rate=0.01, intrinsic_factor=0.1),
    )
    assert result.test_score > 0.7
    assert 0 < result.test_loss < 0.09
    assert evaluate(result.network, task.test, task, batch_size=64).score == result.test_score


def test_a_network_of_voters_needs_keys_for_their_noise():
    noisy = Layer(Dense(8, 4, key=jax.random.key(0)), nc.models.noisy_lif(), DT, surrogate=None)
    net = Network([spiking(Dense(3, 8, key=jax.random.key(1))), Voters(noisy, 2)])
    assert net.is_stochastic and len(net.populations) == 2
    with pytest.raises(ModelError, match="random key"):
        net(jnp.ones((4, 2, 3)))
    learned, _ = trainable(net)
    assert learned.readout.layer.connection.weight.shape == (8, 4)
