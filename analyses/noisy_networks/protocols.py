"""Rows of the study.

Data sets, sizes, epochs and levels are our choice, not from the paper. The width of 0.3 of the
noise is that of the shipped CIFAR-10 command.
"""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from analyses.protocol import Grid, Row, best_rows, datasets, result_seeds, trainings

PROTOCOLS = ("reduced", "quick")
#: Networks without noise, with three kinds of noise, and with escape noise and a corrected gradient
#: (the correction is not from the paper).
KINDS = ("deterministic", "escape", "diffusive", "both", "corrected")
CONVOLUTIONAL, CONVOLUTIONAL_KINDS = ("lenet", "cifar"), ("deterministic", "escape")
#: Learning rate of the weights, and width of the noise, or of the surrogate in networks without
#: noise.
GRID: Grid = {"rate": (1e-3, 3e-3, 1e-2), "width": (0.15, 0.3, 0.6)}
CONVOLUTIONAL_GRID: Grid = {"rate": (1e-3, 3e-3), "width": (0.3, 0.6)}
EPOCHS = {"digits": 30, "mnist10k": 12, "braille": 30}
CONVOLUTIONAL_EPOCHS = {"lenet": 12, "cifar": 4}
#: Numbers of training images, all with the same number of updates, and kinds whose gap between
#: training and test accuracy is compared.
TRAINING_SIZES = (200, 500, 1000, 2000, 7000)
SIZE_KINDS = ("deterministic", "escape", "both")
UPDATES = 1400


def cell(protocol: str, dataset: str, net: str, kind: str, **options: Any) -> Row:
    """Return a row without the tuned values and without a seed."""
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
    """Return every kind on every data set, and the grid that all of them search."""
    kinds = ("deterministic", "escape", "corrected") if protocol == "quick" else KINDS
    return [
        cell(protocol, *chosen)
        for chosen in itertools.product(datasets(protocol), ("dense",), kinds)
    ], _grid(protocol, GRID)


def convolutional(protocol: str) -> tuple[list[Row], Grid]:
    """Return convolutional networks on MNIST, and their grid.

    The quick protocol has none, because it needs no recorded data.
    """
    nets = () if protocol == "quick" else CONVOLUTIONAL
    cells = [
        cell(protocol, "mnist10k", net, kind)
        for net, kind in itertools.product(nets, CONVOLUTIONAL_KINDS)
    ]
    return cells, _grid(protocol, CONVOLUTIONAL_GRID)


def _grid(protocol: str, grid: Grid) -> Grid:
    return {"rate": (1e-2,), "width": (0.3,)} if protocol == "quick" else grid


def sizes(protocol: str, best: pd.DataFrame) -> list[Row]:
    """Return rows with smaller training parts and the same number of updates.

    They are on MNIST, in the quick protocol on digits.
    """
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
    """Return every dense network together with the network that its transferred attack is computed
    on.

    That is the deterministic network for noisy ones, and the one with escape noise for the
    deterministic one.
    """
    rows = trainings(protocol, best)
    by_kind = {(row["dataset"], row["kind"], row["seed"]): row for row in rows}
    pairs = []
    for row in rows:
        partner = by_kind[
            row["dataset"],
            "escape" if row["kind"] == "deterministic" else "deterministic",
            row["seed"],
        ]
        pairs.append(
            {**row, **{f"other_{name}": partner[name] for name in ("kind", "rate", "width")}}
        )
    return pairs


def limit(protocol: str) -> list[Row]:
    """Return untrained deterministic networks on digits, with the middle width and rate of the
    grid."""
    base = cell(
        protocol, "digits", "dense", "deterministic", rate=GRID["rate"][1], width=GRID["width"][1]
    )
    return [{**base, "seed": seed} for seed in result_seeds(protocol)]
