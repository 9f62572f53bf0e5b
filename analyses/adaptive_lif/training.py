"""Rows of tuning and training: one network, trained, tested on the epoch that validation chose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from analyses.adaptive_lif.delays import DelayedDense, settled
from analyses.adaptive_lif.networks import Row, make_network, make_settings, make_task
from analyses.protocol import is_trained, scores_of, validation_of
from neurocode.learning import (
    Network,
    Part,
    Task,
    TrainingResult,
    free_running,
    run_in_brian,
    stratified,
    train,
)
from neurocode.studies import key_of

#: Steps of a window of the course of an error: 25 ms of the spring-mass trajectories.
WINDOW = 10
#: A network of trajectories whose free-running error on training sequences is above this share of
#: that of zero did not train.
FAILED = 0.5
#: Training sequences on which that is asked, and test sequences that Brian2 runs.
ASKED, IN_BRIAN = 200, 20


def trained(row: Row, folder: Path | None = None) -> tuple[Task, TrainingResult]:
    """Task and trained network of a row; a training kept in the folder is gone on with, or read
    where it is complete."""
    task = make_task(row)
    place = None if folder is None else folder / key_of(row)
    return task, train(
        make_network(row, task), task, seed=row["seed"], settings=make_settings(row), folder=place
    )


def tuning_row(**row: Any) -> dict[str, float]:
    """What validation says of a learning rate; no test score is kept. Of errors the highest score
    is the smallest one."""
    task, result = trained(row)
    found = validation_of(result)
    sign = 1 if task.loss.larger_is_better else -1
    return {**found, "validation_score": sign * found["validation_score"]}


def training_row(folder: Path, **row: Any) -> dict[str, Any]:
    """Scores of a network, its size and learning curve; of trajectories errors of the free-running
    half beside those of zero."""
    task, result = trained(row, folder)
    history, layers = result.history, result.network.layers
    found = {
        "parameters": result.network.n_parameters,
        "spike_rate": _rate(result),
        "hidden": len(layers),
        "curve": json.dumps([round(float(value), 5) for value in history["validation_score"]]),
    }
    if task.loss.larger_is_better:
        found |= scores_of(result, task, row["seed"])
    else:
        found |= {**validation_of(result), **free_running_scores(task, result, row["seed"])}
    return (
        {**found, **in_brian(result.network, task, row["seed"])}
        if row["arm"].endswith("delays")
        else found
    )


def is_sound(table: pd.DataFrame) -> pd.Series:
    """Which rows are networks that trained; of trajectories those clearly below the error of
    predicting zero."""
    if "zero_predictor" not in table:
        return is_trained(table)
    return (table["best_epoch"] > 1) & (table["training_score"] <= FAILED * table["training_zero"])


def _rate(result: TrainingResult) -> float:
    """Spikes of a neuron a step, mean over layers; none of an LSTM."""
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    rates = [chosen[f"rate_{k}"] for k in range(len(result.network.layers))]
    return float(np.mean(rates)) if rates else float("nan")


def free_running_scores(task: Task, result: TrainingResult, seed: int) -> dict[str, Any]:
    """Squared errors of the free-running half on test and some training sequences, those of zero,
    and the course of the first."""
    tested = free_running_errors(task, result.network, task.test)
    again = free_running_errors(task, result.network, stratified(task.training, ASKED, seed))
    names = ("test_score", "zero_predictor", "training_score", "training_zero")
    windows = tested[0][: len(tested[0]) // WINDOW * WINDOW].reshape(-1, WINDOW).mean(axis=1)
    values = (tested[0].mean(), tested[1], again[0].mean(), again[1])
    return {
        **{name: float(value) for name, value in zip(names, values, strict=True)},
        "course": json.dumps([round(float(value), 6) for value in windows]),
    }


def free_running_errors(task: Task, network: Network, part: Part) -> tuple[np.ndarray, float]:
    """Mean squared error of every step from the first that is fed back, and of the prediction of
    zero in all of them."""
    start = task.free_running_from
    response = free_running(network, jnp.moveaxis(jnp.asarray(part.inputs), 0, 1), start)
    errors = np.mean(
        (np.asarray(response.potentials) - np.moveaxis(part.targets, 0, 1)) ** 2, axis=(1, 2)
    )
    return errors[start:], float(np.mean(part.targets[:, start:] ** 2))


def in_brian(network: Network, task: Task, seed: int) -> dict[str, float]:
    """What Brian2 makes of a network with whole delays: the share of spikes that differ, and how
    many there are; its delays."""
    own, inputs = settled(network), np.moveaxis(stratified(task.test, IN_BRIAN, seed).inputs, 0, 1)
    here, there = spikes_in_double(own, inputs), run_in_brian(own, inputs).spikes
    steps = [
        layer.connection.steps
        for layer in network.layers
        if isinstance(layer.connection, DelayedDense)
    ]
    steps += (
        [network.readout.connection.steps]
        if isinstance(network.readout.connection, DelayedDense)
        else []
    )
    return {
        "brian_differs": float(
            np.mean([np.mean(a != b) for a, b in zip(here, there, strict=True)])
        ),
        "brian_spikes": float(sum(np.sum(spikes) for spikes in there)),
        "mean_delay": float(np.mean(np.concatenate(steps))),
    }


def spikes_in_double(network: Network, inputs: np.ndarray) -> list[np.ndarray]:
    """Whether neurons of each layer spike (time, batch, n), computed with as many digits as Brian2
    does."""
    with jax.enable_x64(True):
        double = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), network)
        return [np.asarray(spikes) > 0 for spikes in double(jnp.asarray(inputs, float)).spikes]
