"""A row of the tables: one network trained on random manifolds, and how it spikes."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.surrogate_gradients.networks import STEP, make_network, make_settings, make_task
from neurocode.learning import Network, Part, evaluate, train
from neurocode.recordings import Trains

#: Test sequences that are described, and of them those that are jittered, repeats of each, largest shift of a spike in steps.
DESCRIBED, SEQUENCES, REPEATS, JITTER = 200, 40, 25, 2
SURROGATES = 20
STATISTICS = ("cv", "lv", "lz_ratio")


def training_row(**row: Any) -> dict[str, Any]:
    """Accuracies of the epoch that validation chose, and spikes per neuron and trial before and after training."""
    task, net = make_task(row), make_network(row)
    steps = task.training.inputs.shape[1]
    start = evaluate(net, task.validation, task)
    result = train(net, task, seed=row["seed"], settings=make_settings(row))
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    rates = [chosen[name] for name in result.history.columns if name.startswith("rate_")]
    found = {
        "validation_score": float(chosen["validation_score"]), "test_score": result.test_score, "best_epoch": result.best_epoch,
        "last_validation_score": float(result.history["validation_score"].iloc[-1]),
        "initial_spikes": steps * float(np.mean(start.rates)), "spikes": steps * float(np.mean(rates)),
    }  # fmt: skip
    return {**found, **(spiking(result.network, task.test, row["seed"]) if row["describe"] else {})}


def spiking(net: Network, part: Part, seed: int) -> dict[str, float]:
    """Medians over neurons of the first layer: variability, complexity, and the Fano factor when input spikes are jittered."""
    spikes = np.asarray(net(jnp.moveaxis(jnp.asarray(part.inputs[:DESCRIBED]), 0, 1)).spikes[0])
    trains = Trains.of_rasters(spikes.transpose(2, 1, 0), STEP)
    table = nc.describe(trains, bin_size=STEP, n_surrogates=SURROGATES, seed=seed)
    medians = {name: float(np.nanmedian(table[name])) for name in STATISTICS}
    return {**medians, "fano_jitter": fano_under_jitter(net, part, seed)}


def fano_under_jitter(net: Network, part: Part, seed: int) -> float:
    """Variance over mean of the spike count of a neuron when every input spike moves by up to two steps; mean over sequences."""
    random = np.random.default_rng(seed)
    times = part.inputs[:SEQUENCES].argmax(axis=1)
    moved = np.clip(times[:, None] + random.integers(-JITTER, JITTER + 1, (len(times), REPEATS, times.shape[1])), 0, None)
    inputs = np.zeros((part.inputs.shape[1], moved.shape[0] * REPEATS, times.shape[1]), np.float32)
    np.put_along_axis(inputs, moved.reshape(1, -1, times.shape[1]), 1.0, axis=0)
    counts = np.asarray(net(jnp.asarray(inputs)).spikes[0]).sum(axis=0).reshape(len(times), REPEATS, -1)
    mean, variance = counts.mean(axis=1), counts.var(axis=1, ddof=1)
    fired = mean > 0
    return float(np.mean(variance[fired] / mean[fired])) if fired.any() else float("nan")
