"""Tasks and networks of the study, from the settings of a row (Zenke & Vogels 2021)."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp

import neurocode as nc
from analyses.datasets import data_folder, dataset, smaller
from analyses.protocol import settings_of
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    Part,
    Readout,
    Recurrent,
    Regulariser,
    Settings,
    Surrogate,
    Task,
    fluctuation_driven,
    stratified,
    tasks,
)

Row = dict[str, Any]

STEP, READOUT, SYNAPSE = 1e-3, 20e-3, 5e-3
#: The manifolds of the benchmark, and two harder kinds chosen here: rougher, and of two dimensions.
MANIFOLDS = {
    "randman": {"dimension": 1, "smoothness": 1.0},
    "randman-rough": {"dimension": 1, "smoothness": 0.5},
    "randman-2d": {"dimension": 2, "smoothness": 1.0},
}
INPUTS, CLASSES = 20, 10
#: Number of steps of an electrocardiogram that are used, of 1301 (chosen here).
ECG_STEPS = 400
#: Settings of the surrogate derivative in each arm: first the paper's default, then what an arm
#: changes in it. Heights are transcribed from the paper.
ARMS: dict[str, dict[str, Any]] = {
    "reference": {},
    "sigmoid": {"family": "sigmoid", "height": 0.25},
    "linear": {"family": "piecewise_linear"},
    "shallow": {"slope": 1.0},
    "steep": {"slope": 100.0},
    "constant": {"family": "constant"},
    "zero": {"family": "zero"},
    "attached": {"reset_gradient": True},
    "asymptotic": {"asymptotic": True},
    "asymptotic attached": {"asymptotic": True, "reset_gradient": True},
    "stopped": {"through_loop": False},
    "asymptotic stopped": {"asymptotic": True, "through_loop": False},
}
#: Rate in hertz at which every layer of the firing start fires (chosen here): about one spike per
#: neuron and sequence, or four in the long sequences.
FIRING = {"ecg": 10.0, "braille": 26.0}
MANIFOLD_FIRING = 10.0
#: Number of training sequences on which the weights of the firing start are set.
STARTED_ON = 200


@lru_cache(maxsize=4)
def _whole(name: str, samples: int, seed: int) -> Task:
    """Return a whole task; it is cached because many rows share it."""
    if name in MANIFOLDS:
        return tasks.random_manifolds(
            CLASSES, samples, n_inputs=INPUTS, seed=seed, **MANIFOLDS[name]
        )
    if name == "ecg":
        task = tasks.ecg(data_folder("qtdb-ecg"), seed=seed)
        return replace(
            task,
            **{part: shortened(getattr(task, part)) for part in ("training", "validation", "test")},
        )
    return dataset(name, seed)


def shortened(part: Part) -> Part:
    """Return the first ``ECG_STEPS`` steps of every sequence."""
    return Part(part.inputs[:, :ECG_STEPS], part.targets[:, :ECG_STEPS], part.valid[:, :ECG_STEPS])


def make_task(row: Row) -> Task:
    """Return the task of a row: new manifolds for each seed, or recorded sequences divided anew."""
    task = _whole(row["dataset"], row["samples"], row["seed"])
    return smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task


def make_network(row: Row, task: Task) -> Network:
    """Return the network of a row before training.

    It has the published uniform weights, which leave it silent, or the weights of the firing start.
    """
    keys = iter(jax.random.split(jax.random.key(row["seed"]), 2 * row["depth"] + 2))
    options = dict(row["surrogate"]) if "surrogate" in row else dict(ARMS[row["arm"]])
    through_loop, reset = (
        options.pop(name, default)
        for name, default in (("through_loop", True), ("reset_gradient", False))
    )
    layers, n_in = [], task.n_inputs
    for _ in range(row["depth"]):
        dense, loop = Dense(n_in, row["neurons"], bias=False, key=next(keys)), next(keys)
        inside = (
            Recurrent(row["neurons"], gradient=through_loop, key=loop)
            if row["net"] == "recurrent"
            else None
        )
        spike = Surrogate(**options)
        layers.append(
            Layer(
                dense,
                nc.models.current_lif(),
                STEP,
                recurrent=inside,
                surrogate=spike,
                reset_gradient=reset,
            )
        )
        n_in = row["neurons"]
    readout = Readout(
        Dense(n_in, task.n_outputs, bias=False, key=next(keys)), STEP, READOUT, synapse=SYNAPSE
    )
    network = Network([*layers, readout])
    return network if row["start"] == "silent" else fired(network, task, row, next(keys))


def fired(network: Network, task: Task, row: Row, key: jax.Array) -> Network:
    """Return the network with weights at which every layer fires."""
    part = stratified(task.training, STARTED_ON, row["seed"])
    rate = FIRING.get(row["dataset"], MANIFOLD_FIRING)
    return fluctuation_driven(
        network, jnp.moveaxis(jnp.asarray(part.inputs), 0, 1), rate=rate, key=key
    )


def make_settings(row: Row) -> Settings:
    """Return the training settings of a row.

    Activity has the published lower bound, and an upper bound if ``upper`` of the row is not zero.
    """
    bounds = Regulariser(
        lower=100.0, lower_count=1e-3, upper=row["upper"], upper_count=0.0, upper_power=1
    )
    return replace(settings_of(row, regulariser=bounds), batch_size=row["batch"], blocks=5)
