"""Synapse-threshold synergistic learning (Sun et al. 2023): the parts of the study.

neurocode study threshold-learning --workers 2
neurocode figures threshold-learning

"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from analyses.datasets import recorded
from analyses.threshold_learning import protocols
from analyses.threshold_learning.claims import claims
from analyses.threshold_learning.training import training_row
from neurocode.studies import Study, StudyRun


def tuned(run: StudyRun) -> pd.DataFrame:
    """Learning rates of every way of learning, on validation."""
    return run.rows(training_row, protocols.tuning(run.protocol), "tuning.parquet")


def at_best_rates(table: str, rows: Callable[[str, protocols.Rates], list[protocols.Row]], run: StudyRun) -> None:
    """A table of rows at the chosen rates."""
    run.rows(training_row, rows(run.protocol, protocols.best_rates(tuned(run))), f"{table}.parquet")


PARTS = {
    "tuning": tuned,
    "training": partial(at_best_rates, "training", protocols.trainings),
    "decays": partial(at_best_rates, "decays", protocols.decays),
    "decisions": partial(at_best_rates, "decisions", protocols.decisions),
    "noisy": partial(at_best_rates, "noisy", protocols.noisy),
}
STUDY = Study(
    title="Synapse-threshold synergistic learning (Sun et al. 2023)",
    protocols=protocols.PROTOCOLS,
    parts=PARTS,
    claims=claims,
    data=lambda protocol: dict.fromkeys(PARTS, recorded(protocols.datasets(protocol))),
)
