"""Rules that all studies of trained networks share: how an arm is optimised and tuned, when a
network counts as trained, and how arms are paired.

Clipping and decay of the learning rate are the same for all arms. Tuning uses three seeds and
validation alone; its tables hold no test score. All arms of a data set search one grid; where the
best value of any arm lies at an end of the grid, all arms try one more value beyond that end. The
numbers in this module are our choice, not from a paper.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analyses.datasets import NAMES
from neurocode.learning import Network, Part, Settings, Task, TrainingResult, evaluate, train
from neurocode.locks import in_turn
from neurocode.studies import StudyRun, key_of

Row = dict[str, Any]
Grid = dict[str, tuple[float, ...]]
Work = Callable[..., Mapping[str, Any]]

CLIP, SCHEDULE, BATCH = 1.0, "cosine", 50
#: Number of sequences that are evaluated in one batch.
EVALUATED = 250
#: The seeds of the tuning differ from those of the results.
TUNING_SEEDS, SEEDS = (100, 101, 102), tuple(range(8))
#: A network did not train if its training accuracy is below this multiple of chance, or if its best
#: epoch is the first.
FLOOR = 3.0
#: The number of times that a grid may grow. A best setting that still lies at an edge afterwards is
#: reported as such.
MOST_WIDENINGS = 4


def trained_once(
    network: Network, task: Task, settings: Settings, row: Row, folder: Path | None
) -> TrainingResult:
    """Return the result of a training.

    One that is kept in the folder is read, or continued if it is not complete. Rows that use the
    same network may run side by side: one waits for the other.
    """
    if folder is None:
        return train(network, task, seed=row["seed"], settings=settings)
    place = folder / key_of(row)
    with in_turn(place):
        return train(network, task, seed=row["seed"], settings=settings, folder=place)


class Pairs(NamedTuple):
    """Differences between two arms by seed, and the number of pairs that are left out because one
    of the two networks did not train."""

    values: np.ndarray
    untrained: int


def datasets(protocol: str) -> tuple[str, ...]:
    """Names of the tasks; the quick protocol needs no recorded data."""
    return NAMES[:1] if protocol == "quick" else NAMES


def tuning_seeds(protocol: str) -> tuple[int, ...]:
    """Seeds of the tuning."""
    return TUNING_SEEDS[:1] if protocol == "quick" else TUNING_SEEDS


def result_seeds(protocol: str) -> tuple[int, ...]:
    """Seeds of the results."""
    return SEEDS[:1] if protocol == "quick" else SEEDS


def best_rows(best: pd.DataFrame) -> list[Row]:
    """Return the cells at the best settings that :func:`tune` found."""
    return best.drop(columns="at_edge").to_dict("records")


def trainings(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Fresh seeds of every cell at its best setting."""
    return [{**row, "seed": seed} for row in best_rows(best) for seed in result_seeds(protocol)]


def settings_of(row: Row, **options: Any) -> Settings:
    """Return the training settings of a row; ``options`` are added by the study."""
    return Settings(
        epochs=row["epochs"],
        batch_size=BATCH,
        learning_rate=row["rate"],
        schedule=SCHEDULE,
        clip=CLIP,
        **options,
    )


def validation_of(result: TrainingResult) -> dict[str, float]:
    """Return the validation score, validation loss and epoch of the network that validation
    chose."""
    chosen = result.history.set_index("epoch").loc[result.best_epoch]
    return {name: float(chosen[name]) for name in ("validation_score", "validation_loss")} | {
        "best_epoch": result.best_epoch
    }


def score_of(network: Network, part: Part, task: Task, seed: int, passes: int = 1) -> float:
    """Return the score of a network on a part.

    The batch size divides the sizes of the larger parts, so that one compiled program serves them.
    """
    return evaluate(network, part, task, seed=seed, passes=passes, batch_size=EVALUATED).score


def training_of(result: TrainingResult, task: Task, seed: int) -> dict[str, float]:
    """Return the columns from which :func:`is_trained` decides whether a network trained."""
    score = score_of(result.network, task.training, task, seed)
    return {"best_epoch": result.best_epoch, "training_score": score, "chance": 1 / task.n_outputs}


def scores_of(result: TrainingResult, task: Task, seed: int) -> dict[str, float]:
    """Scores of the network that validation chose, on all three parts."""
    return {
        **validation_of(result),
        **training_of(result, task, seed),
        "test_score": result.test_score,
    }


def is_trained(table: pd.DataFrame) -> pd.Series:
    """Return for each row, with the columns of :func:`training_of`, whether the network trained."""
    return (table["best_epoch"] > 1) & (table["training_score"] >= FLOOR * table["chance"])


def tune(
    run: StudyRun,
    work: Work,
    cells: Sequence[Row],
    grid: Grid,
    table: str,
    shared: Sequence[str],
    seeds: Sequence[int],
) -> pd.DataFrame:
    """Find the setting of every cell that is best on validation, on a grid that grows at its edges.

    First every setting of the grid is tried. Then, while the best value of any cell lies at an end
    of an axis, every cell that shares the grid tries one more value beyond that end, with its other
    values at their best.

    Parameters
    ----------
    run : StudyRun
    work : callable
        Returns the columns of :func:`validation_of` for the settings of a row.
    cells : sequence of dict
        Rows without the tuned values and without a seed.
    grid : dict of str to tuple
        Values of each tuned setting in increasing order; an axis with a single value does not grow.
    table : str
        File of the rows.
    shared : sequence of str
        Columns that are equal for the cells that search the same grid.
    seeds : sequence of int

    Returns
    -------
    pandas.DataFrame
        One row per cell: its settings, the best tuned values, and ``at_edge``: whether one of these
        lies at an end of the grid that was not passed.
    """
    names, axes = list(cells[0]), list(grid)
    groups = {tuple(cell[name] for name in shared): grid for cell in cells}
    plan = [
        {**cell, **dict(zip(axes, values, strict=True))}
        for cell in cells
        for values in itertools.product(*grid.values())
    ]
    for turn in itertools.count():
        best = best_settings(
            run.rows(work, [{**row, "seed": seed} for row in plan for seed in seeds], table),
            names,
            axes,
        )
        group_of = best[list(shared)].apply(tuple, axis=1)
        edges = {
            group: _edges(group_grid, best[group_of == group])
            for group, group_grid in groups.items()
        }
        if turn == MOST_WIDENINGS or not any(edges.values()):
            break
        for group, passed in edges.items():
            for name, value in passed:
                plan += [
                    {**cell, name: value}
                    for cell in best.loc[group_of == group, [*names, *axes]].to_dict("records")
                ]
            groups[group] = {
                name: tuple(sorted({*values, *(value for axis, value in passed if axis == name)}))
                for name, values in groups[group].items()
            }
    at_edge = [bool(_edges(groups[group], best.iloc[[k]])) for k, group in enumerate(group_of)]
    return best.drop(columns="validation_score").assign(at_edge=at_edge)


def best_settings(tuned: pd.DataFrame, cell: Sequence[str], axes: Sequence[str]) -> pd.DataFrame:
    """Return for every cell the setting with the highest mean validation score; ties go to the
    lower loss."""
    means = (
        tuned.groupby([*cell, *axes], sort=False, dropna=False)[
            ["validation_score", "validation_loss"]
        ]
        .mean()
        .reset_index()
    )
    ordered = means.sort_values(
        ["validation_score", "validation_loss"], ascending=[False, True], kind="stable"
    )
    return (
        ordered.drop_duplicates(list(cell))
        .sort_index()
        .reset_index(drop=True)[[*cell, *axes, "validation_score"]]
    )


def _edges(grid: Grid, best: pd.DataFrame) -> list[tuple[str, float]]:
    """Return the axes at whose end the best value of any cell lies, with the next value beyond it.

    The next value continues the ratio of the last two values at that end.
    """
    passed = []
    for name, values in grid.items():
        for end, inner in ((values[0], values[1:2]), (values[-1], values[-2:-1])):
            if inner and np.isclose(best[name], end).any():
                passed.append((name, float(f"{end**2 / inner[0]:.6g}")))
    return passed


def paired(
    table: pd.DataFrame,
    column: str,
    first: str,
    second: str,
    values: str,
    trained: pd.Series | None = None,
) -> Pairs:
    """Return the differences by seed between the rows of two arms of one data set.

    A difference is the entry of the column ``values`` in the row where ``column`` holds ``first``,
    minus that in the row of the same seed where it holds ``second``. A pair of which a row did not
    train is left out and counted. Whether a row trained is decided by :func:`is_trained`, or given
    as ``trained``.
    """
    judged = table.assign(trained=is_trained(table) if trained is None else trained)
    wide = judged.pivot(index="seed", columns=column, values=[values, "trained"])
    if not {first, second} <= set(table[column]):
        return Pairs(np.empty(0), 0)
    # A missing row is NaN in the wide table, and so equal neither to True nor to False.
    is_true = wide["trained"][[first, second]] == True  # noqa: E712
    pair_trained = is_true.all(axis=1)
    complete = wide[values][[first, second]].notna().all(axis=1)
    difference = (wide[values][first] - wide[values][second])[pair_trained & complete]
    return Pairs(difference.to_numpy(float), int((complete & ~pair_trained).sum()))
