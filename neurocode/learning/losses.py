"""Losses of a readout: aggregates of its potentials over time and what is compared with the targets."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError

Array = jax.Array
Aggregate = Callable[[Array, Array], Array]


def max_over_time(potentials: Array, valid: Array) -> Array:
    """Highest potential of each output over the valid steps (Zenke & Vogels 2021)."""
    return jnp.max(jnp.where(valid[..., None], potentials, -jnp.inf), axis=0)


def sum_of_softmax(potentials: Array, valid: Array) -> Array:
    """Softmax over outputs, summed over the valid steps (Baronig et al. 2025)."""
    return jnp.sum(jax.nn.softmax(potentials, axis=-1) * valid[..., None], axis=0)


def mean_potential(potentials: Array, valid: Array) -> Array:
    """Mean potential over the valid steps (Baronig et al. 2025)."""
    return jnp.sum(potentials * valid[..., None], axis=0) / jnp.maximum(jnp.sum(valid, axis=0), 1)[:, None]


def last_step(potentials: Array, valid: Array) -> Array:
    """Potential in the last valid step."""
    steps = jnp.arange(valid.shape[0])[:, None]
    last = jnp.max(jnp.where(valid, steps, 0), axis=0)
    return jnp.take_along_axis(potentials, last[None, :, None], axis=0)[0]


AGGREGATES: dict[str, Aggregate] = {
    "max_over_time": max_over_time, "sum_of_softmax": sum_of_softmax, "mean_potential": mean_potential, "last_step": last_step,
}  # fmt: skip
#: Losses by step: cross entropy of labels, mean squared error of trajectories.
PER_STEP = ("per_step", "squared_error")
RATE = "rate_squared_error"
#: Of networks that end with recorded neurons.
LIKELIHOOD = "spike_log_likelihood"
LOSSES = (*AGGREGATES, RATE, *PER_STEP, LIKELIHOOD)


def loss_and_score(name: str, potentials: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
    """Mean loss, and the number of right answers or the sum of squared errors.

    Parameters
    ----------
    name : str
        An aggregate over time followed by cross entropy, ``"rate_squared_error"`` (mean over time and outputs against one for the
        label and zero for others; Sun et al. 2023), ``"per_step"`` (cross entropy in every valid step, mean over all), or
        ``"squared_error"``.
    potentials : array (time, batch, outputs)
    targets : array
        Labels (batch,), for ``"per_step"`` (time, batch), for ``"squared_error"`` (time, batch, outputs).
    valid : bool array (time, batch)
        Steps that count.

    Returns
    -------
    loss : array
    score : array
        Right answers, or for ``"squared_error"`` the loss times the number of answers.

    Raises
    ------
    ModelError
        For an unknown loss.
    """
    if name in AGGREGATES:
        evidence = AGGREGATES[name](potentials, valid)
        return jnp.mean(cross_entropy(evidence, targets)), jnp.sum(jnp.argmax(evidence, axis=-1) == targets)
    if name == RATE:
        rates = mean_potential(potentials, valid)
        right = jax.nn.one_hot(targets, rates.shape[-1], dtype=rates.dtype)
        return jnp.mean((rates - right) ** 2), jnp.sum(jnp.argmax(rates, axis=-1) == targets)
    count = jnp.maximum(jnp.sum(valid), 1)
    if name == "per_step":
        wrong = jnp.sum(cross_entropy(potentials, targets) * valid)
        return wrong / count, jnp.sum((jnp.argmax(potentials, axis=-1) == targets) & valid)
    if name == "squared_error":
        squares = jnp.sum(jnp.mean((potentials - targets) ** 2, axis=-1) * valid)
        return squares / count, squares
    raise ModelError(f"'{name}' is no loss; known are {', '.join(LOSSES)}.")


def answers(name: str, valid: Array) -> Array:
    """Number of answers that a score counts: valid steps, or sequences."""
    return jnp.sum(valid) if name in (*PER_STEP, LIKELIHOOD) else jnp.asarray(valid.shape[1])


def cross_entropy(evidence: Array, labels: Array) -> Array:
    """Negative log probability of the labels under the softmax of the evidence."""
    return -jnp.take_along_axis(jax.nn.log_softmax(evidence, axis=-1), labels[..., None], axis=-1)[..., 0]
