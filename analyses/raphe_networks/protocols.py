"""Rows of the study: four kinds of neurons on two tasks.

Sizes, epochs and grids are our choice.
"""

from __future__ import annotations

import itertools

import pandas as pd

from analyses.protocol import Grid, best_rows
from analyses.raphe_networks.cells import CELLS
from analyses.raphe_networks.networks import Row

PROTOCOLS = ("reduced", "quick")
#: Neurons as fitted, with parameters permuted among cells, with the values of the library, and as
#: fitted but learning too.
ARMS = ("fitted", "shuffled", "library", "learned")
GRID: Grid = {"rate": (3e-3, 0.01), "gain": (200.0, 800.0)}
TUNING_SEEDS, SEEDS = (100, 101, 102), 8
SIZES = {"ecg": {"neurons": 70, "epochs": 12}, "braille": {"neurons": 100, "epochs": 30}}


def cells(protocol: str) -> tuple[list[Row], Grid]:
    """Return every kind of neuron on every task, and the grid that all of them search."""
    if protocol == "quick":
        size = {"neurons": 10, "epochs": 2, "sequences": 60}
        return [{"dataset": "bursts", "arm": "fitted", **size}], {"rate": (0.01,), "gain": (800.0,)}
    return [
        {"dataset": name, "arm": arm, **SIZES[name], "sequences": 0}
        for name, arm in itertools.product(SIZES, ARMS)
    ], GRID


def fits() -> list[Row]:
    """Return one row per cell."""
    return [{"cell": cell, "seed": 0} for cell in CELLS]


def trainings(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows with fresh seeds of every cell at its best setting."""
    seeds = range(1 if protocol == "quick" else SEEDS)
    return [{**row, "seed": seed} for seed, row in itertools.product(seeds, best_rows(best))]
