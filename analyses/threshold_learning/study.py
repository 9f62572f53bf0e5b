"""Synapse-threshold synergistic learning (Sun et al. 2023): the parts of the study.

neurocode study threshold-learning --workers 2
neurocode figures threshold-learning

"""

from __future__ import annotations

import pandas as pd

from analyses.datasets import recorded
from analyses.protocol import datasets, trainings, tune, tuning_seeds
from analyses.threshold_learning import protocols
from analyses.threshold_learning.claims import claims
from analyses.threshold_learning.training import training_row, tuning_row
from neurocode.studies import Study, StudyRun, study_table


def tuned(run: StudyRun) -> pd.DataFrame:
    """Return the best setting of every arm on every data set, with and without normalisation."""
    cells, grid = protocols.single(run.protocol)
    return tune(
        run, tuning_row, cells, grid, "tuning.parquet", ("dataset",), tuning_seeds(run.protocol)
    )


def trained(run: StudyRun) -> None:
    """Train networks with fresh seeds at the best settings."""
    run.rows(training_row, trainings(run.protocol, tuned(run)), "training.parquet")


def vary_start(run: StudyRun) -> None:
    """Train networks with fresh seeds from every initial threshold, each at its best learning
    rate."""
    tuned(run)
    run.rows(
        training_row,
        protocols.starts(run.protocol, study_table(run.output / "tuning.parquet")),
        "starts.parquet",
    )


def vary_depth(run: StudyRun) -> None:
    """Tune and train deep networks like the others."""
    cells, grid = protocols.deep(run.protocol)
    if cells:
        seeds = tuning_seeds(run.protocol)
        best = tune(run, tuning_row, cells, grid, "depth_tuning.parquet", ("net", "depth"), seeds)
        run.rows(training_row, trainings(run.protocol, best), "depth.parquet")


PARTS = {"tuning": tuned, "training": trained, "starts": vary_start, "depth": vary_depth}
STUDY = Study(
    title="Synapse-threshold synergistic learning (Sun et al. 2023)",
    protocols=protocols.PROTOCOLS,
    parts=PARTS,
    claims=claims,
    data=lambda protocol: dict.fromkeys(PARTS, recorded(datasets(protocol))),
)
