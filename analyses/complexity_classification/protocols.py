"""Rows of the study: cells of neuron, kind of intrinsic parameters and rule, each with the same grid of settings."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pandas as pd

PROTOCOLS = ("reduced", "quick")
TASKS = ("rates", "markov", "mnist")
NEURONS = ("lif", "meta")
#: Every kind of intrinsic parameters under every rule; the homeostatic control goes with plasticity alone.
KINDS = ("fixed", "learned", "random")
RULES = ("gradient", "tempotron", "stdp")
HOMEOSTATIC = "homeostatic"
#: The grid of settings, the same for every cell: a factor on the learning rate of the rule, the drive of the input at the start.
FACTORS, GAINS = (1 / 3, 1.0, 3.0), (1.5, 4.0)
TUNING_SEEDS, SEEDS, FEWER_SEEDS = (100, 101), range(10), range(5)
UPDATES = 185
#: Cells beyond the core table, under gradients alone.
OTHERS = (("adlif", TASKS), ("lif", ("breast",)), ("meta", ("breast",)))
LOADS, CYCLES = (1.0, 2.0, 2.5, 3.0, 3.5), 5000

Row = dict[str, Any]
Cell = tuple[str, str, str, str]


def row(protocol: str, cell: Cell, factor: float, gain: float, seed: int) -> Row:
    """Settings of a training."""
    quick = protocol == "quick"
    names = dict(zip(("task", "neuron", "kind", "rule"), cell, strict=True))
    return {
        **names, "factor": factor, "gain": gain, "updates": 4 if quick else UPDATES, "seed": seed, "sequences": 120 if quick else 0,
    }  # fmt: skip


def cells(protocol: str) -> list[Cell]:
    """Of the core table: task, neuron, kind and rule."""
    tasks = ("markov",) if protocol == "quick" else TASKS
    neurons = NEURONS[:1] if protocol == "quick" else NEURONS
    control = itertools.product(tasks, neurons, (HOMEOSTATIC,), ("stdp",))
    return [*itertools.product(tasks, neurons, KINDS, RULES), *control]


def other_cells(protocol: str) -> list[Cell]:
    """Adaptive neurons, and the breast cancer data, under gradients."""
    if protocol == "quick":
        return [("breast", "lif", "learned", "gradient")]
    return [(task, neuron, kind, "gradient") for neuron, tasks in OTHERS for task in tasks for kind in KINDS]


def tuning(protocol: str, chosen: list[Cell]) -> list[Row]:
    """Every setting of the grid for every cell, on seeds that are not tested."""
    grid = [(1.0, GAINS[0])] if protocol == "quick" else list(itertools.product(FACTORS, GAINS))
    seeds = TUNING_SEEDS[:1] if protocol == "quick" else TUNING_SEEDS
    return [row(protocol, cell, *setting, seed) for cell, setting, seed in itertools.product(chosen, grid, seeds)]


def best_settings(tuned: pd.DataFrame) -> dict[Cell, tuple[float, float]]:
    """Setting with the best mean validation accuracy of SNN-LZC, of every cell; among equals the first of the grid."""
    names = ["task", "neuron", "kind", "rule"]
    means = tuned.groupby([*names, "factor", "gain"], sort=False)["validation_complexity"].mean()
    best = pd.DataFrame(list(means.groupby(names, sort=False).idxmax()), columns=[*names, "factor", "gain"])
    return {tuple(own[:4]): tuple(own[4:]) for own in best.itertuples(index=False, name=None)}


def trainings(protocol: str, settings: dict[Cell, tuple[float, float]], seeds: range) -> list[Row]:
    """Every cell at its best setting."""
    seeds = range(1) if protocol == "quick" else seeds
    return [row(protocol, cell, *setting, seed) for (cell, setting), seed in itertools.product(settings.items(), seeds)]


def controls(protocol: str) -> list[Row]:
    """The inputs themselves, and networks that were not trained, at both drives."""
    tasks = ("markov",) if protocol == "quick" else (*TASKS, "breast")
    seeds = range(1) if protocol == "quick" else SEEDS
    plan = [("none", "raw", GAINS[0]), *itertools.product(NEURONS, ("fixed", "random"), GAINS)]
    return [
        row(protocol, (task, neuron, kind, "none"), 1.0, gain, seed)
        for task, (neuron, kind, gain), seed in itertools.product(tasks, plan, seeds)
    ]


def recorded(protocol: str, names: list[str]) -> list[Row]:
    """Networks on recorded trains: a fold held out for each seed."""
    return _folds(protocol, itertools.product(names, NEURONS[:1], KINDS, RULES[:1]))


def recorded_controls(protocol: str, names: list[str]) -> list[Row]:
    """The recorded trains themselves, and networks that were not trained."""
    kinds = (("none", "raw"), ("lif", "fixed"), ("lif", "random"))
    return _folds(protocol, [(name, *kind, "none") for name in names for kind in kinds])


def _folds(protocol: str, chosen: Iterable[Cell]) -> list[Row]:
    seeds = range(1) if protocol == "quick" else FEWER_SEEDS
    return [row(protocol, cell, 1.0, GAINS[0], seed) for cell, seed in itertools.product(chosen, seeds)]


def capacities(protocol: str) -> list[Row]:
    """Loads of the Tempotron."""
    loads, seeds = (LOADS[:1], range(1)) if protocol == "quick" else (LOADS, SEEDS)
    cycles = 50 if protocol == "quick" else CYCLES
    return [{"load": load, "cycles": cycles, "seed": seed, "sequences": 0} for load, seed in itertools.product(loads, seeds)]
