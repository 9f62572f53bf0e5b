"""Calibration: how well the confidence of a network agrees with its accuracy."""

from __future__ import annotations

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from analyses.protocol import EVALUATED
from neurocode.learning import Network, Part, Task
from neurocode.learning.evaluation import as_batch
from neurocode.learning.objective import Batch
from neurocode.tasks.losses import CrossEntropy

Array = jax.Array

BINS = 15


def class_probabilities(
    network: Network, part: Part, task: Task, seed: int, passes: int
) -> np.ndarray:
    """Return the probabilities (sequences, classes) of the classes, averaged over passes.

    They come from the softmax with which the network was trained.
    """
    rows = []
    for number, start in enumerate(range(0, len(part), EVALUATED)):
        batch = as_batch(part.select(np.arange(start, min(start + EVALUATED, len(part)))))
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), number), passes)
        rows.append(np.asarray(_mean_probabilities(network, batch, keys, task.loss)))
    return np.concatenate(rows)


@eqx.filter_jit
def _mean_probabilities(network: Network, batch: Batch, keys: Array, loss: CrossEntropy) -> Array:
    return jnp.mean(jax.lax.map(partial(_probabilities, network, batch, loss), keys), axis=0)


def _probabilities(network: Network, batch: Batch, loss: CrossEntropy, key: Array) -> Array:
    return jax.nn.softmax(
        loss.aggregate(network(batch.inputs, key).potentials, batch.valid), axis=-1
    )


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the expected calibration error (Guo et al. 2017).

    It is the gap between the mean confidence and the accuracy in each of fifteen bins of equal
    width, averaged over sequences. The confidence of a sequence is its highest probability.
    """
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(np.sum(correct[place == k]) - np.sum(confidence[place == k])) for k in range(BINS)]
    return float(np.sum(gaps) / len(labels))
