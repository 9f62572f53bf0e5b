"""Noisy spiking networks and noise-driven learning (Ma, Yan, Tang 2023): the parts of the study.

neurocode study noisy-networks --workers 2
neurocode figures noisy-networks

"""

from __future__ import annotations

import pandas as pd

from analyses.datasets import recorded
from analyses.noisy_networks import protocols
from analyses.noisy_networks.claims import claims
from analyses.noisy_networks.robustness import robustness_row
from analyses.noisy_networks.training import spiking_row, training_row
from neurocode.studies import Study, StudyRun


def tuned(run: StudyRun) -> pd.DataFrame:
    """Learning rates of every kind on validation."""
    return run.rows(training_row, protocols.tuning(run.protocol), "tuning.parquet")


def trained(run: StudyRun) -> pd.DataFrame:
    """Fresh seeds at the chosen rates."""
    return run.rows(training_row, protocols.trainings(run.protocol, tuned(run)), "training.parquet")


def vary_width(run: StudyRun) -> None:
    """Widths of the noise."""
    run.rows(training_row, protocols.widths(run.protocol, tuned(run)), "widths.parquet")


def test_robustness(run: StudyRun) -> None:
    """Networks of equal validation accuracy under every disturbance."""
    run.rows(robustness_row, protocols.matched(trained(run)), "robustness.parquet")


def describe_spikes(run: StudyRun) -> None:
    """Hidden spikes of the longest sequences."""
    rows = protocols.trainings(run.protocol, tuned(run))
    last = "digits" if run.protocol == "quick" else "braille"
    chosen = [row for row in rows if row["dataset"] == last and row["kind"] in protocols.COMPARED]
    run.rows(spiking_row, chosen, "spiking.parquet")


PARTS = {
    "tuning": tuned, "training": trained, "widths": vary_width, "robustness": test_robustness, "spiking": describe_spikes,
}  # fmt: skip
STUDY = Study(
    title="Noisy spiking networks and noise-driven learning (Ma, Yan, Tang 2023)",
    protocols=protocols.PROTOCOLS,
    parts=PARTS,
    claims=claims,
    data=lambda protocol: dict.fromkeys(PARTS, recorded(protocols.datasets(protocol))),
)
