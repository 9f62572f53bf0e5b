"""One neuron, four jobs: raphe neurons are fitted, put unchanged into a layer whose synapses are
trained, and compared with the recordings again.

neurocode study raphe-networks --workers 2
neurocode figures raphe-networks

"""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pandas as pd

from analyses.protocol import tune
from analyses.raphe_networks import protocols
from analyses.raphe_networks.cells import fit_row, planted_row
from analyses.raphe_networks.claims import claims
from analyses.raphe_networks.training import Cells, Recorded, training_row, tuning_row
from neurocode.studies import Study, StudyRun


def fitted(run: StudyRun) -> pd.DataFrame:
    """Fit the five cells, or make them up in the quick protocol."""
    return run.rows(
        planted_row if run.protocol == "quick" else fit_row, protocols.fits(), "fits.parquet"
    )


def cells_of(fits: pd.DataFrame) -> Cells:
    """Return the fitted values of every cell."""
    return {row["cell"]: json.loads(row["values"]) for row in fits.to_dict("records")}


def recorded_of(fits: pd.DataFrame) -> Recorded:
    """Return the spike times and the duration of the recording of every cell."""
    return {
        row["cell"]: (np.array(json.loads(row["spike_times"])), row["duration"])
        for row in fits.to_dict("records")
    }


def tuned(run: StudyRun) -> pd.DataFrame:
    """Return the best learning rate and gain of every kind of neuron on every task."""
    arms, grid = protocols.cells(run.protocol)
    seeds = protocols.TUNING_SEEDS[:1] if run.protocol == "quick" else protocols.TUNING_SEEDS
    return tune(
        run,
        partial(tuning_row, cells_of(fitted(run))),
        arms,
        grid,
        "tuning.parquet",
        ("dataset",),
        seeds,
    )


def trained(run: StudyRun) -> None:
    """Train networks with fresh seeds at the best settings."""
    fits = fitted(run)
    work = partial(training_row, cells_of(fits), recorded_of(fits))
    run.rows(work, protocols.trainings(run.protocol, tuned(run)), "training.parquet")


STUDY = Study(
    title="One neuron, four jobs: raphe neurons in trained networks",
    protocols=protocols.PROTOCOLS,
    parts={"fits": fitted, "tuning": tuned, "training": trained},
    claims=claims,
    data=lambda protocol: (
        {}
        if protocol == "quick"
        else {
            "fits": ("raphe",),
            **dict.fromkeys(("tuning", "training"), ("raphe", "qtdb-ecg", "braille")),
        }
    ),
)
