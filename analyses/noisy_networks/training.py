"""A row of the training tables, and how hidden neurons of a trained network spike."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.noisy_networks.networks import STEP, make_network, make_settings, make_task
from neurocode.learning import Network, Part, TrainingResult, evaluate, stratified, train
from neurocode.recordings import Trains

#: Passes of an ensemble; sequences described, repeats of each, and surrogates of a complexity.
PASSES = 20
DESCRIBED, SEQUENCES, REPEATS, SURROGATES = 100, 20, 20, 20
STATISTICS = ("cv", "lv", "lz_ratio")


def trained(row: dict[str, Any]) -> TrainingResult:
    """The training of a row."""
    task = make_task(row)
    return train(make_network(row, task), task, seed=row["seed"], settings=make_settings(row))


def training_row(**row: Any) -> dict[str, Any]:
    """Accuracies of the epoch that validation chose, alone and as an ensemble of passes, rate, learned widths, learning curve."""
    result, task = trained(row), make_task(row)
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    net = result.network
    width = net.layers[0].intrinsic.values().get("scale", np.nan)
    return {
        "validation_score": float(chosen["validation_score"]), "test_score": result.test_score, "best_epoch": result.best_epoch,
        "ensemble_score": evaluate(net, task.test, task, seed=row["seed"], passes=PASSES).score if net.is_stochastic
        else result.test_score,
        "rate_hidden": float(chosen["rate_0"]), "learned_width": float(np.mean(width)),
        "curve": " ".join(f"{value:.5f}" for value in result.history["validation_score"]),
    }  # fmt: skip


def spiking_row(**row: Any) -> dict[str, Any]:
    """Medians over hidden neurons of variability and complexity, and their mean Fano factor over repeats of one input."""
    task = make_task(row)
    net = trained(row).network
    key = jax.random.key(row["seed"])
    spikes = np.asarray(net(_time_first(stratified(task.test, DESCRIBED, row["seed"]).inputs), key).spikes[0])
    trains = Trains.of_rasters(spikes.transpose(2, 1, 0), STEP)
    table = nc.describe(trains, bin_size=STEP, n_surrogates=SURROGATES, seed=row["seed"])
    found = {name: float(np.nanmedian(table[name])) for name in STATISTICS}
    return {**found, "fano": fano_over_repeats(net, stratified(task.test, SEQUENCES, row["seed"]), key)}


def fano_over_repeats(net: Network, part: Part, key: jax.Array) -> float:
    """Variance over mean of the spike count of a hidden neuron over repeats of an input, mean over neurons and inputs that fire."""
    inputs = _time_first(np.repeat(part.inputs, REPEATS, axis=0))
    counts = np.asarray(net(inputs, jax.random.fold_in(key, 1)).spikes[0]).sum(axis=0)
    counts = counts.reshape(-1, REPEATS, counts.shape[-1])
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    return float(np.mean(variance[mean > 0] / mean[mean > 0]))


def _time_first(inputs: np.ndarray) -> jnp.ndarray:
    return jnp.moveaxis(jnp.asarray(inputs), 0, 1)
