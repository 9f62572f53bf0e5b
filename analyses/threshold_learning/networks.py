"""Networks of the study: the released neuron with dense layers, voters, and thresholds that learn or not (Sun et al. 2023)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax

import neurocode as nc
from analyses.datasets import dataset, rate_coded, smaller
from neurocode.learning import (
    BatchNorm,
    Chain,
    Dense,
    JointDecision,
    Layer,
    Network,
    Readout,
    Recurrent,
    Regulariser,
    Settings,
    Surrogate,
    Task,
    Voters,
)  # fmt: skip

STEP = 1e-3
SIZES = {"digits": (100, False), "mnist10k": (200, False), "braille": (128, True)}
#: Voters of a class, and the surrogate of the released code (alpha 2).
VOTERS, SURROGATE = 10, Surrogate("arctan", 2.0)
#: Learned thresholds are kept as their place between 0.01 and 10: this factor gives them the step of the weights, as released.
FACTOR = 0.1
WIDTH = 0.3


def make_task(row: dict[str, Any]) -> Task:
    """Task of a row: images as spikes, split anew for each seed; the loss is the squared error of the rates of the voters."""
    task = dataset(row["dataset"], row["seed"])
    task = smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task
    task = task if row["dataset"] == "braille" else rate_coded(task, row["seed"])
    return replace(task, loss="rate_squared_error")


def make_network(row: dict[str, Any], task: Task) -> Network:
    """Network of a row at its start: a hidden layer, and voters that may decide with the potentials of leaky integrators."""
    n, recurrent = SIZES[row["dataset"]]
    keys = jax.random.split(jax.random.key(row["seed"]), 4)
    loop = Recurrent(n, key=keys[1]) if recurrent else None
    hidden = _layer(row, task.n_inputs, n, keys[0], recurrent=loop)
    voters = Voters(_layer(row, n, VOTERS * task.n_outputs, keys[2]), task.n_outputs)
    if not row["joint"]:
        return Network([hidden, voters])
    integrators = Readout(Dense(n, task.n_outputs, key=keys[3]), STEP, 4e-3)
    return Network([hidden, JointDecision(voters, integrators, task.training.inputs.shape[1])])


def _layer(row: dict[str, Any], n_in: int, n: int, key: jax.Array, **options: Any) -> Layer:
    model = nc.models.noisy_lif("escape" if row["noisy"] else "none").with_parameters(theta=row["threshold"])
    model = model.with_parameters(scale=WIDTH) if row["noisy"] else model
    dense = Dense(n_in, n, bias=False, key=key)
    connection = Chain([dense, BatchNorm(n)]) if row["normalised"] else dense
    learned = () if row["learned"] == "weights" else ("theta",)
    surrogate = None if row["noisy"] else SURROGATE
    return Layer(connection, model, STEP, learned=learned, surrogate=surrogate, reset_gradient=True, **options)


def make_settings(row: dict[str, Any]) -> Settings:
    """How a row is trained."""
    return Settings(
        epochs=row["epochs"], batch_size=50, learning_rate=row["rate"], weights=row["learned"] != "thresholds",
        intrinsic_factor=FACTOR, regulariser=Regulariser(weight_decay=1e-6, intrinsic_decay=row["decay"]),
    )  # fmt: skip
