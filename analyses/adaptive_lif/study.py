"""Adaptive LIF neurons and symplectic Euler (Baronig, Ferrand, Sabathiel, Legenstein 2025): the parts of the study.

neurocode study adaptive-lif --workers 2
neurocode figures adaptive-lif

"""

from __future__ import annotations

from functools import partial

from analyses.adaptive_lif import neurons, protocols, raphe, stability, wavelets
from analyses.adaptive_lif.claims import claims
from analyses.adaptive_lif.robustness import robustness_row
from analyses.adaptive_lif.summary import write_summary
from analyses.adaptive_lif.training import training_row
from neurocode.studies import Study, StudyRun

QUICK_DRAWS, DRAWS = 10_000, 100_000


def draw_stability(run: StudyRun) -> None:
    """Part a: spectral radius and frequency of both discretisations."""
    stability.write(run.output, QUICK_DRAWS if run.protocol == "quick" else DRAWS)


def draw_wavelets(run: StudyRun) -> None:
    """Part b: gradients over time and frequency."""
    wavelets.write(run.output)


def train(table: str, run: StudyRun) -> None:
    """Part c: one training table."""
    run.rows(partial(training_row, run.scratch), protocols.ROWS[table](run.protocol), f"{table}.parquet")
    write_summary(run.output)


def test_robustness(run: StudyRun) -> None:
    """Part d: networks of the electrocardiograms and of the most burst sequences under shifted and noisier input."""
    rows = [row for row in protocols.ecg(run.protocol) if row["layers"] == 1]
    most = max(row["classes"] for row in protocols.burst_sequences(run.protocol))
    rows += [row for row in protocols.burst_sequences(run.protocol) if row["classes"] == most]
    run.rows(partial(robustness_row, run.scratch), rows, "robustness.parquet")


def describe_neurons(run: StudyRun) -> None:
    """Part e: spikes of trained neurons."""
    rows = neurons.rows(protocols.ecg(run.protocol))
    neurons.write(run.rows(partial(neurons.neurons_row, run.scratch), rows, "neurons.parquet"), rows, run.output)


def fit_raphe(run: StudyRun) -> None:
    """Part e: recorded neurons on the same map; not in the quick protocol."""
    if run.protocol != "quick":
        run.rows(raphe.raphe_row, raphe.rows(), "raphe.parquet")


def data(protocol: str) -> dict[str, tuple[str, ...]]:
    """Folders of recorded data by part."""
    recorded = {part: ("qtdb-ecg",) for part in ("ecg", "robustness", "neurons")}
    return recorded if protocol == "quick" else {**recorded, "raphe": ("raphe",)}


STUDY = Study(
    title="Adaptive LIF neurons and symplectic Euler (Baronig et al. 2025)",
    protocols=protocols.PROTOCOLS,
    parts={
        "stability": draw_stability, "wavelets": draw_wavelets, "ecg": partial(train, "ecg"),
        "burst-sequences": partial(train, "burst_sequences"), "spring-mass": partial(train, "spring_mass"),
        "robustness": test_robustness, "neurons": describe_neurons, "raphe": fit_raphe,
    },
    claims=claims,
    data=data,
)  # fmt: skip
