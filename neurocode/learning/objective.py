"""Loss of a network on a batch, its gradient, and what is shown of it."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.learning.free_running import free_running
from neurocode.learning.losses import answers, loss_and_score
from neurocode.learning.network import Network
from neurocode.learning.regularisers import Regulariser

Array = jax.Array


class Batch(NamedTuple):
    """Sequences of one update, time first.

    Attributes
    ----------
    inputs : array (time, batch, channels)
    targets : array
        Labels (batch,) or (time, batch), or trajectories (time, batch, outputs).
    valid : bool array (time, batch)
    """

    inputs: Array
    targets: Array
    valid: Array


class Report(NamedTuple):
    """What a batch showed: loss, score and its answers, spikes per neuron and step of each layer, faults."""

    loss: Array
    score: Array
    answers: Array
    rates: Array


def objective(
    learned: Network, rest: Network, batch: Batch, loss: str, regulariser: Regulariser, key: Array | None, training: bool,
    free_running_from: int | None = None,
) -> tuple[Array, Report]:  # fmt: skip
    """Regularised loss, and the report."""
    net = eqx.combine(learned, rest)
    if free_running_from is None:
        response = net(batch.inputs, key, training=training)
    else:
        response = free_running(net, batch.inputs, free_running_from)
    value, score = loss_and_score(loss, response.potentials, batch.targets, batch.valid)
    rates = jnp.stack([jnp.mean(spikes) for spikes in response.spikes]) if response.spikes else jnp.zeros(0)
    report = Report(value, score, answers(loss, batch.valid), rates)
    return value + regulariser(net, response.spikes), report


def gradient(
    learned: Network, rest: Network, batch: Batch, loss: str, regulariser: Regulariser, key: Array | None, blocks: int = 1,
    free_running_from: int | None = None,
) -> tuple[Network, Report]:  # fmt: skip
    """Gradient of the objective, and the report.

    ``blocks`` parts of the batch are taken one after another, which keeps the arrays of one part in the cache; losses are means, so
    the parts must be of equal size and, for losses by step, of equally many valid steps.
    """

    def differentiate(batch: Batch, key: Array | None) -> tuple[tuple[Array, Report], Network]:
        function = jax.value_and_grad(objective, has_aux=True)
        return function(learned, rest, batch, loss, regulariser, key, True, free_running_from)

    if blocks == 1:
        (_, report), slopes = differentiate(batch, key)
        return slopes, report
    axis = 0 if batch.targets.ndim == 1 else 1
    parts = Batch(_blocks(batch.inputs, blocks, 1), _blocks(batch.targets, blocks, axis), _blocks(batch.valid, blocks, 1))
    keys = None if key is None else jax.random.split(key, blocks)

    def visit(carry: tuple, part: tuple[Batch, Array | None]) -> tuple[tuple, None]:
        (_, report), slopes = differentiate(*part)
        return jax.tree.map(jnp.add, carry, (slopes, report)), None

    shapes = jax.eval_shape(
        lambda part: differentiate(*part),
        jax.tree.map(lambda array: array[0], (parts, keys)),
    )
    start = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), (shapes[1], shapes[0][1]))
    (slopes, report), _ = jax.lax.scan(visit, start, (parts, keys))
    mean = jax.tree.map(lambda value: value / blocks, slopes)
    return mean, Report(report.loss / blocks, report.score, report.answers, report.rates / blocks)


def _blocks(array: Array, blocks: int, axis: int) -> Array:
    """Equal parts of the batch, along a new first axis."""
    shape = (*array.shape[:axis], blocks, array.shape[axis] // blocks, *array.shape[axis + 1 :])
    return jnp.moveaxis(array.reshape(shape), axis, 0)
