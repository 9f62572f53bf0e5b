"""Noisy spiking networks and noise-driven learning (Ma, Yan, Tang 2023): the parts of the study.

neurocode study noisy-networks --workers 2
neurocode figures noisy-networks

"""

from __future__ import annotations

from functools import partial

import pandas as pd

from analyses.datasets import recorded
from analyses.noisy_networks import protocols
from analyses.noisy_networks.claims import claims
from analyses.noisy_networks.gradients import compare_gradients, gradient_rows
from analyses.noisy_networks.limit import limit_row
from analyses.noisy_networks.robustness import robustness_row
from analyses.noisy_networks.training import size_row, spiking_row, training_row, tuning_row
from analyses.protocol import datasets, trainings, tune, tuning_seeds
from neurocode.studies import Study, StudyRun


def tuned(run: StudyRun) -> pd.DataFrame:
    """Return the best setting of every kind on every data set."""
    cells, grid = protocols.dense(run.protocol)
    return tune(
        run, tuning_row, cells, grid, "tuning.parquet", ("dataset",), tuning_seeds(run.protocol)
    )


def trained(run: StudyRun) -> None:
    """Train networks with fresh seeds at the best settings."""
    run.rows(
        partial(training_row, run.scratch), trainings(run.protocol, tuned(run)), "training.parquet"
    )


def disturb(run: StudyRun) -> None:
    """Test the same networks under every disturbance."""
    run.rows(
        partial(robustness_row, run.scratch),
        protocols.robustness(run.protocol, tuned(run)),
        "robustness.parquet",
    )


def describe_spikes(run: StudyRun) -> None:
    """Describe the hidden spikes on the data set with the longest sequences."""
    last = "digits" if run.protocol == "quick" else "braille"
    rows = trainings(run.protocol, tuned(run))
    chosen = [
        row for row in rows if row["dataset"] == last and row["kind"] in ("deterministic", "escape")
    ]
    run.rows(partial(spiking_row, run.scratch), chosen, "spiking.parquet")


def vary_size(run: StudyRun) -> None:
    """Train networks on smaller training parts."""
    run.rows(size_row, protocols.sizes(run.protocol, tuned(run)), "sizes.parquet")


def narrow_noise(run: StudyRun) -> None:
    """Compare noisy networks whose noise is narrow with deterministic ones."""
    run.rows(limit_row, protocols.limit(run.protocol), "limit.parquet")


def enumerate_gradients(run: StudyRun) -> None:
    """Compute gradients of small networks by sums over all patterns of spikes."""
    run.rows(compare_gradients, gradient_rows(run.protocol), "gradients.parquet")


def convolutional(run: StudyRun) -> None:
    """Tune and train convolutional networks like the others."""
    cells, grid = protocols.convolutional(run.protocol)
    if cells:
        seeds = tuning_seeds(run.protocol)
        best = tune(run, tuning_row, cells, grid, "convolutional_tuning.parquet", ("net",), seeds)
        rows = trainings(run.protocol, best)
        run.rows(partial(training_row, run.scratch), rows, "convolutional.parquet")


PARTS = {
    "tuning": tuned,
    "training": trained,
    "robustness": disturb,
    "spiking": describe_spikes,
    "sizes": vary_size,
    "limit": narrow_noise,
    "gradients": enumerate_gradients,
    "convolutional": convolutional,
}
STUDY = Study(
    title="Noisy spiking networks and noise-driven learning (Ma, Yan, Tang 2023)",
    protocols=protocols.PROTOCOLS,
    parts=PARTS,
    claims=claims,
    data=lambda protocol: dict.fromkeys(
        [part for part in PARTS if part not in ("limit", "gradients")], recorded(datasets(protocol))
    ),
)
