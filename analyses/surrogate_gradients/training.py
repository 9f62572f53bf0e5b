"""Rows of tuning and of training, with and without early stopping, and of the test whether a
network can learn from its start."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analyses.protocol import is_trained, score_of, scores_of, training_of, validation_of
from analyses.surrogate_gradients.learnability import derivative_at_start
from analyses.surrogate_gradients.networks import make_network, make_settings, make_task
from analyses.surrogate_gradients.protocols import START_RATES
from neurocode.learning import Network, Task, TrainingResult, evaluate, train

Row = dict[str, Any]


def trained(row: Row) -> tuple[Task, Network, TrainingResult]:
    """Return the task of a row, its network before training, and the result of the training."""
    task = make_task(row)
    start = make_network(row, task)
    return task, start, train(start, task, seed=row["seed"], settings=make_settings(row))


def tuning_row(**row: Any) -> dict[str, float]:
    """Return the validation scores of a setting; no test score is kept."""
    return validation_of(trained(row)[2])


def training_row(**row: Any) -> dict[str, float]:
    """Return the scores of the network that validation chose, and the spikes per neuron and
    sequence in its least active layer."""
    task, start, result = trained(row)
    spikes = {
        "initial_spikes": least_active(start, task),
        "spikes": least_active(result.network, task),
    }
    return {**scores_of(result, task, row["seed"]), **spikes}


def least_active(network: Network, task: Task) -> float:
    """Return the spikes per neuron and validation sequence in the layer that fires least."""
    return task.validation.inputs.shape[1] * float(
        np.min(evaluate(network, task.validation, task, batch_size=250).rates)
    )


def last_tuning_row(**row: Any) -> dict[str, float]:
    """Return the validation scores of the network after its last update.

    Early stopping is not used here, because it would choose an epoch before the bound of activity
    took effect.
    """
    result = trained(row)[2]
    last = result.history.iloc[-1]
    return {name: float(last[name]) for name in ("validation_score", "validation_loss")} | {
        "best_epoch": result.best_epoch
    }


def last_row(**row: Any) -> dict[str, float]:
    """Return the scores and the activity of the network after its last update."""
    task, _, result = trained(row)
    scores = {
        f"{name}_score": score_of(result.last, getattr(task, name), task, row["seed"])
        for name in ("training", "test")
    }
    return {
        **training_of(result, task, row["seed"]),
        **scores,
        "spikes": least_active(result.last, task),
    }


def start_row(**row: Any) -> dict[str, float]:
    """Return the scores at the best of the learning rates, and the derivative before training.

    A rate at which the network trains is better than one at which it does not; otherwise the better
    rate is the one with the higher training score.
    """
    options = {"family": row["shape"], "height": row["height"], "slope": row["slope"]}
    row_with_surrogate = {**row, "surrogate": options}
    task = make_task(row_with_surrogate)
    start = make_network(row_with_surrogate, task)
    results = [
        train(
            start,
            task,
            seed=row["seed"],
            settings=make_settings({**row_with_surrogate, "rate": rate}),
        )
        for rate in START_RATES
    ]
    scores = pd.DataFrame(
        [
            {**training_of(result, task, row["seed"]), "test_score": result.test_score}
            for result in results
        ]
    )
    best = (
        scores.assign(learns=is_trained(scores)).sort_values(["learns", "training_score"]).iloc[-1]
    )
    return {**best.drop("learns").astype(float), **derivative_at_start(start, task, row["seed"])}
