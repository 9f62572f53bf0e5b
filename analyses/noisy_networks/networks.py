"""Networks of the study: one membrane, with and without noise (Ma, Yan, Tang 2023)."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

import neurocode as nc
from analyses.datasets import dataset, smaller
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, Settings, Surrogate, Task

STEP = 1e-3
#: Hidden neurons, and whether they are connected with each other.
SIZES = {"digits": (100, False), "mnist10k": (200, False), "braille": (128, True)}
#: Standard deviation of the surrogate of the released deterministic baseline, (alpha/sqrt(pi)) exp(-(alpha x)^2) with alpha 1.
RELEASED_WIDTH = float(np.sqrt(0.5))
READOUT = 4e-3


def make_task(row: dict[str, Any]) -> Task:
    """Task of a row, split anew for each seed."""
    task = dataset(row["dataset"], row["seed"])
    return smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task


def make_layer(kind: str, width: float) -> tuple[nc.NeuronModel, Surrogate | None, tuple[str, ...]]:
    """Neuron, surrogate and learned parameters of a kind of network.

    ``deterministic`` has the density of the noise as surrogate, ``released`` that of the released baseline, ``escape`` draws its
    spikes, ``diffusive`` takes noise on the membrane, ``both`` is the released double noise, ``learned`` draws its spikes with a
    width that each neuron learns.
    """
    mode = {"deterministic": "none", "released": "none", "learned": "escape"}.get(kind, kind)
    model = nc.models.noisy_lif(mode)
    noise = {name: width for name in ("scale", "sigma") if name in model.parameters}
    if model.noise is not None:
        return model.with_parameters(noise), None, ("scale",) if kind == "learned" else ()
    own = RELEASED_WIDTH if kind == "released" else width
    return model.with_parameters(noise), Surrogate("gaussian", 1 / own, 1 / (own * np.sqrt(2 * np.pi))), ()


def make_network(row: dict[str, Any], task: Task) -> Network:
    """Network of a row at its start: the same weights for every kind."""
    n, recurrent = SIZES[row["dataset"]]
    model, surrogate, learned = make_layer(row["kind"], row["width"])
    a, b, c = jax.random.split(jax.random.key(row["seed"]), 3)
    layer = Layer(
        Dense(task.n_inputs, n, key=a), model, STEP, recurrent=Recurrent(n, key=b) if recurrent else None, learned=learned,
        surrogate=surrogate, reset_gradient=True,
    )  # fmt: skip
    return Network([layer, Readout(Dense(n, task.n_outputs, key=c), STEP, READOUT)])


def make_settings(row: dict[str, Any]) -> Settings:
    """How a row is trained."""
    factor = row.get("intrinsic_factor", 1.0)
    return Settings(epochs=row["epochs"], batch_size=row["batch"], learning_rate=row["rate"], intrinsic_factor=factor)
