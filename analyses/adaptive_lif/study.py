"""Adaptive LIF neurons and symplectic Euler (Baronig, Ferrand, Sabathiel, Legenstein 2025): the
parts of the study.

neurocode study adaptive-lif --workers 2
neurocode study adaptive-lif --protocol published --part springs --workers 2
neurocode figures adaptive-lif

"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from analyses.adaptive_lif import neurons, protocols, raphe, stability, wavelets
from analyses.adaptive_lif.claims import claims
from analyses.adaptive_lif.networks import Row
from analyses.adaptive_lif.robustness import robustness_row
from analyses.adaptive_lif.training import training_row, tuning_row
from analyses.protocol import tune
from neurocode.studies import Study, StudyRun

QUICK_DRAWS, DRAWS = 10_000, 100_000


def draw_stability(run: StudyRun) -> None:
    """Compute spectral radius and frequency of both discretisations."""
    stability.write(run.output, QUICK_DRAWS if run.protocol == "quick" else DRAWS)


def draw_wavelets(run: StudyRun) -> None:
    """Compute gradients over time and frequency."""
    wavelets.write(run.output)


def tuned(run: StudyRun) -> pd.DataFrame:
    """Return the tuned learning rate of every arm without a released one."""
    cells, grid = protocols.tuned_cells(run.protocol)
    seeds = protocols.TUNING_SEEDS[:1] if run.protocol == "quick" else protocols.TUNING_SEEDS
    return tune(
        run, tuning_row, cells, grid, "tuning.parquet", ("dataset", "layers", "neurons"), seeds
    )


def train(table: str, rows: Callable[[str, pd.DataFrame], list[Row]], run: StudyRun) -> None:
    """Train the networks of one table; nothing is run if the protocol has no rows of it."""
    if planned := rows(run.protocol, tuned(run)):
        run.rows(partial(training_row, run.scratch), planned, f"{table}.parquet")


def test_robustness(run: StudyRun) -> None:
    """Test trained networks under shifted and noisier input."""
    run.rows(
        partial(robustness_row, run.scratch),
        protocols.disturbed(run.protocol, tuned(run)),
        "robustness.parquet",
    )


def describe_neurons(run: StudyRun) -> None:
    """Describe the spikes of trained neurons, and neurons before training."""
    if rows := protocols.described(run.protocol, tuned(run)):
        run.rows(partial(neurons.neurons_row, run.scratch), rows, "neurons.parquet")
        neurons.write_untrained(rows[0], run.output)


def fit_raphe(run: StudyRun) -> None:
    """Place recorded neurons on the same map; not in the quick protocol."""
    if run.protocol != "quick":
        run.rows(raphe.raphe_row, raphe.rows(), "raphe.parquet")


def data(protocol: str) -> dict[str, tuple[str, ...]]:
    """Return the folders of recorded data by part.

    The bursts and springs of the protocol ``published`` are simulated and need no recordings.
    """
    if protocol != "reduced":
        return {} if protocol == "quick" else {"raphe": ("raphe",)}
    recordings = ("qtdb-ecg", "braille")
    return {
        **dict.fromkeys(
            ("tuning", "ecg", "rivals", "springs", "bursts", "robustness", "neurons"), recordings
        ),
        "raphe": ("raphe",),
    }


STUDY = Study(
    title="Adaptive LIF neurons and symplectic Euler (Baronig et al. 2025)",
    protocols=protocols.PROTOCOLS,
    parts={
        "stability": draw_stability,
        "wavelets": draw_wavelets,
        "tuning": tuned,
        "ecg": partial(train, "ecg", protocols.ecg),
        "rivals": partial(train, "rivals", protocols.rivals),
        "springs": partial(train, "springs", protocols.springs),
        "bursts": partial(train, "bursts", protocols.bursts),
        "robustness": test_robustness,
        "neurons": describe_neurons,
        "raphe": fit_raphe,
    },
    claims=claims,
    data=data,
)
