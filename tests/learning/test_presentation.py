"""Sequences shown as newly drawn spikes, or shifted in training: what the network receives, and
when."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.learning import (
    Dense,
    Network,
    Readout,
    Settings,
    evaluate,
    perturbations,
    rules,
    tasks,
    train,
)
from neurocode.tasks import Presentation, RateCoding, Shifts


def test_rate_coding_draws_bernoulli_spikes_of_the_inputs():
    """20 000 draws of each of four probabilities: within 4.5 standard errors; 0 and 1 exactly;
    other keys, other spikes."""
    p = jnp.asarray([0.0, 0.2, 0.7, 1.0])
    inputs = jnp.broadcast_to(p, (20, 1000, 4))
    spikes = np.asarray(RateCoding()(inputs, jax.random.key(1)))
    assert set(np.unique(spikes)) == {0.0, 1.0}
    means = spikes.mean(axis=(0, 1))
    assert means[0] == 0.0 and means[3] == 1.0
    assert np.all(np.abs(means[1:3] - p[1:3]) < 4.5 * np.sqrt(p[1:3] * (1 - p[1:3]) / 20_000))
    lag = np.corrcoef(spikes[:-1, :, 2].ravel(), spikes[1:, :, 2].ravel())[0, 1]
    assert abs(lag) < 4.5 / np.sqrt(19_000)
    assert not np.array_equal(spikes, RateCoding()(inputs, jax.random.key(2)))


def test_a_spike_stands_for_its_probability_on_the_way_back():
    weights = jnp.asarray([[[1.0, -2.0, 0.5]]])
    slope = jax.grad(lambda x: jnp.sum(weights * RateCoding()(x, jax.random.key(0))))(
        jnp.full((1, 1, 3), 0.4)
    )
    np.testing.assert_array_equal(slope, weights)


def test_shifts_move_an_image_as_a_whole_the_same_way_in_all_steps():
    """A bright pixel in the middle of 5 by 5 lands on each of nine places about equally often, in
    both channels alike."""
    image = np.zeros((2, 5, 5))
    image[0, 2, 2], image[1, 2, 3] = 1.0, 2.0
    inputs = jnp.broadcast_to(jnp.asarray(image).reshape(1, 1, -1), (3, 3600, 50))
    shown = jax.jit(lambda x: Shifts((2, 5, 5), 1)(x, jax.random.key(0)))(inputs)
    shown = np.asarray(shown).reshape(3, 3600, 2, 5, 5)
    np.testing.assert_array_equal(shown[0], shown[2])
    places = shown[0, :, 0].reshape(3600, 25).argmax(axis=1)
    np.testing.assert_array_equal(shown[0, :, 1].reshape(3600, 25).argmax(axis=1), places + 1)
    where, counts = np.unique(places, return_counts=True)
    assert where.tolist() == [6, 7, 8, 11, 12, 13, 16, 17, 18]
    assert np.abs(counts - 400).max() < 4.5 * np.sqrt(400)
    corner = np.zeros((1, 1, 25), np.float32)
    corner[0, 0, 0] = 1.0
    shifted = jax.jit(jax.vmap(lambda key: Shifts((1, 5, 5), 1)(jnp.asarray(corner), key).sum()))
    kept = shifted(jax.vmap(jax.random.key)(jnp.arange(400)))
    # moved up or left, five of nine ways, it is gone
    assert abs(float(kept.mean()) - 4 / 9) < 4.5 * np.sqrt(20 / 81 / 400)


@dataclass(frozen=True)
class Doubled(Presentation):
    """A presentation that doubles the inputs, in training only or always."""

    in_evaluation: ClassVar[bool] = True

    def __call__(self, inputs, key):
        return 2 * inputs


@dataclass(frozen=True)
class DoubledInTraining(Doubled):
    in_evaluation: ClassVar[bool] = False


def network():
    return Network([Readout(Dense(64, 10, key=jax.random.key(0)), 1e-3)])


def small_digits(presentation, factor=1.0):
    task = tasks.digits(n_steps=3)
    parts = {name: getattr(task, name) for name in ("training", "validation", "test")}
    return replace(
        task,
        presentation=presentation,
        **{name: replace(part, inputs=factor * part.inputs) for name, part in parts.items()},
    )


SETTINGS = Settings(epochs=2, batch_size=50, learning_rate=1e-2)
#: A learning rate too small to move a weight.
STILL = Settings(epochs=2, batch_size=50, learning_rate=1e-12)


def test_training_and_evaluation_show_what_the_presentation_makes():
    """Doubling by the presentation has the same effect as doubled data, update for update. If it
    doubles in training only, evaluation uses the data."""
    data = train(network(), small_digits(None, 2.0), settings=SETTINGS)
    presented = train(network(), small_digits(Doubled()), settings=SETTINGS)
    for a, b in zip(jax.tree.leaves(data.last), jax.tree.leaves(presented.last), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    assert presented.test_score == pytest.approx(data.test_score)
    part = train(network(), small_digits(DoubledInTraining()), settings=SETTINGS)
    np.testing.assert_allclose(
        jax.tree.leaves(part.last)[0], jax.tree.leaves(data.last)[0], rtol=1e-5, atol=1e-6
    )
    plain = small_digits(None)
    assert part.test_loss == pytest.approx(
        evaluate(part.network, plain.test, plain, batch_size=50).loss, rel=1e-5
    )
    assert part.test_loss != pytest.approx(data.test_loss, rel=1e-3)


def test_an_evaluation_draws_the_same_spikes_for_one_seed_and_others_for_another():
    task, net = small_digits(RateCoding()), network()
    losses = [evaluate(net, task.test, task, seed=seed, batch_size=50).loss for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]


def test_each_epoch_draws_other_spikes():
    """A learning rate too small to move a weight leaves the loss of an epoch to the draws alone."""
    history = train(network(), small_digits(RateCoding()), settings=STILL).history
    assert history["loss"][0] != history["loss"][1]
    assert history["validation_loss"][0] == history["validation_loss"][1]


def test_attacks_go_through_the_presentation():
    """The gradient of doubled inputs has the sign of that at doubled data."""
    task, doubled = small_digits(Doubled()), small_digits(None, 2.0)
    attacked = (
        perturbations.fast_gradient_sign(network(), task.test, task, 0.1).inputs - task.test.inputs
    )
    expected = (
        perturbations.fast_gradient_sign(network(), doubled.test, doubled, 0.1).inputs
        - doubled.test.inputs
    )
    np.testing.assert_array_equal(np.sign(attacked.round(6)), np.sign(expected.round(6)))


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(
        DataError, match="inputs lie between 0 and 2, but probabilities lie between 0 and 1"
    ):
        small_digits(RateCoding(), 2.0)
    with pytest.raises(DataError, match=r"inputs have 64 channels, but images \(1, 7, 7\) have 49"):
        small_digits(Shifts((1, 7, 7), 1))
    with pytest.raises(DataError, match="at least one pixel, not by 0"):
        Shifts((1, 8, 8), 0)
    with pytest.raises(DataError, match="which local rules do not"):
        rules.rule.require_labels(small_digits(RateCoding()))


def test_a_checkpoint_of_another_presentation_is_refused(tmp_path):
    train(network(), small_digits(RateCoding()), settings=STILL, folder=tmp_path)
    with pytest.raises(DataError, match=r"another 'task.presentation"):
        train(network(), small_digits(None), settings=STILL, folder=tmp_path)
