"""A row of the training tables: one network, trained, tested on the epoch that validation chose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from analyses.adaptive_lif.networks import make_network, make_settings, make_task
from neurocode.learning import Task, TrainingResult, free_running, train
from neurocode.studies import key_of

#: Steps of a window of the course of an error: 25 ms of the spring-mass trajectories.
WINDOW = 10


def trained(row: dict[str, Any], folder: Path) -> tuple[Task, TrainingResult]:
    """Task and trained network of a row; a training kept in the folder is gone on with, or read where it is complete."""
    task = make_task(row)
    net = make_network(row, task)
    return task, train(net, task, seed=row["seed"], settings=make_settings(row), folder=folder / key_of(row))


def training_row(folder: Path, **row: Any) -> dict[str, Any]:
    """Scores of a network, its size and its learning curve.

    The score is the share of right answers; for trajectories the mean squared error of the free-running second half, beside
    that of the prediction of zero and that of the whole trajectory.
    """
    task, result = trained(row, folder)
    history = result.history
    chosen = history.loc[history["epoch"] == result.best_epoch].iloc[0]
    found = {
        "parameters": result.network.n_parameters,
        "best_epoch": result.best_epoch, "validation_score": float(chosen["validation_score"]), "test_loss": result.test_loss,
        "test_score": result.test_score, "spike_rate": float(chosen["rate_0"]),
        "curve": json.dumps([round(float(value), 5) for value in history["validation_score"]]),
    }  # fmt: skip
    if not task.loss.larger_is_better:
        return {**found, "both_halves": result.test_score, **free_running_errors(task, result)}
    return {**found, "majority": float(np.bincount(task.test.targets.ravel()).max() / task.test.targets.size)}


def free_running_errors(task: Task, result: TrainingResult) -> dict[str, Any]:
    """Mean squared error of the free-running half, that of the prediction of zero, and the course of the first in windows."""
    start, test = task.free_running_from, task.test
    response = free_running(result.network, jnp.moveaxis(jnp.asarray(test.inputs), 0, 1), start)
    errors = np.mean((np.asarray(response.potentials) - np.moveaxis(test.targets, 0, 1)) ** 2, axis=(1, 2))
    windows = errors[start : start + len(errors[start:]) // WINDOW * WINDOW].reshape(-1, WINDOW).mean(axis=1)
    return {
        "test_score": float(errors[start:].mean()), "zero_predictor": float(np.mean(test.targets[:, start:] ** 2)),
        "course": json.dumps([round(float(value), 6) for value in windows]),
    }  # fmt: skip
