"""Networks of raphe neurons: their synapses learn, their neurons are given."""

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

#: Step of the networks in seconds; a sample of an electrocardiogram is one step, one of a letter is
#: held for ten (ours).
STEP, HELD = 1e-3, 10
READOUT = 20e-3
CLIP, BATCH = 1.0, {"ecg": 64, "braille": 50, "bursts": 32}
VALIDATION = 60
#: Learning rate of the neurons over that of the synapses, where neurons learn (ours).
INTRINSIC = 0.1


def make_task(row: Row) -> Task:
    """Task of a row, training and validation divided anew for each seed; fewer sequences where the
    row asks for them."""
    if row["dataset"] == "ecg":
        task = tasks.ecg(data_folder("qtdb-ecg"), n_validation=VALIDATION, seed=row["seed"])
    elif row["dataset"] == "braille":
        task = held(replace(dataset("braille", row["seed"]), loss=as_loss("mean_potential")), HELD)
    else:
        task = tasks.burst_sequences(5, 150, 42 + row["seed"])
    return smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task


def held(task: Task, steps: int) -> Task:
    """Every sample shown for so many steps."""

    def longer(part: Part) -> Part:
        return Part(
            np.repeat(part.inputs, steps, axis=1),
            part.targets,
            np.repeat(part.valid, steps, axis=1),
        )

    return replace(task, **{name: longer(getattr(task, name)) for name in PARTS})


def neurons_of(row: Row, cells: Mapping[str, Values]) -> Mapping[str, Values]:
    """Cells of an arm: as fitted (where they learn, at their start), dealt anew, or the library's."""
    if row["arm"] == "shuffled":
        return shuffled(cells, row["seed"])
    return library(cells) if row["arm"] == "library" else cells


def make_network(row: Row, task: Task, cells: Mapping[str, Values]) -> Network:
    """Network of a row at its start: the same synapses for every arm; a weighted sum of one is
    ``gain`` pA."""
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
    """How every arm is trained."""
    return Settings(
        epochs=row["epochs"],
        batch_size=BATCH[row["dataset"].partition("-")[0]],
        learning_rate=row["rate"],
        schedule="cosine",
        clip=CLIP,
        intrinsic_factor=INTRINSIC if row["arm"] == "learned" else 1.0,
    )
