"""The largest of many gains, as an abstract states it ("up to"), compared with the largest of the
same number of gains by chance."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtr

from analyses.judging import sound
from neurocode.studies import Claim, holm, study_table
from neurocode.studies.comparisons import LEVEL

#: Published gain of each neuron: accuracy minus that with fixed parameters.
PUBLISHED = {"lif": "0.135", "meta": "0.085"}
TITLES = {"lif": "leaky integrate-and-fire", "meta": "meta-neuron"}
SOURCE = "Rudnicka, Szczepanski, Pregowska 2026 (2508.11674v2), abstract; its null is ours"
#: Smallest gain that matters, number of random exchanges of labels, and largest number of exchanges
#: up to which all are made instead.
MARGIN, DRAWN, ALL = 0.01, 20_000, 4096
#: Name of all tasks together; as published, the largest gain is then that of all cells.
EVERYWHERE = "all tasks"
Trained = Callable[[pd.DataFrame], pd.Series]


class Maximum(NamedTuple):
    """The largest mean gain of cells, the mean over the same cells, the largest gains under
    exchanged labels, the p values for a gain and against one, and the numbers of cells and
    seeds."""

    largest: float
    mean: float
    by_chance: np.ndarray
    p: float
    refute: float
    cells: int
    seeds: int


def gains(table: pd.DataFrame, neuron: str, trained: Trained) -> pd.DataFrame:
    """Return the accuracy by complexity with learned parameters minus that with fixed ones.

    Rows of the result are seeds, columns are task, rule and depth; a pair is missing (NaN) unless
    both of its networks trained.
    """
    rows = table[(table["neuron"] == neuron) & table["kind"].isin(("learned", "fixed"))]
    rows = rows[trained(rows)]
    wide = rows.pivot(
        index="seed", columns=["dataset", "rule", "depth", "kind"], values="test_complexity"
    )
    cells = sorted({column[:3] for column in wide})
    complete = [cell for cell in cells if {(*cell, "learned"), (*cell, "fixed")} <= set(wide)]
    difference = pd.DataFrame(
        {cell: wide[*cell, "learned"] - wide[*cell, "fixed"] for cell in complete}, index=wide.index
    )
    return difference.loc[:, difference.notna().sum() > 1]


def maximum_of(gains_of_cells: pd.DataFrame, seed: int = 0) -> Maximum:
    """Compare the largest mean gain of cells with its distribution under the null hypothesis.

    Under the null hypothesis the labels "learned" and "fixed" of a pair can be exchanged. They are
    exchanged for all cells of a seed and a task at once, which keeps what these cells have in
    common. If there are few of them all exchanges are made, otherwise 20 000 are drawn. The claim
    that any cell gains the margin is refuted if the t test of every cell refutes it, so its
    p value (``refute``) is the largest of these tests.
    """
    values = gains_of_cells.to_numpy(float)
    tasks = [cell[0] for cell in gains_of_cells]
    largest = np.nanmean(values, axis=0).max()
    sums = np.einsum("esc,sc->ec", _exchanges(len(values), tasks, seed), np.nan_to_num(values))
    by_chance = (sums / np.isfinite(values).sum(axis=0)).max(axis=1)
    p = float(np.mean(by_chance >= largest - 1e-12))
    refute = max(_below(column[np.isfinite(column)]) for column in values.T)
    return Maximum(
        float(largest),
        float(np.nanmean(values)),
        by_chance,
        p,
        refute,
        values.shape[1],
        len(values),
    )


def _exchanges(seeds: int, tasks: list[str], seed: int) -> np.ndarray:
    """Return the signs (exchanges, seeds, cells) of exchanged labels."""
    names = list(dict.fromkeys(tasks))
    places = [names.index(name) for name in tasks]
    count = seeds * len(names)
    if 2**count <= ALL:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=count)))
    else:
        # The first draw exchanges nothing, so that no p value is zero.
        signs = np.random.default_rng(seed).choice((1.0, -1.0), size=(DRAWN, count))
        signs[0] = 1.0
    return signs.reshape(-1, seeds, len(names))[:, :, places]


def _below(values: np.ndarray) -> float:
    """Return the one-sided p value of a mean this far below the margin, if the true mean equals
    it."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return 0.0 if values.mean() < MARGIN else 1.0
    return float(stdtr(len(values) - 1, (values.mean() - MARGIN) / error))


def maxima(folder: Path, trained: Trained) -> dict[tuple[str, str], Maximum]:
    """Return the maxima by neuron and task, and by neuron over all tasks; empty without the
    table."""
    path, result = folder / "training.parquet", {}
    if not path.exists():
        return result
    table = sound(study_table(path))
    for neuron in PUBLISHED:
        wide = gains(table, neuron, trained)
        tasks = list(dict.fromkeys(cell[0] for cell in wide))
        for task in tasks:
            result[neuron, task] = maximum_of(wide[[cell for cell in wide if cell[0] == task]])
        if tasks:
            result[neuron, EVERYWHERE] = maximum_of(wide)
    return result


def maximum_claims(folder: Path, trained: Trained) -> list[Claim]:
    """Judge the published "up to" of each neuron; the claims of a neuron form one family."""
    by_neuron_and_task, claims = maxima(folder, trained), []
    for neuron in PUBLISHED:
        of_neuron = {
            task: value for (name, task), value in by_neuron_and_task.items() if name == neuron
        }
        if not of_neuron:
            continue
        corrected = zip(
            *(
                holm(np.array([getattr(v, name) for v in of_neuron.values()]))
                for name in ("p", "refute")
            ),
            strict=True,
        )
        claims += [
            _claim(neuron, task, value, *map(float, p))
            for (task, value), p in zip(of_neuron.items(), corrected, strict=True)
        ]
    return claims


def _claim(neuron: str, task: str, value: Maximum, p: float, refute: float) -> Claim:
    verdict = "confirmed" if p < LEVEL else "refuted" if refute < LEVEL else "undecided"
    beside = "" if task == EVERYWHERE else f"; the mean over the same cells is {value.mean:.4f}"
    limit = f"by chance below {np.quantile(value.by_chance, 0.95):.4f} in 95 %"
    text = (
        f"learning intrinsic parameters improves {TITLES[neuron]} networks by up to so much (test "
        f"accuracy by complexity, "
        f"learned minus fixed, the largest of {value.cells} cells; {limit}{beside})"
    )
    return Claim(
        text,
        SOURCE,
        PUBLISHED[neuron],
        value.largest,
        None,
        value.seeds,
        verdict,
        dataset=task,
        p={"confirmed": p, "refuted": refute}.get(verdict, min(p, refute)),
    )
