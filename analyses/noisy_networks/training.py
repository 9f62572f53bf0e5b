"""Rows of tuning, of training, of the size of the training part, and of the hidden spikes of
trained networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.noisy_networks.calibration import calibration_error, class_probabilities
from analyses.noisy_networks.networks import STEP, make_network, make_task
from analyses.protocol import (
    score_of,
    scores_of,
    settings_of,
    trained_once,
    training_of,
    validation_of,
)
from neurocode.learning import Network, Part, Task, TrainingResult, stratified
from neurocode.recordings import Trains

#: Number of passes of an ensemble; numbers of sequences that are described, of inputs that are
#: repeated, of their repeats, and of surrogates of each complexity.
PASSES = 20
DESCRIBED, SEQUENCES, REPEATS, SURROGATES = 100, 20, 20, 20
STATISTICS = ("cv", "lv", "lz_ratio")

Row = dict[str, Any]


def trained(row: Row, folder: Path | None = None) -> tuple[Task, TrainingResult]:
    """Return the task of a row and the result of its training; a folder keeps the network."""
    task = make_task(row)
    return task, trained_once(make_network(row, task), task, settings_of(row), row, folder)


def tuning_row(**row: Any) -> dict[str, float]:
    """Return the validation scores of a setting; no test score is kept."""
    return validation_of(trained(row)[1])


def training_row(folder: Path, **row: Any) -> dict[str, float]:
    """Return the scores of the network that validation chose, its calibration and its rate.

    Scores and calibration are those of one pass and of an ensemble of passes.
    """
    task, result = trained(row, folder)
    net, seed = result.network, row["seed"]
    passes = PASSES if net.is_stochastic else 1
    probabilities = {
        count: class_probabilities(net, task.test, task, seed, count) for count in {1, passes}
    }
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    return {
        **scores_of(result, task, seed),
        "ensemble_score": score_of(net, task.test, task, seed, passes),
        "calibration_error": calibration_error(probabilities[1], task.test.targets),
        "ensemble_calibration_error": calibration_error(probabilities[passes], task.test.targets),
        "rate_hidden": float(np.mean([chosen[f"rate_{k}"] for k in range(len(net.layers))])),
    }


def size_row(**row: Any) -> dict[str, float]:
    """Return the scores of a network trained on a smaller training part.

    Beside those of the network that validation chose stand those after the last update.
    """
    task, result = trained(row)
    last = {
        name: score_of(result.last, getattr(task, name), task, row["seed"])
        for name in ("training", "test")
    }
    return {
        **scores_of(result, task, row["seed"]),
        "last_training_score": last["training"],
        "last_test_score": last["test"],
        "gap": last["training"] - last["test"],
    }


def spiking_row(folder: Path, **row: Any) -> dict[str, float]:
    """Return medians over hidden neurons of variability and complexity, and the mean Fano factor
    over repeats of an input."""
    task, result = trained(row, folder)
    net, key = result.network, jax.random.key(row["seed"])
    spikes = np.asarray(
        net(_time_first(stratified(task.test, DESCRIBED, row["seed"]).inputs), key).spikes[0]
    )
    trains = Trains.of_rasters(spikes.transpose(2, 1, 0), STEP)
    table = nc.describe(trains, bin_size=STEP, n_surrogates=SURROGATES, seed=row["seed"])
    medians = {name: float(np.nanmedian(table[name])) for name in STATISTICS}
    return {
        **training_of(result, task, row["seed"]),
        **medians,
        "fano": fano_over_repeats(net, stratified(task.test, SEQUENCES, row["seed"]), key),
    }


def fano_over_repeats(net: Network, part: Part, key: jax.Array) -> float:
    """Return the Fano factor of the spike counts of hidden neurons over repeats of an input.

    It is averaged over the pairs of neuron and input with any spikes.
    """
    inputs = _time_first(np.repeat(part.inputs, REPEATS, axis=0))
    counts = np.asarray(net(inputs, jax.random.fold_in(key, 1)).spikes[0]).sum(axis=0)
    counts = counts.reshape(-1, REPEATS, counts.shape[-1])
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    return float(np.mean(variance[mean > 0] / mean[mean > 0]))


def _time_first(inputs: np.ndarray) -> jnp.ndarray:
    return jnp.moveaxis(jnp.asarray(inputs), 0, 1)
