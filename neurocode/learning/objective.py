"""Loss of a network on a batch, its gradient, and the report of both."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from neurocode.errors import TrainingError
from neurocode.learning.free_running import free_running
from neurocode.learning.network import Network
from neurocode.learning.random_numbers import required
from neurocode.learning.regularisers import Regulariser
from neurocode.tasks.loss import Loss

Array = jax.Array

AXIS = "batch"


class Batch(NamedTuple):
    """Sequences of one update, with time as the first axis.

    Attributes
    ----------
    inputs : array (time, batch, channels)
    targets : array
        Labels (batch,) or (time, batch), or trajectories or recorded spikes (time, batch, outputs).
    valid : bool array (time, batch)
    """

    inputs: Array
    targets: Array
    valid: Array


class Report(NamedTuple):
    """Results on a batch: the loss, the sum of scores, the number of answers it counts, and the
    spikes per neuron and step of each layer."""

    loss: Array
    score: Array
    answers: Array
    rates: Array


def objective(
    learned: Network,
    rest: Network,
    batch: Batch,
    loss: Loss,
    regulariser: Regulariser,
    key: Array | None,
    training: bool,
    free_running_from: int | None = None,
    weight: Array | float = 1.0,
    passes: int = 1,
) -> tuple[Array, Report]:
    """Return the regularised loss and the report. ``weight`` is the weight of the batch if it is a
    part of a larger one; weights average one.

    The loss defines how the evidence of several passes of a noisy network is pooled; most losses
    average potentials.
    """
    network = eqx.combine(learned, rest)
    if free_running_from is None:
        evidence, spikes = _evidence(network, batch, loss, key, training, passes)
    else:
        evidence, spikes = free_running(network, batch.inputs, free_running_from)
    value, score = loss.loss_and_score(evidence, batch.targets, batch.valid)
    rates = jnp.stack([jnp.mean(layer) for layer in spikes]) if spikes else jnp.zeros(0)
    report = Report(weight * value, score, loss.answers(batch.valid), rates)
    return weight * value + regulariser(network, spikes), report


def _evidence(
    network: Network, batch: Batch, loss: Loss, key: Array | None, training: bool, passes: int
) -> tuple[Array, tuple[Array, ...]]:
    """Return the pooled evidence of all passes for the loss, and the spikes of the layers averaged
    over passes."""
    if passes == 1:
        return loss.evidence(network, batch, key, training)
    evidence, spikes = jax.lax.map(
        lambda pass_key: loss.evidence(network, batch, pass_key, training),
        jax.random.split(required(key, "The mean of several passes"), passes),
    )
    return loss.pooled(evidence), jax.tree.map(lambda values: jnp.mean(values, axis=0), spikes)


def gradient(
    learned: Network,
    rest: Network,
    batch: Batch,
    loss: Loss,
    regulariser: Regulariser,
    key: Array | None,
    blocks: int = 1,
    free_running_from: int | None = None,
    devices: int = 1,
) -> tuple[Network, Report]:
    """Return the gradient of the objective, and the report.

    With several devices each takes its part of the batch. On each device ``blocks`` parts are
    computed one after another, which keeps the arrays of one part in the cache. The loss is that of
    the whole batch, however it is divided. Devices draw noise and dropout independently.

    Raises
    ------
    TrainingError
        If there are fewer devices.
    """

    def parts(learned: Network, batch: Batch, key: Array | None) -> tuple[Network, Report]:
        total, number = loss.answers(batch.valid), blocks * devices
        if devices > 1:
            total = jax.lax.psum(total, AXIS)
            key = None if key is None else jax.random.fold_in(key, jax.lax.axis_index(AXIS))

        def differentiate(part: Batch, key: Array | None) -> tuple[Network, Report]:
            weight = loss.answers(part.valid) * number / total
            function = jax.value_and_grad(objective, has_aux=True)
            (_, report), slopes = function(
                learned, rest, part, loss, regulariser, key, True, free_running_from, weight
            )
            return slopes, report

        result = (
            differentiate(batch, key)
            if blocks == 1
            else _one_by_one(differentiate, batch, key, blocks)
        )
        slopes, report = result if devices == 1 else jax.lax.psum(result, AXIS)
        slopes = jax.tree.map(lambda value: value / number, slopes)
        return slopes, Report(
            report.loss / number, report.score, report.answers, report.rates / number
        )

    if devices == 1:
        return parts(learned, batch, key)
    everywhere, split = PartitionSpec(), PartitionSpec(None, AXIS)
    targets = PartitionSpec(AXIS) if batch.targets.ndim == 1 else split
    run = jax.shard_map(
        parts,
        mesh=mesh_of(devices),
        in_specs=(everywhere, Batch._make((split, targets, split)), everywhere),
        out_specs=everywhere,
        check_vma=False,
    )
    return run(learned, batch, key)


def mesh_of(devices: int) -> Mesh:
    """Return a mesh of the first ``devices`` devices.

    Raises
    ------
    TrainingError
        If there are fewer.
    """
    if devices > len(jax.devices()):
        raise TrainingError(
            f"{devices} devices were requested, but only {len(jax.devices())} are available."
        )
    return Mesh(np.array(jax.devices()[:devices]), (AXIS,))


def _one_by_one(
    differentiate: Callable[[Batch, Array | None], tuple[Network, Report]],
    batch: Batch,
    key: Array | None,
    blocks: int,
) -> tuple[Network, Report]:
    """Return the sums of gradients and reports over equal parts of a batch."""
    axis = 0 if batch.targets.ndim == 1 else 1
    parts = Batch(
        _blocks(batch.inputs, blocks, 1),
        _blocks(batch.targets, blocks, axis),
        _blocks(batch.valid, blocks, 1),
    )
    keys = None if key is None else jax.random.split(key, blocks)

    def visit(carry: tuple, part: tuple[Batch, Array | None]) -> tuple[tuple, None]:
        return jax.tree.map(jnp.add, carry, differentiate(*part)), None

    first = jax.tree.map(lambda array: array[0], (parts, keys))
    shapes = jax.eval_shape(lambda part: differentiate(*part), first)
    start = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    return jax.lax.scan(visit, start, (parts, keys))[0]


def _blocks(array: Array, blocks: int, axis: int) -> Array:
    """Return the equal parts of the batch along a new first axis."""
    shape = (*array.shape[:axis], blocks, array.shape[axis] // blocks, *array.shape[axis + 1 :])
    return jnp.moveaxis(array.reshape(shape), axis, 0)
