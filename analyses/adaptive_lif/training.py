"""Rows of tuning and training: one network each, tested at the epoch that validation chose."""

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
from analyses.protocol import is_trained, scores_of, trained_once, validation_of
from neurocode.learning import (
    Network,
    Part,
    Task,
    TrainingResult,
    free_running,
    run_in_brian,
    stratified,
)

#: Number of steps over which the course of an error is averaged: 25 ms of the spring-mass
#: trajectories.
WINDOW = 10
#: A network of trajectories did not train if its free-running error on training sequences is above
#: this share of the error of predicting zero.
FAILED = 0.5
#: Number of training sequences on which this is tested, and of test sequences that Brian2 runs.
ASKED, IN_BRIAN = 200, 20


def trained(row: Row, folder: Path | None = None) -> tuple[Task, TrainingResult]:
    """Return the task and the trained network of a row; a folder keeps the network."""
    task = make_task(row)
    return task, trained_once(make_network(row, task), task, make_settings(row), row, folder)


def tuning_row(**row: Any) -> dict[str, float]:
    """Return the validation scores of a learning rate; no test score is kept.

    Errors have their sign changed, so that the highest score is the best.
    """
    task, result = trained(row)
    scores = validation_of(result)
    sign = 1 if task.loss.larger_is_better else -1
    return {**scores, "validation_score": sign * scores["validation_score"]}


def training_row(folder: Path, **row: Any) -> dict[str, Any]:
    """Return the scores of a network, its size and its learning curve.

    For trajectories the scores are errors in the free-running half, with those of predicting zero.
    """
    task, result = trained(row, folder)
    history, layers = result.history, result.network.layers
    results = {
        "parameters": result.network.n_parameters,
        "spike_rate": _rate(result),
        "hidden": len(layers),
        "curve": json.dumps([round(float(value), 5) for value in history["validation_score"]]),
    }
    if task.loss.larger_is_better:
        results |= scores_of(result, task, row["seed"])
    else:
        results |= {**validation_of(result), **free_running_scores(task, result, row["seed"])}
    return (
        {**results, **in_brian(result.network, task, row["seed"])}
        if row["arm"].endswith("delays")
        else results
    )


def is_sound(table: pd.DataFrame) -> pd.Series:
    """Return for each row whether the network trained.

    Networks of trajectories trained if their error is clearly below that of predicting zero.
    """
    if "zero_predictor" not in table:
        return is_trained(table)
    return (table["best_epoch"] > 1) & (table["training_score"] <= FAILED * table["training_zero"])


def _rate(result: TrainingResult) -> float:
    """Return the spikes per neuron and step, averaged over layers; NaN for an LSTM."""
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    rates = [chosen[f"rate_{k}"] for k in range(len(result.network.layers))]
    return float(np.mean(rates)) if rates else float("nan")


def free_running_scores(task: Task, result: TrainingResult, seed: int) -> dict[str, Any]:
    """Return the squared errors in the free-running half on test and on some training sequences.

    The errors of predicting zero and the course of the error on test sequences are added.
    """
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
    """Return the mean squared error of every step from the first one that is fed back, and the mean
    squared error of predicting zero in all of these steps."""
    start = task.free_running_from
    response = free_running(network, jnp.moveaxis(jnp.asarray(part.inputs), 0, 1), start)
    errors = np.mean(
        (np.asarray(response.potentials) - np.moveaxis(part.targets, 0, 1)) ** 2, axis=(1, 2)
    )
    return errors[start:], float(np.mean(part.targets[:, start:] ** 2))


def in_brian(network: Network, task: Task, seed: int) -> dict[str, float]:
    """Compare a network with whole delays with Brian2.

    Returns the share of time steps in which spikes differ, the number of spikes, and the mean
    delay.
    """
    fixed, inputs = (
        settled(network),
        np.moveaxis(stratified(task.test, IN_BRIAN, seed).inputs, 0, 1),
    )
    in_jax, by_brian = spikes_in_double(fixed, inputs), run_in_brian(fixed, inputs).spikes
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
            np.mean([np.mean(a != b) for a, b in zip(in_jax, by_brian, strict=True)])
        ),
        "brian_spikes": float(sum(np.sum(spikes) for spikes in by_brian)),
        "mean_delay": float(np.mean(np.concatenate(steps))),
    }


def spikes_in_double(network: Network, inputs: np.ndarray) -> list[np.ndarray]:
    """Return whether the neurons of each layer spike (time, batch, n), in the double precision of
    Brian2."""
    with jax.enable_x64(True):
        double = jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf, float)), network)
        return [np.asarray(spikes) > 0 for spikes in double(jnp.asarray(inputs, float)).spikes]
