"""The losses that come with neurocode: how they aggregate potentials over time and compare the
result with the targets."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.tasks.loss import LABELS_OF_STEPS, VALUES_OF_STEPS, Loss

Array = jax.Array


class CrossEntropy(Loss):
    """Cross entropy of the labels under the softmax of an aggregate of the potentials over time."""

    @abstractmethod
    def aggregate(self, potentials: Array, valid: Array) -> Array:
        """Return the aggregate (batch, outputs) of potentials (time, batch, outputs)."""

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Return the mean loss over sequences, and the number of right answers."""
        outputs = self.aggregate(evidence, valid)
        return jnp.mean(cross_entropy(outputs, targets)), jnp.sum(
            jnp.argmax(outputs, axis=-1) == targets
        )


class MaxOverTime(CrossEntropy):
    """Cross entropy of the highest potential of each output over the valid steps (Zenke & Vogels
    2021)."""

    name = "max_over_time"

    def aggregate(self, potentials: Array, valid: Array) -> Array:
        """Return the highest potential of each output."""
        return jnp.max(jnp.where(valid[..., None], potentials, -jnp.inf), axis=0)


class SumOfSoftmax(CrossEntropy):
    """Cross entropy of the softmax over outputs, summed over the valid steps (Baronig et al.
    2025)."""

    name = "sum_of_softmax"

    def aggregate(self, potentials: Array, valid: Array) -> Array:
        """Return the sum of the softmax of each output."""
        return jnp.sum(jax.nn.softmax(potentials, axis=-1) * valid[..., None], axis=0)


class MeanPotential(CrossEntropy):
    """Cross entropy of the mean potential over the valid steps (Baronig et al. 2025)."""

    name = "mean_potential"

    def aggregate(self, potentials: Array, valid: Array) -> Array:
        """Return the mean potential of each output."""
        return mean_potential(potentials, valid)


class LastStep(CrossEntropy):
    """Cross entropy of the potential in the last valid step."""

    name = "last_step"

    def aggregate(self, potentials: Array, valid: Array) -> Array:
        """Return the last potential of each output."""
        steps = jnp.arange(valid.shape[0])[:, None]
        last = jnp.max(jnp.where(valid, steps, 0), axis=0)
        return jnp.take_along_axis(potentials, last[None, :, None], axis=0)[0]


class RateSquaredError(Loss):
    """Squared error between the mean potential over time and one for the label, zero for the other
    outputs (Sun et al. 2023)."""

    name = "rate_squared_error"

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Return the mean error over sequences and outputs, and the number of right answers."""
        rates = mean_potential(evidence, valid)
        right = jax.nn.one_hot(targets, rates.shape[-1], dtype=rates.dtype)
        return jnp.mean((rates - right) ** 2), jnp.sum(jnp.argmax(rates, axis=-1) == targets)


class PerStep(Loss):
    """Cross entropy of the label of every valid step."""

    name = "per_step"
    targets = LABELS_OF_STEPS

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Return the mean loss over valid steps, and the number of right answers."""
        wrong = jnp.sum(cross_entropy(evidence, targets) * valid)
        return wrong / jnp.maximum(jnp.sum(valid), 1), jnp.sum(
            (jnp.argmax(evidence, axis=-1) == targets) & valid
        )


class SquaredError(Loss):
    """Squared error of trajectories, averaged over outputs and valid steps; the score is the same
    error."""

    name = "squared_error"
    score_name = "mean squared error"
    larger_is_better = False
    targets = VALUES_OF_STEPS

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Return the mean error over valid steps, and its sum over them."""
        squares = jnp.sum(jnp.mean((evidence - targets) ** 2, axis=-1) * valid)
        return squares / jnp.maximum(jnp.sum(valid), 1), squares


class SpikeLogLikelihood(Loss):
    """Negative log probability of recorded spikes per valid step, for networks that end with
    recorded neurons.

    With noise inside the network the probability of a sequence is its mean over passes; the
    logarithm of this mean is, on average, a lower bound of the true log probability.
    """

    name = "spike_log_likelihood"
    score_name = "log probability of a step in nats"
    targets = VALUES_OF_STEPS
    of_potentials = False

    def evidence(
        self, network: Any, batch: Any, key: Array | None, training: bool
    ) -> tuple[Array, tuple[Array, ...]]:
        """Return the log probability (batch,) of the spikes of each sequence, and the spikes of the
        layers.

        Raises
        ------
        ModelError
            For a network whose readout does not give the probability of spikes.
        """
        if not hasattr(network.readout, "log_probability"):
            raise ModelError(
                f"The loss '{self.name}' needs a network that ends with RecordedNeurons."
            )
        spikes = network(batch.inputs, key, training=training).spikes
        logs = network.readout.log_probability(
            spikes[-1] if spikes else batch.inputs, batch.targets, training=training
        )
        return jnp.sum(logs * batch.valid[..., None], axis=(0, 2)), spikes

    def pooled(self, evidence: Array) -> Array:
        """Return the logarithm of the mean probability over passes."""
        return jax.nn.logsumexp(evidence, axis=0) - jnp.log(len(evidence))

    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Return the negative mean over valid steps, and the sum."""
        total = jnp.sum(evidence)
        return -total / jnp.maximum(jnp.sum(valid), 1), total

    def complaint(self, targets: np.ndarray, steps: tuple[int, int], n_outputs: int) -> str | None:
        """Return what is wrong with the spikes of a part, or None if nothing is."""
        if (wrong := super().complaint(targets, steps, n_outputs)) is not None:
            return wrong
        return (
            None
            if np.all((targets == 0) | (targets == 1))
            else "recorded spikes must be 0 or 1 in every step; take a finer step."
        )


#: Losses by name; a further loss needs its class and one row here.
LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        MaxOverTime(),
        SumOfSoftmax(),
        MeanPotential(),
        LastStep(),
        RateSquaredError(),
        PerStep(),
        SquaredError(),
        SpikeLogLikelihood(),
    )
}


def as_loss(loss: str | Loss) -> Loss:
    """Return a loss as it is, or the loss with a name.

    Raises
    ------
    ModelError
        For an unknown name, an object that is not a loss, or a loss that does not consist of plain
        values.

    Examples
    --------
    >>> as_loss("per_step").targets
    'labels of steps'
    """
    if isinstance(loss, str) and loss in LOSSES:
        return LOSSES[loss]
    if not isinstance(loss, Loss):
        raise ModelError(
            f"{loss!r} is not a loss; known are {', '.join(LOSSES)}, or an object of a subclass of "
            f"neurocode.tasks.Loss."
        )
    try:
        hash(loss)
    except TypeError as error:
        raise ModelError(
            f"Loss '{loss.name}' must hold only numbers, strings, truth values or tuples of them "
            f"({error})."
        ) from None
    return loss


def mean_potential(potentials: Array, valid: Array) -> Array:
    """Return the mean potential (batch, outputs) over the valid steps."""
    return (
        jnp.sum(potentials * valid[..., None], axis=0)
        / jnp.maximum(jnp.sum(valid, axis=0), 1)[:, None]
    )


def cross_entropy(evidence: Array, labels: Array) -> Array:
    """Return the negative log probability of the labels under the softmax of the evidence."""
    return -jnp.take_along_axis(jax.nn.log_softmax(evidence, axis=-1), labels[..., None], axis=-1)[
        ..., 0
    ]
