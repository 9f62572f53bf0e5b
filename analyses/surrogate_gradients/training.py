"""Rows of tuning and of training, with bounds of activity that stay, and what a start can learn."""

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
    """Task of a row, its network at the start, and the training."""
    task = make_task(row)
    start = make_network(row, task)
    return task, start, train(start, task, seed=row["seed"], settings=make_settings(row))


def tuning_row(**row: Any) -> dict[str, float]:
    """What validation says of a setting; no test score is kept."""
    return validation_of(trained(row)[2])


def training_row(**row: Any) -> dict[str, float]:
    """Scores of the network that validation chose, and spikes per neuron and sequence of its least
    active layer."""
    task, start, result = trained(row)
    spikes = {
        "initial_spikes": least_active(start, task),
        "spikes": least_active(result.network, task),
    }
    return {**scores_of(result, task, row["seed"]), **spikes}


def least_active(network: Network, task: Task) -> float:
    """Spikes per neuron and validation sequence of the layer that fires least."""
    return task.validation.inputs.shape[1] * float(
        np.min(evaluate(network, task.validation, task, batch_size=250).rates)
    )


def last_tuning_row(**row: Any) -> dict[str, float]:
    """What validation says of the network after its last update: early stopping would undo a bound
    of activity."""
    result = trained(row)[2]
    last = result.history.iloc[-1]
    return {name: float(last[name]) for name in ("validation_score", "validation_loss")} | {
        "best_epoch": result.best_epoch
    }


def last_row(**row: Any) -> dict[str, float]:
    """Scores and activity of the network after its last update."""
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
    """Whether a start can learn at one of the rates, and the derivative where its potentials are."""
    options = {"family": row["shape"], "height": row["height"], "slope": row["slope"]}
    own = {**row, "surrogate": options}
    task = make_task(own)
    start = make_network(own, task)
    found = [
        train(start, task, seed=row["seed"], settings=make_settings({**own, "rate": rate}))
        for rate in START_RATES
    ]
    scores = pd.DataFrame(
        [
            {**training_of(result, task, row["seed"]), "test_score": result.test_score}
            for result in found
        ]
    )
    best = (
        scores.assign(learns=is_trained(scores)).sort_values(["learns", "training_score"]).iloc[-1]
    )
    return {**best.drop("learns").astype(float), **derivative_at_start(start, task, row["seed"])}
