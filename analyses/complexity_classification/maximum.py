"""The largest of many gains, as an abstract states it ("up to"), against what the largest of as
many is by chance."""

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

#: What is published of each neuron: accuracy in points over parameters that are fixed.
PUBLISHED = {"lif": "0.135", "meta": "0.085"}
TITLES = {"lif": "leaky integrate-and-fire", "meta": "meta-neuron"}
SOURCE = "Rudnicka, Szczepanski, Pregowska 2026 (2508.11674v2), abstract; its null is ours"
#: Smallest gain that matters, and how many exchanges of labels are drawn where all are too many.
MARGIN, DRAWN, ALL = 0.01, 20_000, 4096
#: All tasks together: the largest of all cells, as published.
EVERYWHERE = "all tasks"
Trained = Callable[[pd.DataFrame], pd.Series]


class Maximum(NamedTuple):
    """The largest mean gain, the mean over the same cells, the largest gains under exchanged
    labels, and probabilities."""

    largest: float
    mean: float
    by_chance: np.ndarray
    p: float
    refute: float
    cells: int
    seeds: int


def gains(table: pd.DataFrame, neuron: str, trained: Trained) -> pd.DataFrame:
    """Learned minus fixed accuracy by complexity, of pairs that trained: rows are seeds, columns
    task, rule and depth."""
    own = table[(table["neuron"] == neuron) & table["kind"].isin(("learned", "fixed"))]
    own = own[trained(own)]
    wide = own.pivot(
        index="seed", columns=["dataset", "rule", "depth", "kind"], values="test_complexity"
    )
    cells = sorted({column[:3] for column in wide})
    both = [cell for cell in cells if {(*cell, "learned"), (*cell, "fixed")} <= set(wide)]
    found = pd.DataFrame(
        {cell: wide[*cell, "learned"] - wide[*cell, "fixed"] for cell in both}, index=wide.index
    )
    return found.loc[:, found.notna().sum() > 1]


def maximum_of(found: pd.DataFrame, seed: int = 0) -> Maximum:
    """The largest mean gain of cells against its null.

    Under the null the labels "learned" and "fixed" of a pair could be exchanged. They are, for all
    cells of a seed and a task at once, so that what these cells share stays; with few of them all
    exchanges are made, else 20 000 are drawn. Refuted is that any cell gains the margin where the t
    test of every cell refutes it, whose largest probability this is.
    """
    values = found.to_numpy(float)
    tasks = [cell[0] for cell in found]
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
    """Signs (exchanges, seeds, cells)."""
    names = list(dict.fromkeys(tasks))
    places = [names.index(name) for name in tasks]
    count = seeds * len(names)
    if 2**count <= ALL:
        signs = np.array(list(itertools.product((1.0, -1.0), repeat=count)))
    else:
        # the first is no exchange, so that no probability is zero
        signs = np.random.default_rng(seed).choice((1.0, -1.0), size=(DRAWN, count))
        signs[0] = 1.0
    return signs.reshape(-1, seeds, len(names))[:, :, places]


def _below(values: np.ndarray) -> float:
    """One-sided probability of a mean this far below the margin, if the true one is at it."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return 0.0 if values.mean() < MARGIN else 1.0
    return float(stdtr(len(values) - 1, (values.mean() - MARGIN) / error))


def maxima(folder: Path, trained: Trained) -> dict[tuple[str, str], Maximum]:
    """By neuron and task, and by neuron over all tasks; none without the table."""
    path, found = folder / "training.parquet", {}
    if not path.exists():
        return found
    table = sound(study_table(path))
    for neuron in PUBLISHED:
        wide = gains(table, neuron, trained)
        tasks = list(dict.fromkeys(cell[0] for cell in wide))
        for task in tasks:
            found[neuron, task] = maximum_of(wide[[cell for cell in wide if cell[0] == task]])
        if tasks:
            found[neuron, EVERYWHERE] = maximum_of(wide)
    return found


def maximum_claims(folder: Path, trained: Trained) -> list[Claim]:
    """The published "up to" of each neuron, a family each."""
    found, claims = maxima(folder, trained), []
    for neuron in PUBLISHED:
        own = {task: value for (name, task), value in found.items() if name == neuron}
        if not own:
            continue
        corrected = zip(
            *(holm(np.array([getattr(v, name) for v in own.values()])) for name in ("p", "refute")),
            strict=True,
        )
        claims += [
            _claim(neuron, task, value, *map(float, p))
            for (task, value), p in zip(own.items(), corrected, strict=True)
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
