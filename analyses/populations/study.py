"""Populations: whether couplings are found with honest intervals, and how fits run freely.

neurocode study populations --workers 2
neurocode figures populations

"""

from __future__ import annotations

from analyses.populations import protocols
from analyses.populations.claims import claims
from analyses.populations.networks import network_row
from analyses.populations.recordings import FILES, recording_row
from neurocode.studies import Study, StudyRun


def planted(run: StudyRun) -> None:
    """Fit networks with planted couplings."""
    run.rows(network_row, protocols.networks(run.protocol), "networks.parquet")


def recorded(run: StudyRun) -> None:
    """Fit recordings; the quick protocol reads none."""
    if rows := protocols.recordings(run.protocol):
        run.rows(recording_row, rows, "recordings.parquet")


STUDY = Study(
    title="Populations that are fitted and run freely",
    protocols=protocols.PROTOCOLS,
    parts={"networks": planted, "recordings": recorded},
    claims=claims,
    data=lambda protocol: (
        {}
        if protocol == "quick"
        else {"recordings": tuple(dict.fromkeys(folder for folder, _, _ in FILES.values()))}
    ),
)
