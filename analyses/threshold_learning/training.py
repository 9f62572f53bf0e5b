"""Rows of tuning and of training: accuracy, rates, operations, thresholds, and accuracy under
disturbances of the same images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from analyses.protocol import score_of, scores_of, validation_of
from analyses.threshold_learning.networks import make_network, make_settings, make_task
from neurocode.learning import Part, Task, TrainingResult, energy, train
from neurocode.learning import perturbations as disturb

#: Standard deviation of the Gaussian noise relative to that of the inputs, share of salt and
#: pepper, and share of flipped hidden spikes.
NOISE, SALT, FLIPS = 1.0, 0.2, 0.1

Row = dict[str, Any]


def trained(row: Row) -> tuple[Task, TrainingResult]:
    """Return the task of a row and the result of its training."""
    task = make_task(row)
    return task, train(make_network(row, task), task, seed=row["seed"], settings=make_settings(row))


def tuning_row(**row: Any) -> dict[str, float]:
    """Return the validation scores of a setting; no test score is kept."""
    return validation_of(trained(row)[1])


def training_row(**row: Any) -> dict[str, float]:
    """Return the scores of the network that validation chose.

    Beside them stand its rates, thresholds, operations and energy, and its accuracy under
    disturbances of the whole test part.
    """
    task, result = trained(row)
    net, seed = result.network, row["seed"]
    counted = energy(net, drawn(task, seed), seed=seed)
    thresholds = np.concatenate(
        [np.ravel(layer.intrinsic.values()["theta"]) for layer in net.populations]
    )
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    rates = [float(chosen[f"rate_{k}"]) for k in range(len(net.layers))]
    disturbed = {
        "noise": (
            net,
            disturb.gaussian_noise(task.test, NOISE * float(task.test.inputs.std()), seed=seed),
        ),
        "salt": (
            net,
            disturb.salt_and_pepper(
                task.test,
                SALT,
                low=float(task.test.inputs.min()),
                high=float(task.test.inputs.max()),
                seed=seed,
            ),
        ),
        "flips": (disturb.spike_flips(net, FLIPS), task.test),
    }
    return {
        **scores_of(result, task, seed),
        "rate_hidden": float(np.mean(rates)),
        "rate_first": rates[0],
        "rate_last": rates[-1],
        "threshold_mean": float(thresholds.mean()),
        "threshold_spread": float(thresholds.std()),
        "operations": float(counted["operations"].sum()),
        "nanojoule": 1e-3 * float(counted["picojoule"].sum()),
        **{
            name: score_of(disturbed_net, inputs, task, seed)
            for name, (disturbed_net, inputs) in disturbed.items()
        },
    }


def drawn(task: Task, seed: int) -> Part:
    """Return the test part as it is presented to the network in one presentation."""
    if task.presentation is None:
        return task.test
    inputs = jnp.moveaxis(jnp.asarray(task.test.inputs), 0, 1)
    presented = task.shown(inputs, jax.random.key(seed), training=False)
    return replace(task.test, inputs=np.moveaxis(np.asarray(presented), 1, 0))
