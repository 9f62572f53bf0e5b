"""Learned intrinsic parameters and classification by complexity (Rudnicka, Szczepanski, Pregowska 2026): the parts of the study.

neurocode study complexity-classification --workers 2
neurocode figures complexity-classification

"""

from __future__ import annotations

from functools import partial

import pandas as pd

from analyses.complexity_classification import protocols
from analyses.complexity_classification.claims import claims
from analyses.complexity_classification.recordings import set_names
from analyses.complexity_classification.states import PERMUTATIONS, state_row
from analyses.complexity_classification.training import capacity_row, control_row, training_row
from neurocode.studies import Study, StudyRun


def trained(name: str, run: StudyRun) -> pd.DataFrame:
    """The core table or the other cells: settings chosen on validation, then the seeds of the test."""
    core = name == "training"
    cells = protocols.cells(run.protocol) if core else protocols.other_cells(run.protocol)
    tuned = run.rows(training_row, protocols.tuning(run.protocol, cells), f"{name}_tuning.parquet")
    seeds = protocols.SEEDS if core else protocols.FEWER_SEEDS
    rows = protocols.trainings(run.protocol, protocols.best_settings(tuned), seeds)
    return run.rows(training_row, rows, f"{name}.parquet")


def recordings(run: StudyRun) -> list[str]:
    """Names of the recorded trains."""
    return ["stn-direction"] if run.protocol == "quick" else set_names()


def read_states(run: StudyRun) -> pd.DataFrame:
    """Recorded trains without a network."""
    permutations = 5 if run.protocol == "quick" else PERMUTATIONS
    rows = [{"name": name, "permutations": permutations, "seed": 0, "sequences": 0} for name in recordings(run)]
    return run.rows(state_row, rows, "states.parquet")


def trained_on_recordings(run: StudyRun) -> pd.DataFrame:
    """Networks on recorded trains, and what they are compared with; of the ten pairs of images the first three."""
    names = [name for name in recordings(run) if name not in {f"images-{pair}" for pair in range(3, 10)}]
    run.rows(control_row, protocols.recorded_controls(run.protocol, names), "recorded_controls.parquet")
    return run.rows(training_row, protocols.recorded(run.protocol, names), "recorded.parquet")


def data(protocol: str) -> dict[str, tuple[str, ...]]:
    """Folders of recorded data by part."""
    if protocol == "quick":
        return dict.fromkeys(("states", "recorded"), ("stn",))
    networks = dict.fromkeys(("controls", "training", "others"), ("mnist10k",))
    return {**networks, **dict.fromkeys(("states", "recorded"), ("stn", "starling", "retina-movies"))}


STUDY = Study(
    title="Intrinsic parameters and classification by Lempel-Ziv complexity (Rudnicka, Szczepanski, Pregowska 2026)",
    protocols=protocols.PROTOCOLS,
    parts={
        "controls": lambda run: run.rows(control_row, protocols.controls(run.protocol), "controls.parquet"),
        "states": read_states,
        "capacity": lambda run: run.rows(capacity_row, protocols.capacities(run.protocol), "capacity.parquet"),
        "training": partial(trained, "training"),
        "others": partial(trained, "others"),
        "recorded": trained_on_recordings,
    },
    claims=claims,
    data=data,
)  # fmt: skip
