"""Networks of raphe neurons, whose synapses learn while the fitted neurons stay as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from analyses.datasets import PARTS, data_folder, dataset, smaller
from analyses.raphe_networks.cells import Values, library, model_of, shuffled
from neurocode.learning import (
    Dense,
    Layer,
    Network,
    Part,
    Readout,
    Recurrent,
    Settings,
    Task,
    tasks,
)
from neurocode.tasks.losses import as_loss

Row = dict[str, Any]

#: Step of the networks in seconds, and number of steps for which each sample of a letter is held
#: (chosen here). A sample of an electrocardiogram is one step.
STEP, HELD = 1e-3, 10
READOUT = 20e-3
CLIP, BATCH = 1.0, {"ecg": 64, "braille": 50, "bursts": 32}
VALIDATION = 60
#: Ratio of the learning rate of the neurons to that of the synapses, where neurons learn (chosen
#: here).
INTRINSIC = 0.1


def make_task(row: Row) -> Task:
    """Return the task of a row.

    Training and validation sequences are divided anew for each seed. If ``sequences`` of the row is
    not zero, only that number of sequences is taken.
    """
    if row["dataset"] == "ecg":
        task = tasks.ecg(data_folder("qtdb-ecg"), n_validation=VALIDATION, seed=row["seed"])
    elif row["dataset"] == "braille":
        task = held(replace(dataset("braille", row["seed"]), loss=as_loss("mean_potential")), HELD)
    else:
        task = tasks.burst_sequences(5, 150, 42 + row["seed"])
    return smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task


def held(task: Task, steps: int) -> Task:
    """Return a task in which every sample is shown for ``steps`` steps."""

    def longer(part: Part) -> Part:
        return Part(
            np.repeat(part.inputs, steps, axis=1),
            part.targets,
            np.repeat(part.valid, steps, axis=1),
        )

    return replace(task, **{name: longer(getattr(task, name)) for name in PARTS})


def neurons_of(row: Row, cells: Mapping[str, Values]) -> Mapping[str, Values]:
    """Return the cells of an arm: fitted, with permuted parameters, or with the library's values.

    Where neurons learn, they start as fitted.
    """
    if row["arm"] == "shuffled":
        return shuffled(cells, row["seed"])
    return library(cells) if row["arm"] == "library" else cells


def make_network(row: Row, task: Task, cells: Mapping[str, Values]) -> Network:
    """Return the network of a row before training.

    Every arm starts with the same synapses. A weighted sum of one is a current of ``gain`` pA.
    """
    model = model_of(neurons_of(row, cells), row["neurons"])
    first, second, third = jax.random.split(jax.random.key(row["seed"]), 3)
    layer = Layer(
        Dense(task.n_inputs, row["neurons"], key=first),
        model,
        STEP,
        recurrent=Recurrent(row["neurons"], key=second),
        learned=model.free if row["arm"] == "learned" else (),
        surrogate=None,
        current_unit=f"{row['gain']} pA",
        margin_unit="1 mV",
    )
    return Network(
        [layer, Readout(Dense(row["neurons"], task.n_outputs, key=third), STEP, READOUT)]
    )


def make_settings(row: Row) -> Settings:
    """Return the training settings of a row."""
    return Settings(
        epochs=row["epochs"],
        batch_size=BATCH[row["dataset"].partition("-")[0]],
        learning_rate=row["rate"],
        schedule="cosine",
        clip=CLIP,
        intrinsic_factor=INTRINSIC if row["arm"] == "learned" else 1.0,
    )
