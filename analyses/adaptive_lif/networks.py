"""Tasks and networks of the study, from the settings of a row (Baronig et al. 2025, released code and configurations)."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

import neurocode as nc
from analyses.datasets import data_folder
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, Settings, Surrogate, Task, tasks
from neurocode.models.parameter import Parameter

CELLS = {"SE": "symplectic", "EF": "euler-forward"}
STEP = 1e-3


def make_task(row: dict[str, Any]) -> Task:
    """Task of a row; burst sequences and springs are drawn anew for each seed, the electrocardiograms split anew."""
    if row["task"] == "ecg":
        return tasks.ecg(data_folder("qtdb-ecg"), n_validation=row["validation"], seed=row["seed"])
    drawn = 42 + row["seed"]
    if row["task"] == "burst-sequences":
        return tasks.burst_sequences(n_classes=row["classes"], n_samples=row["samples"], seed=drawn)
    return tasks.spring_mass(n_samples=row["samples"], seed=drawn)


def make_model(row: dict[str, Any]) -> tuple[nc.NeuronModel, tuple[str, ...]]:
    """Neuron of a row and the parameters it learns."""
    if row["cell"] in CELLS:
        return nc.models.adlif(CELLS[row["cell"]]).with_parameters(q=row["q"]), ("tau_u", "tau_w", "a", "b")
    lif = nc.models.by_name("lif-normalised")
    bounds = (f"{row['tau_low']} ms", f"{row['tau_high']} ms")
    middle = f"{(row['tau_low'] + row['tau_high']) / 2} ms"
    tau = Parameter.of(middle, bounds, per_neuron=True, description="membrane time constant")
    return dataclasses.replace(lif, parameters={**lif.parameters, "tau": tau}), ("tau",)


def make_network(row: dict[str, Any], task: Task) -> Network:
    """Network of a row at its start; time constants, couplings and adaptations are drawn uniformly between their bounds."""
    model, learned = make_model(row)
    spike = Surrogate("slayer", slope=row["slope"], height=row["height"])
    keys = iter(jax.random.split(jax.random.key(row["seed"]), 3 * row["layers"] + 2))
    layers, n_in = [], task.n_inputs
    for _ in range(row["layers"]):
        inside = Recurrent(row["neurons"], orthogonal=True, key=next(keys)) if row["recurrent"] else None
        dense = Dense(n_in, row["neurons"], key=next(keys))
        layers.append(
            Layer(dense, model, STEP, recurrent=inside, learned=learned, spread=True, surrogate=spike, dropout=row["dropout"],
                  key=next(keys))
        )  # fmt: skip
        n_in = row["neurons"]
    bounds = (STEP, 20 * STEP) if row["readout"] is None else None
    readout = Readout(
        Dense(n_in, task.n_outputs, key=next(keys)), STEP, (row["readout"] or 10.0) * STEP, bounds=bounds, key=next(keys)
    )
    return Network([*layers, readout])


def make_settings(row: dict[str, Any]) -> Settings:
    """How a row is trained."""
    return Settings(
        epochs=row["epochs"], batch_size=row["batch"], learning_rate=row["rate"], schedule=row["schedule"], clip=1.5,
        blocks=row["blocks"],
    )  # fmt: skip
