"""Rows of the study. Data sets, sizes and levels are ours; noise of width 0.3 is that of the shipped CIFAR-10 command."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from analyses.datasets import NAMES

PROTOCOLS = ("reduced", "quick")
KINDS = ("deterministic", "released", "escape", "diffusive", "both", "learned")
#: Kinds whose robustness is compared at equal validation accuracy.
COMPARED = ("deterministic", "escape", "both")
WIDTH, WIDTHS = 0.3, (0.1, 0.2, 0.4, 0.6)
RATES = (1e-3, 3e-3, 1e-2)
#: Learning rate of a width, kept as its place between 0.001 and 10, over that of a weight.
WIDTH_FACTOR = 0.1
EPOCHS = {"digits": 40, "mnist10k": 20, "braille": 60}
#: Seeds of the tuning are not those of the study.
TUNING_SEED, SEEDS = 100, range(5)
#: Largest difference of validation accuracy at which two networks count as equally good.
MATCHED = 0.005

SETTINGS = ("dataset", "kind", "width", "rate", "batch", "seed", "sequences")

Row = dict[str, Any]


def row(protocol: str, dataset: str, kind: str, rate: float, seed: int, width: float = WIDTH) -> Row:
    """Settings of a training; learned widths take the step of a weight, by the factor of their place between their bounds."""
    quick = protocol == "quick"
    own = {
        "dataset": dataset, "kind": kind, "width": width, "rate": rate, "epochs": 2 if quick else EPOCHS[dataset], "batch": 50,
        "seed": seed, "sequences": 120 if quick else 0,
    }  # fmt: skip
    return {**own, "intrinsic_factor": WIDTH_FACTOR} if kind == "learned" else own


def datasets(protocol: str) -> tuple[str, ...]:
    """Names of the tasks."""
    return NAMES[:1] if protocol == "quick" else NAMES


def tuning(protocol: str) -> list[Row]:
    """Every kind on every data set at every learning rate: the same budget for all."""
    rates = RATES[-1:] if protocol == "quick" else RATES
    plan = itertools.product(datasets(protocol), COMPARED[:2] if protocol == "quick" else KINDS, rates)
    return [row(protocol, name, kind, rate, TUNING_SEED) for name, kind, rate in plan]


def best_rates(tuned: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Learning rate best on validation, of every data set and kind."""
    best = tuned.loc[tuned.groupby(["dataset", "kind"])["validation_score"].idxmax()]
    return {(own.dataset, own.kind): own.rate for own in best.itertuples()}


def trainings(protocol: str, tuned: pd.DataFrame) -> list[Row]:
    """Five seeds of every kind at its learning rate."""
    seeds = range(1) if protocol == "quick" else SEEDS
    return [row(protocol, name, kind, rate, seed) for (name, kind), rate in best_rates(tuned).items() for seed in seeds]


def widths(protocol: str, tuned: pd.DataFrame) -> list[Row]:
    """Other widths of the escape noise on digits."""
    rate = best_rates(tuned)["digits", "escape"]
    chosen, seeds = (WIDTHS[:1], range(1)) if protocol == "quick" else (WIDTHS, SEEDS)
    return [row(protocol, "digits", "escape", rate, seed, width) for width, seed in itertools.product(chosen, seeds)]


def matched(trained: pd.DataFrame) -> list[Row]:
    """Of every data set and seed, the epoch of each compared kind whose validation accuracy is nearest to what all reach.

    That accuracy is the lowest of their best ones. A row carries the epoch of the deterministic network and its settings, whose
    attacks are also tried on the others, and of the noisy one for the deterministic network.
    """
    rows = []
    compared = trained[trained["kind"].isin(COMPARED)]
    for (_, _), own in compared.groupby(["dataset", "seed"]):
        curves = {entry.kind: pd.Series(accuracies_of(entry.curve)) for entry in own.itertuples()}
        common = min(curve.max() for curve in curves.values())
        epochs = {kind: int((curve - common).abs().idxmin()) + 1 for kind, curve in curves.items()}
        reached = {kind: float(curves[kind][epochs[kind] - 1]) for kind in curves}
        settings = {entry.kind: entry for entry in own.itertuples()}
        for kind in curves:
            other = "escape" if kind == "deterministic" else "deterministic"
            base = {name: getattr(settings[kind], name) for name in SETTINGS}
            rows.append({
                **base, "epochs": epochs[kind], "validation": reached[kind], "common": common, "other": other,
                "other_rate": settings[other].rate, "other_epochs": epochs[other],
            })  # fmt: skip
    return rows


def accuracies_of(text: str) -> list[float]:
    """Validation accuracies of all epochs, as a table keeps them."""
    return [float(value) for value in text.split()]
