"""Rows of the study. Data sets, sizes, epochs and levels are ours; a noise of width 0.3 is that of
the shipped CIFAR-10 command."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from analyses.protocol import Grid, Row, best_rows, datasets, result_seeds, trainings

PROTOCOLS = ("reduced", "quick")
#: Networks without noise, with noise in each of three ways, and with escape noise whose gradient is
#: corrected (ours).
KINDS = ("deterministic", "escape", "diffusive", "both", "corrected")
CONVOLUTIONAL, CONVOLUTIONAL_KINDS = ("lenet", "cifar"), ("deterministic", "escape")
#: Of weights, and of the noise; for networks without it of their surrogate.
GRID: Grid = {"rate": (1e-3, 3e-3, 1e-2), "width": (0.15, 0.3, 0.6)}
CONVOLUTIONAL_GRID: Grid = {"rate": (1e-3, 3e-3), "width": (0.3, 0.6)}
EPOCHS = {"digits": 30, "mnist10k": 12, "braille": 30}
CONVOLUTIONAL_EPOCHS = {"lenet": 12, "cifar": 4}
#: Training images, all with as many updates as the largest; kinds whose gap between training and
#: test is compared.
TRAINING_SIZES = (200, 500, 1000, 2000, 7000)
SIZE_KINDS = ("deterministic", "escape", "both")
UPDATES = 1400


def cell(protocol: str, dataset: str, net: str, kind: str, **options: Any) -> Row:
    """A row without what is tuned and without seed."""
    quick = protocol == "quick"
    epochs = EPOCHS[dataset] if net == "dense" else CONVOLUTIONAL_EPOCHS[net]
    base = {
        "dataset": dataset,
        "net": net,
        "kind": kind,
        "epochs": 2 if quick else epochs,
        "training_size": 0,
    }
    return {**base, "sequences": 120 if quick else 0, **options}


def dense(protocol: str) -> tuple[list[Row], Grid]:
    """Every kind on every data set, and the grid that all of them search."""
    kinds = ("deterministic", "escape", "corrected") if protocol == "quick" else KINDS
    return [
        cell(protocol, *chosen)
        for chosen in itertools.product(datasets(protocol), ("dense",), kinds)
    ], _grid(protocol, GRID)


def convolutional(protocol: str) -> tuple[list[Row], Grid]:
    """Convolutional networks on MNIST; none in the quick protocol, which needs no recorded data."""
    nets = () if protocol == "quick" else CONVOLUTIONAL
    cells = [
        cell(protocol, "mnist10k", net, kind)
        for net, kind in itertools.product(nets, CONVOLUTIONAL_KINDS)
    ]
    return cells, _grid(protocol, CONVOLUTIONAL_GRID)


def _grid(protocol: str, grid: Grid) -> Grid:
    return {"rate": (1e-2,), "width": (0.3,)} if protocol == "quick" else grid


def sizes(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Smaller training parts with as many updates, on MNIST; on digits in the quick protocol."""
    name, counts = ("digits", (60,)) if protocol == "quick" else ("mnist10k", TRAINING_SIZES)
    chosen = [
        setting
        for setting in best_rows(best)
        if setting["dataset"] == name and setting["kind"] in SIZE_KINDS
    ]
    return [
        {
            **setting,
            "training_size": size,
            "epochs": 2 if protocol == "quick" else UPDATES // (size // 50),
            "seed": seed,
        }
        for setting, size, seed in itertools.product(chosen, counts, result_seeds(protocol))
    ]


def robustness(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Every dense network with the one that its transferred attack is made for: deterministic for
    noisy ones, else escape."""
    rows = trainings(protocol, best)
    by_kind = {(row["dataset"], row["kind"], row["seed"]): row for row in rows}
    found = []
    for row in rows:
        other = by_kind[
            row["dataset"],
            "escape" if row["kind"] == "deterministic" else "deterministic",
            row["seed"],
        ]
        found.append(
            {**row, **{f"other_{name}": other[name] for name in ("kind", "rate", "width")}}
        )
    return found


def limit(protocol: str) -> list[Row]:
    """Deterministic networks on digits at their start, with the width and the rate of the middle of
    the grid."""
    base = cell(
        protocol, "digits", "dense", "deterministic", rate=GRID["rate"][1], width=GRID["width"][1]
    )
    return [{**base, "seed": seed} for seed in result_seeds(protocol)]
