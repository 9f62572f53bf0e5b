"""Rows of the study.

Data sets, sizes and depths are our choice, not from the paper; neuron, surrogate, voters, loss and
decay are as released.
"""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from analyses.protocol import Grid, Row, datasets, result_seeds

PROTOCOLS = ("reduced", "quick")
#: What learns in each arm: synapses and thresholds (STL), synapses (SL), thresholds (TL), and STL
#: whose voters decide together with integrators.
ARMS = {
    "both": ("both", False),
    "weights": ("weights", False),
    "thresholds": ("thresholds", False),
    "joint": ("both", True),
}
GRID: Grid = {"rate": (1e-3, 3e-3, 1e-2), "threshold": (0.5, 1.0, 2.0)}
#: Initial thresholds over which rates are compared.
STARTS = (0.5, 1.0, 2.0)
DEPTHS, DEEP_NETS, DEEP_ARMS = (1, 2, 4, 8), ("dense", "convolutional"), ("both", "weights")
DEEP_GRID: Grid = {"rate": (1e-3, 3e-3, 1e-2)}
EPOCHS = {"digits": 30, "mnist10k": 8, "braille": 25}
DEEP_EPOCHS = {"dense": 8, "convolutional": 6}


def cell(protocol: str, dataset: str, arm: str, normalised: bool, **options: Any) -> Row:
    """Return a row without the tuned values and without a seed."""
    quick = protocol == "quick"
    learned, joint = ARMS[arm]
    base = {
        "dataset": dataset,
        "net": "single",
        "depth": 1,
        "arm": arm,
        "learned": learned,
        "joint": joint,
    }
    base |= {
        "normalised": normalised,
        "epochs": 2 if quick else EPOCHS[dataset],
        "sequences": 120 if quick else 0,
    }
    return {**base, **options}


def single(protocol: str) -> tuple[list[Row], Grid]:
    """Return every arm on every data set, with and without normalisation, and the grid that all of
    them search."""
    plan = itertools.product(
        datasets(protocol), ARMS, (True,) if protocol == "quick" else (False, True)
    )
    return [cell(protocol, *chosen) for chosen in plan], {
        "rate": (1e-2,),
        "threshold": (1.0,),
    } if protocol == "quick" else GRID


def deep(protocol: str) -> tuple[list[Row], Grid]:
    """Return normalised networks of every depth on MNIST with initial thresholds of one.

    The quick protocol has none.
    """
    plan = () if protocol == "quick" else itertools.product(DEEP_NETS, DEPTHS, DEEP_ARMS)
    cells = [
        cell(
            protocol,
            "mnist10k",
            arm,
            True,
            net=net,
            depth=depth,
            epochs=DEEP_EPOCHS[net],
            threshold=1.0,
        )
        for net, depth, arm in plan
    ]
    return cells, DEEP_GRID


def starts(protocol: str, tuned: pd.DataFrame) -> list[Row]:
    """Return rows of the arms with and without learned thresholds, from each initial threshold.

    Each has the learning rate that is best for it.
    """
    means = (
        tuned.groupby(["dataset", "arm", "normalised", "threshold", "rate"])["validation_score"]
        .mean()
        .reset_index()
    )
    best = means.loc[
        means.groupby(["dataset", "arm", "normalised", "threshold"])["validation_score"].idxmax()
    ]
    chosen = best[best["arm"].isin(DEEP_ARMS) & best["threshold"].isin(STARTS)]
    return [
        {
            **cell(protocol, setting.dataset, setting.arm, bool(setting.normalised)),
            "rate": setting.rate,
            "threshold": setting.threshold,
            "seed": seed,
        }
        for setting in chosen.itertuples()
        for seed in result_seeds(protocol)
    ]
