"""Rows of tuning and training, and the comparison of a network's spikes with those of the cells
that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.protocol import scores_of, validation_of
from analyses.raphe_networks.cells import Values, windows
from analyses.raphe_networks.networks import STEP, Row, make_network, make_settings, make_task
from neurocode.learning import Network, Part, Task, TrainingResult, stratified, train
from neurocode.recordings import Trains

#: Statistics that are compared. None of them needs the same stimulus on both sides, since network
#: and recording do not share one.
STATISTICS = ("rate", "interval_distribution", "autocorrelogram", "complexity_per_spike")
#: Number of test sequences that are compared, and largest number of recorded windows of their
#: length.
COMPARED = 40

Cells = Mapping[str, Values]
Recorded = Mapping[str, tuple[np.ndarray, float]]


def trained(row: Row, cells: Cells) -> tuple[Task, TrainingResult]:
    """Return the task and the trained network of a row."""
    task = make_task(row)
    return task, train(
        make_network(row, task, cells), task, seed=row["seed"], settings=make_settings(row)
    )


def tuning_row(cells: Cells, **row: Any) -> dict[str, float]:
    """Return the validation scores of a setting; no test score is kept."""
    return validation_of(trained(row, cells)[1])


def training_row(cells: Cells, recorded: Recorded, **row: Any) -> dict[str, float]:
    """Return the scores of the network that validation chose, and how much its spikes differ from
    those of the cells before and after training."""
    task, result = trained(row, cells)
    compared = stratified(task.test, COMPARED, row["seed"])
    before = unlikeness(make_network(row, task, cells), compared, recorded, row["seed"])
    after = unlikeness(result.network, compared, recorded, row["seed"])
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    return {
        **scores_of(result, task, row["seed"]),
        "spike_rate": float(chosen["rate_0"]) / STEP,
        **{f"before_{name}": value for name, value in before.items()},
        **{f"after_{name}": value for name, value in after.items()},
    }


def unlikeness(network: Network, part: Part, recorded: Recorded, seed: int) -> dict[str, float]:
    """Return the difference between a network and its cells, for each statistic and on average.

    It is the logarithm of the difference from the cells divided by the difference between halves of
    their recordings. Each neuron is compared with the cell whose place it takes: its spikes in all
    sequences with the windows of the recording, at most as many as there are sequences. Statistics
    of silent neurons are not defined, and are left out of the means over neurons.
    """
    x, key = jnp.moveaxis(jnp.asarray(part.inputs), 0, 1), jax.random.key(seed)
    spikes = np.asarray(network(x, key).spikes[0])
    names, length = list(recorded), len(spikes) * STEP
    cut = {name: windows(*recorded[name], length)[: spikes.shape[1]] for name in names}
    simulated = [
        [STEP * (np.flatnonzero(train) + 0.5) for train in spikes[:, :, k].T]
        for k in range(spikes.shape[2])
    ]
    windows_of_cells = [cut[names[k % len(names)]] for k in range(len(simulated))]
    table = nc.compare(
        _stated(simulated, length),
        _stated(windows_of_cells, length),
        statistics=STATISTICS,
        seed=seed,
    )
    ratios = np.log(table["difference"] / table["reference"])
    return {
        **{name: float(ratios[name]) for name in STATISTICS},
        "unlikeness": float(ratios.mean()),
    }


def _stated(units: list[list[np.ndarray]], length: float) -> Trains:
    """Return trains of units whose repeats last ``length`` seconds, also beyond their last
    spike."""
    return Trains.of_arrays(
        [[(times, 0.0, length) for times in unit] for unit in units],
        [str(k) for k in range(len(units))],
    )
