"""Rows of the study.

Unless stated otherwise, data sets, sizes, starts and grids are our choice, not from the paper. The
seeds of the results differ from those of the tuning.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pandas as pd

from analyses.protocol import Grid, Row, best_rows
from analyses.surrogate_gradients.networks import MANIFOLDS

PROTOCOLS = ("reduced", "quick")
RECORDED = ("ecg", "braille")
#: Seeds of the comparisons, and of the parts on depth and on activity.
SEEDS, FEWER_SEEDS = tuple(range(8)), tuple(range(5))
#: The best published rates lie between 0.02 and 0.1 for one layer that starts silent.
GRID: Grid = {"rate": (2e-3, 1e-2, 5e-2)}
FEEDFORWARD = (
    "reference",
    "sigmoid",
    "linear",
    "shallow",
    "steep",
    "constant",
    "zero",
    "attached",
    "asymptotic",
    "asymptotic attached",
)
RECURRENT = (*FEEDFORWARD, "stopped", "asymptotic stopped")
#: Arms of recurrent networks that start silent.
SILENT_RECURRENT = ("reference", "zero", "asymptotic", "stopped", "asymptotic stopped")
#: Arms on harder manifolds.
HARDER = ("reference", "sigmoid", "linear", "constant", "asymptotic", "asymptotic attached")
DEPTHS, DEEP_ARMS = (1, 2, 4), ("reference", "attached", "asymptotic", "asymptotic attached")
EPOCHS = {"ecg": 10, "braille": 30}
MANIFOLD_EPOCHS, DEEP_EPOCHS, SPARSE_EPOCHS = 8, 12, 10
#: Strengths of the upper bound of activity. In earlier runs no network learned at 30 and above.
STRENGTHS = (0.0, 0.1, 0.3, 1.0, 3.0, 6.0, 10.0, 20.0)

#: Shapes of the derivative, with their heights, on which the rule of learnability is fitted (the
#: published shapes), and on which it is judged.
FITTED = {"superspike": 1.0, "sigmoid": 0.25, "piecewise_linear": 1.0}
HELD_OUT = {"gaussian": 1.0, "slayer": 1.0, "arctan": 1.0}
SLOPES = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
#: Slopes and depths from the firing start, from which nearly all networks learn.
FIRING_SLOPES, FIRING_DEPTHS = (1.0, 10.0, 100.0), (1, 4)
START_SEEDS = (0, 1, 2)
#: Every rate is tried; a network can learn if it trains at one of them.
START_RATES = (1e-2, 5e-2)
START_NEURONS, START_SAMPLES, START_BATCH, START_EPOCHS = 50, 200, 50, 10


def seeds(protocol: str, values: tuple[int, ...]) -> tuple[int, ...]:
    """Return the seeds of the results."""
    return values[:1] if protocol == "quick" else values


def cell(protocol: str, dataset: str, net: str, start: str, arm: str, **options: Any) -> Row:
    """Return a row without the tuned values and without a seed."""
    quick = protocol == "quick"
    base = {"dataset": dataset, "net": net, "depth": 1, "start": start, "arm": arm, "upper": 0.0}
    epochs = EPOCHS.get(dataset, MANIFOLD_EPOCHS)
    size = {
        "neurons": 20 if quick else 100,
        "samples": 40 if quick else 1000,
        "sequences": 100 if quick else 0,
    }
    batch = 50 if quick or dataset in RECORDED else 250
    return {**base, **size, "batch": batch, "epochs": 2 if quick else epochs, **options}


def grid(protocol: str) -> Grid:
    """Return the learning rates that are tried."""
    return {"rate": GRID["rate"][-1:]} if protocol == "quick" else GRID


def comparisons(protocol: str) -> list[Row]:
    """Return the cells that compare shape, slope, reset and recurrence.

    Every data set is learned from the firing start, the benchmark also from the silent start.
    """
    if protocol == "quick":
        return [
            cell(protocol, "randman", "feedforward", "firing", arm)
            for arm in ("reference", "constant")
        ]
    plan = [
        (name, net, "firing", arm)
        for name in ("randman", *RECORDED)
        for net, arms in (("feedforward", FEEDFORWARD), ("recurrent", RECURRENT))
        for arm in arms
    ]
    plan += [
        ("randman", net, "silent", arm)
        for net, arms in (("feedforward", FEEDFORWARD), ("recurrent", SILENT_RECURRENT))
        for arm in arms
    ]
    plan += [
        (name, "feedforward", "firing", arm)
        for name in MANIFOLDS
        if name != "randman"
        for arm in HARDER
    ]
    return [cell(protocol, *chosen) for chosen in plan]


def deep(protocol: str) -> list[Row]:
    """Return the cells that compare resets in networks of several depths.

    The arms of the reset start firing. The default derivative also starts silent, to show which
    depths learn from there.
    """
    if protocol == "quick":
        return [cell(protocol, "randman", "feedforward", "firing", "reference", depth=2)]
    plan = [("firing", *combination) for combination in itertools.product(DEPTHS, DEEP_ARMS)] + [
        ("silent", depth, "reference") for depth in DEPTHS
    ]
    return [
        cell(protocol, "randman", "feedforward", start, arm, depth=depth, epochs=DEEP_EPOCHS)
        for start, depth, arm in plan
    ]


def sparse(protocol: str) -> list[Row]:
    """Return cells with stronger and stronger upper bounds of activity, from the firing start."""
    strengths = STRENGTHS[2:3] if protocol == "quick" else STRENGTHS
    options = {} if protocol == "quick" else {"epochs": SPARSE_EPOCHS}
    return [
        cell(protocol, "randman", "feedforward", "firing", "reference", upper=strength, **options)
        for strength in strengths
    ]


def results(protocol: str, best: pd.DataFrame, values: tuple[int, ...] = SEEDS) -> list[Row]:
    """Return rows with fresh seeds of every cell at its best rate.

    They are ordered by seed, because all cells of one seed share its data.
    """
    return [{**row, "seed": seed} for seed in seeds(protocol, values) for row in best_rows(best)]


def starts(protocol: str) -> list[Row]:
    """Return rows for every shape, slope and depth from the silent start, and some from the firing
    start.

    Rows that share a compiled program follow one another.
    """
    quick = protocol == "quick"
    silent = itertools.product(SLOPES, DEPTHS, ("silent",))
    firing = itertools.product(FIRING_SLOPES, FIRING_DEPTHS, ("firing",))
    chosen: Iterable = [(10.0, 1, "silent")] if quick else itertools.chain(silent, firing)
    shapes = {"superspike": 1.0} if quick else {**FITTED, **HELD_OUT}
    return [
        {
            **cell(protocol, "randman", "feedforward", start, "", depth=depth),
            "shape": shape,
            "height": height,
            "slope": slope,
            "seed": seed,
            "neurons": 20 if quick else START_NEURONS,
            "samples": 40 if quick else START_SAMPLES,
            "batch": 50 if quick else START_BATCH,
            "epochs": 1 if quick else START_EPOCHS,
        }
        for (slope, depth, start), (shape, height), seed in itertools.product(
            chosen, shapes.items(), seeds(protocol, START_SEEDS)
        )
    ]
