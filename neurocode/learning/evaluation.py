"""Evaluation of a network on a part of a task: whether both fit, batches, and loss and score."""

from __future__ import annotations

from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError
from neurocode.learning.network import Network
from neurocode.learning.objective import Batch, Report, objective
from neurocode.learning.regularisers import Regulariser
from neurocode.learning.settings import require_whole
from neurocode.learning.trainable import trainable
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import as_loss
from neurocode.tasks.task import Part, Task

Array = jax.Array


class Evaluation(NamedTuple):
    """Loss, score (share of right answers or mean squared error), and the number of spikes per
    neuron and step in each layer."""

    loss: float
    score: float
    rates: tuple[float, ...]


def evaluate(
    network: Network,
    part: Part,
    task: Task,
    *,
    seed: int = 0,
    batch_size: int = 256,
    passes: int = 1,
) -> Evaluation:
    """Return the loss and score of a network on a part of a task, without dropout.

    Parameters
    ----------
    network : Network
    part : Part
    task : Task
    seed : int
        Seed of the noise of noisy networks.
    batch_size : int
    passes : int
        Number of passes of a noisy network whose potentials are averaged (an ensemble).

    Raises
    ------
    TrainingError
        If the seed, the batch size or the number of passes is not a whole number in range.
    """
    for name, value, least in (
        ("seed", seed, 0),
        ("batch_size", batch_size, 1),
        ("passes", passes, 1),
    ):
        require_whole(name, value, least)
    learned, rest = trainable(network)
    reports, weights = [], []
    for number, start in enumerate(range(0, len(part), batch_size)):
        indices = np.arange(start, min(start + batch_size, len(part)))
        key = jax.random.fold_in(jax.random.key(seed), number)
        batch = as_batch(part.select(indices))
        batch = batch._replace(inputs=task.shown(batch.inputs, key, training=False))
        reports.append(
            _measured(learned, batch, key, rest, as_loss(task.loss), task.free_running_from, passes)
        )
        weights.append(float(reports[-1].answers))
    share = np.array(weights) / sum(weights)
    loss = float(sum(w * float(r.loss) for w, r in zip(share, reports, strict=True)))
    rates = np.sum([w * np.asarray(r.rates) for w, r in zip(share, reports, strict=True)], axis=0)
    return Evaluation(
        loss,
        float(sum(float(r.score) for r in reports) / sum(weights)),
        tuple(float(rate) for rate in rates),
    )


@eqx.filter_jit
def _measured(
    learned: Network,
    batch: Batch,
    key: Array,
    rest: Network,
    loss: Loss,
    free_running_from: int | None,
    passes: int,
) -> Report:
    return objective(
        learned, rest, batch, loss, Regulariser(), key, False, free_running_from, passes=passes
    )[1]


def on_devices(part: Part) -> Part:
    """Return a part in the memory of the accelerator."""
    return jax.tree.map(jnp.asarray, Part(part.inputs, _narrow(part.targets), part.valid))


def as_batch(part: Part) -> Batch:
    """Return the sequences of a part as a network takes them. Axes are moved in NumPy, because JAX
    would compile a program for it."""
    return jax.tree.map(
        jnp.asarray, time_first(Part(part.inputs, _narrow(part.targets), part.valid))
    )


def time_first(part: Part) -> Batch:
    """Return a batch with time as the first axis and numbers of the precision in use; its arrays
    are of the library of the part's."""
    targets = part.targets if part.targets.ndim == 1 else part.targets.swapaxes(0, 1)
    inputs = part.inputs.swapaxes(0, 1).astype(jnp.result_type(float))
    return Batch._make((inputs, targets, part.valid.T))


def _narrow(targets: np.ndarray) -> np.ndarray:
    return targets.astype(np.int32 if np.issubdtype(targets.dtype, np.integer) else np.float32)


def check_fit(network: Network, task: Task, batch_size: int) -> None:
    """Raise for a task that a network cannot learn in batches of a given size."""
    if network.n_in != task.n_inputs or network.n_out != task.n_outputs:
        raise DataError(
            f"Task '{task.name}' has {task.n_inputs} inputs and {task.n_outputs} outputs, "
            f"the network {network.n_in} and {network.n_out}."
        )
    if not np.isclose(network.dt, task.dt):
        raise DataError(
            f"Task '{task.name}' has a time step of {task.dt} s, the network one of {network.dt} s."
        )
    if len(task.training) < batch_size:
        raise DataError(
            f"Task '{task.name}' has {len(task.training)} training sequences, fewer than a batch."
        )
