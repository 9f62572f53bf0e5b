"""Tasks and networks of the study, from the settings of a row (Zenke & Vogels 2021)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import equinox as eqx
import jax

import neurocode as nc
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, Regulariser, Settings, Surrogate, Task, tasks

INPUTS, CLASSES, STEP, READOUT, SYNAPSE = 20, 10, 1e-3, 20e-3, 5e-3


@lru_cache(maxsize=6)
def manifolds(spectrum: str, samples: int, seed: int) -> Task:
    """The task; kept, because many rows share it."""
    return tasks.random_manifolds(CLASSES, samples, n_inputs=INPUTS, spectrum=spectrum, seed=seed)


def make_task(row: dict[str, Any]) -> Task:
    """Task of a row."""
    return manifolds(row["spectrum"], row["samples"], row["data_seed"])


def make_network(row: dict[str, Any]) -> Network:
    """Network of a row at its start; ``gain`` multiplies the published weights, with which it is silent."""
    spike = Surrogate(row["shape"], slope=row["beta"], height=row["height"], asymptotic=row["asymptotic"])
    keys = iter(jax.random.split(jax.random.key(row["seed"]), 2 * row["depth"] + 1))
    model, layers, n_in = nc.models.by_name("lif-current"), [], INPUTS
    for _ in range(row["depth"]):
        dense, loop = Dense(n_in, row["neurons"], bias=False, key=next(keys)), next(keys)
        inside = Recurrent(row["neurons"], gradient=row["recurrent"] == "gradient", key=loop) if row["recurrent"] else None
        layer = Layer(dense, model, STEP, recurrent=inside, surrogate=spike, reset_gradient=row["reset_gradient"])
        layers.append(eqx.tree_at(lambda own: own.connection.weight, layer, row["gain"] * layer.connection.weight))
        n_in = row["neurons"]
    return Network([*layers, Readout(Dense(n_in, CLASSES, bias=False, key=next(keys)), STEP, READOUT, synapse=SYNAPSE)])


def make_settings(row: dict[str, Any]) -> Settings:
    """How a row is trained: Adam, a lower bound of activity, and an upper one where asked."""
    regulariser = Regulariser(lower=100.0, lower_count=1e-3, upper=row["upper"], upper_count=0.0, upper_power=1)
    return Settings(epochs=row["epochs"], batch_size=row["batch"], learning_rate=row["rate"], regulariser=regulariser, blocks=5)
