"""The robustness of surrogate gradients (Zenke & Vogels 2021): the parts of the study.

neurocode study surrogate-gradients --workers 2
neurocode figures surrogate-gradients

"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from analyses.surrogate_gradients import protocols
from analyses.surrogate_gradients.claims import claims, write_sparse_limit
from analyses.surrogate_gradients.training import training_row
from neurocode.errors import DataError
from neurocode.studies import Study, StudyRun, key_of, study_table


def run_rows(table: str, rows: Callable[[str], list[protocols.Row]], run: StudyRun) -> None:
    """A table whose rows depend on the protocol alone."""
    run.rows(training_row, rows(run.protocol), f"{table}.parquet")


def run_repeats(name: str, spectrum: str, run: StudyRun) -> None:
    """Stage 2: fresh seeds at the learning rates that stage 1 chose on validation."""
    wanted = {key_of(row) for row in protocols.grid(run.protocol)}
    table = study_table(run.output / "grid.parquet")
    stage_1 = table[table["key"].isin(wanted) & table["error"].isna()]
    if len(stage_1) < len(wanted):
        raise DataError(f"{run.output / 'grid.parquet'}: stage 1 is not complete; run the part 'grid' first.")
    run.rows(training_row, protocols.repeated(run.protocol, stage_1, spectrum), f"{name}.parquet")


def find_sparse_limit(table: str, rows: Callable[[str], list[protocols.Row]], run: StudyRun) -> None:
    """Ever stronger bounds of activity, and the activity at which the line of accuracy breaks, with a bootstrap interval."""
    found = run.rows(training_row, rows(run.protocol), f"{table}.parquet")
    if run.protocol != "quick":
        write_sparse_limit(found, run.output / f"{table}_limit.csv")


STUDY = Study(
    title="The robustness of surrogate gradients (Zenke & Vogels 2021)",
    protocols=protocols.PROTOCOLS,
    parts={
        "controls": partial(run_rows, "controls", protocols.controls), "grid": partial(run_rows, "grid", protocols.grid),
        "repeats": partial(run_repeats, "repeats", "printed"), "resets": partial(run_rows, "resets", protocols.resets),
        "loops": partial(run_rows, "loops", protocols.loops), "sparse": partial(find_sparse_limit, "sparse", protocols.sparse),
        "firing-sparse": partial(find_sparse_limit, "firing_sparse", protocols.firing_sparse),
        "firing-start": partial(run_rows, "firing_start", protocols.firing_start),
        "firing-resets": partial(run_rows, "firing_resets", protocols.firing_resets),
        "more-shapes": partial(run_rows, "more_shapes", protocols.more_shapes),
        "released-spectrum": partial(run_repeats, "released_spectrum", "released"),
        "attached-grid": partial(
            run_rows, "attached_grid", partial(protocols.superspike_grid, asymptotic=True, reset_gradient=True)
        ),
    },
    claims=claims,
)  # fmt: skip
