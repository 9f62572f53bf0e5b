"""Intrinsic parameters and classification by Lempel-Ziv complexity (Rudnicka, Szczepanski,
Pregowska 2026): the parts of the study.

neurocode study complexity-classification --workers 2
neurocode figures complexity-classification

"""

from __future__ import annotations

import pandas as pd

from analyses.complexity_classification import protocols
from analyses.complexity_classification.claims import claims, is_trained
from analyses.complexity_classification.power import MADE, power_row
from analyses.complexity_classification.recordings import set_names
from analyses.complexity_classification.states import state_row
from analyses.complexity_classification.training import capacity_row, training_row, tuning_row
from analyses.protocol import tune, tuning_seeds
from neurocode.errors import DataError
from neurocode.studies import Study, StudyRun, study_table

#: File of every cell with its best setting, the number of seeds of the tuning that trained there,
#: and whether the cell is left out.
SETTINGS = "settings.csv"


def choose_tasks(run: StudyRun) -> pd.DataFrame:
    """Choose the distances and sizes at which fixed parameters leave room for improvement."""
    pilot_table = run.rows(tuning_row, protocols.pilot(run.protocol), "pilot.parquet")
    tasks = protocols.chosen(pilot_table, (0.0, 1.0) if run.protocol == "quick" else protocols.BAND)
    if tasks.empty:
        low, high = protocols.BAND
        raise DataError(
            f"{run.output / 'pilot.parquet'}: no distance of any task has a validation accuracy "
            f"of {low:g} to {high:g}."
        )
    return tasks


def tuned(run: StudyRun) -> pd.DataFrame:
    """Return the best setting of every cell; the cells of a rule, a task and a depth share a
    grid."""
    cells = protocols.cells(run.protocol, choose_tasks(run))
    best = []
    for rule in dict.fromkeys(cell["rule"] for cell in cells):
        same, grid = (
            [cell for cell in cells if cell["rule"] == rule],
            protocols.grid(run.protocol, rule),
        )
        best.append(
            tune(
                run,
                tuning_row,
                same,
                grid,
                "tuning.parquet",
                ("dataset", "depth"),
                tuning_seeds(run.protocol),
            )
        )
    table = study_table(run.output / "tuning.parquet")
    settings = protocols.with_trained(
        pd.concat(best, ignore_index=True), table, is_trained(table), run.protocol
    )
    settings.to_csv(run.output / SETTINGS, index=False, lineterminator="\n")
    return settings


def trained(run: StudyRun) -> None:
    """Train networks with fresh seeds at the best settings."""
    run.rows(training_row, protocols.trainings(run.protocol, tuned(run)), "training.parquet")


def read_states(run: StudyRun) -> None:
    """Read states from recorded trains without a network.

    The quick protocol reads none, because it needs no recorded data.
    """
    names = [] if run.protocol == "quick" else set_names()
    run.rows(state_row, protocols.recorded(run.protocol, names), "states.parquet")


def plant(run: StudyRun) -> None:
    """Plant structure of known strength in trains of the size of every recording."""
    names = [MADE] if run.protocol == "quick" else set_names()
    run.rows(power_row, protocols.planted(run.protocol, names), "power.parquet")


def fill(run: StudyRun) -> None:
    """Measure the capacity of one Tempotron."""
    run.rows(capacity_row, protocols.capacities(run.protocol), "capacity.parquet")


def data(protocol: str) -> dict[str, tuple[str, ...]]:
    """Return the folders of recorded data of every part."""
    return (
        {}
        if protocol == "quick"
        else dict.fromkeys(("states", "power"), ("stn", "starling", "retina-movies"))
    )


STUDY = Study(
    title="Intrinsic parameters and classification by Lempel-Ziv complexity (Rudnicka, "
    "Szczepanski, Pregowska 2026)",
    protocols=protocols.PROTOCOLS,
    parts={
        "pilot": choose_tasks,
        "tuning": tuned,
        "training": trained,
        "states": read_states,
        "power": plant,
        "capacity": fill,
    },
    claims=claims,
    data=data,
)
