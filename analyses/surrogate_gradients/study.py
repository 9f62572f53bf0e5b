"""The robustness of surrogate gradients (Zenke & Vogels 2021): the parts of the study.

neurocode study surrogate-gradients --workers 2
neurocode figures surrogate-gradients

"""

from __future__ import annotations

from analyses.protocol import tune, tuning_seeds
from analyses.surrogate_gradients import protocols
from analyses.surrogate_gradients.claims import claims
from analyses.surrogate_gradients.sparse import write_limit
from analyses.surrogate_gradients.training import (
    last_row,
    last_tuning_row,
    start_row,
    training_row,
    tuning_row,
)
from neurocode.studies import Study, StudyRun


def compare(run: StudyRun) -> None:
    """Compare shapes, slopes, resets and recurrence, each at its best learning rate."""
    cells, seeds = protocols.comparisons(run.protocol), tuning_seeds(run.protocol)
    shared = ("dataset", "net", "start")
    best = tune(
        run,
        tuning_row,
        cells,
        protocols.grid(run.protocol),
        "comparisons_tuning.parquet",
        shared,
        seeds,
    )
    run.rows(training_row, protocols.results(run.protocol, best), "comparisons.parquet")


def vary_depth(run: StudyRun) -> None:
    """Train networks of one, two and four layers, each arm at its best learning rate."""
    cells, seeds = protocols.deep(run.protocol), tuning_seeds(run.protocol)
    best = tune(
        run,
        tuning_row,
        cells,
        protocols.grid(run.protocol),
        "depth_tuning.parquet",
        ("start", "depth"),
        seeds,
    )
    run.rows(
        training_row, protocols.results(run.protocol, best, protocols.FEWER_SEEDS), "depth.parquet"
    )


def bound_activity(run: StudyRun) -> None:
    """Train networks under stronger and stronger upper bounds of activity, and find the activity at
    which the line of accuracy breaks."""
    cells, seeds = protocols.sparse(run.protocol), tuning_seeds(run.protocol)
    best = tune(
        run,
        last_tuning_row,
        cells,
        protocols.grid(run.protocol),
        "sparse_tuning.parquet",
        ("dataset",),
        seeds,
    )
    networks = run.rows(
        last_row, protocols.results(run.protocol, best, protocols.FEWER_SEEDS), "sparse.parquet"
    )
    if run.protocol != "quick":
        write_limit(networks, run.output / "sparse_limit.csv")


def try_starts(run: StudyRun) -> None:
    """Find out from which starts networks learn, over shapes, slopes and depths."""
    run.rows(start_row, protocols.starts(run.protocol), "starts.parquet")


#: Folders of recorded data.
FOLDERS = ("qtdb-ecg", "braille")
STUDY = Study(
    title="The robustness of surrogate gradients (Zenke & Vogels 2021)",
    protocols=protocols.PROTOCOLS,
    parts={
        "starts": try_starts,
        "depth": vary_depth,
        "sparse": bound_activity,
        "comparisons": compare,
    },
    claims=claims,
    data=lambda protocol: {} if protocol == "quick" else {"comparisons": FOLDERS},
)
