"""Rows of the study. Data sets and sizes are ours; neuron, surrogate, voters, loss and decay are those of the released code."""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd

from analyses.datasets import NAMES

PROTOCOLS = ("reduced", "quick")
#: Synapses and thresholds (STL), synapses (SL), thresholds (TL).
LEARNED = ("both", "weights", "thresholds")
THRESHOLDS = (0.5, 1.0, 2.0)
RATES = (1e-3, 3e-3, 1e-2)
#: Of the released code, and none, and a thousand times the first.
DECAY, OTHER_DECAYS = 1e-6, (0.0, 1e-3)
EPOCHS = {"digits": 30, "mnist10k": 12, "braille": 40}
TUNING_SEED, SEEDS = 100, range(5)

Row = dict[str, Any]
Rates = dict[tuple[str, str, bool], float]


def row(protocol: str, dataset: str, learned: str, normalised: bool, rate: float, seed: int, **own: Any) -> Row:
    """Settings of a training."""
    quick = protocol == "quick"
    common = {"threshold": 1.0, "decay": DECAY if learned != "weights" else 0.0, "joint": False, "noisy": False}
    return {
        "dataset": dataset, "learned": learned, "normalised": normalised, "rate": rate, "seed": seed,
        "epochs": 2 if quick else EPOCHS[dataset], "sequences": 120 if quick else 0, **common, **own,
    }  # fmt: skip


def datasets(protocol: str) -> tuple[str, ...]:
    """Names of the tasks."""
    return NAMES[:1] if protocol == "quick" else NAMES


def _seeds(protocol: str) -> range:
    return range(1) if protocol == "quick" else SEEDS


def tuning(protocol: str) -> list[Row]:
    """Every way of learning, with and without normalisation, at every learning rate: the same budget for all."""
    rates = RATES[-1:] if protocol == "quick" else RATES
    plan = itertools.product(datasets(protocol), LEARNED, (True,) if protocol == "quick" else (False, True), rates)
    return [row(protocol, name, learned, normalised, rate, TUNING_SEED) for name, learned, normalised, rate in plan]


def best_rates(tuned: pd.DataFrame) -> Rates:
    """Learning rate best on validation, of every data set, way of learning and normalisation."""
    best = tuned.loc[tuned.groupby(["dataset", "learned", "normalised"])["validation_score"].idxmax()]
    return {(own.dataset, own.learned, bool(own.normalised)): own.rate for own in best.itertuples()}


def trainings(protocol: str, rates: Rates) -> list[Row]:
    """Every way of learning from three thresholds."""
    thresholds = THRESHOLDS[1:2] if protocol == "quick" else THRESHOLDS
    plan = itertools.product(rates.items(), thresholds, _seeds(protocol))
    return [row(protocol, *cell, rate, seed, threshold=threshold) for (cell, rate), threshold, seed in plan]


def decays(protocol: str, rates: Rates) -> list[Row]:
    """Other decays of thresholds that learn with weights, on digits, normalised and not."""
    own = [(cell, rate) for cell, rate in rates.items() if cell[:2] == ("digits", "both")]
    plan = itertools.product(own, OTHER_DECAYS, _seeds(protocol))
    return [row(protocol, *cell, rate, seed, decay=decay) for (cell, rate), decay, seed in plan]


def decisions(protocol: str, rates: Rates) -> list[Row]:
    """The joint decision beside voters alone, normalised, with thresholds that learn."""
    plan = itertools.product(datasets(protocol), (False, True), _seeds(protocol))
    return [row(protocol, name, "both", True, rates[name, "both", True], seed, joint=joint) for name, joint, seed in plan]


def noisy(protocol: str, rates: Rates) -> list[Row]:
    """Thresholds that learn in noisy neurons (ours), normalised."""
    plan = itertools.product(datasets(protocol), ("both", "weights"), _seeds(protocol))
    return [row(protocol, name, learned, True, rates[name, learned, True], seed, noisy=True) for name, learned, seed in plan]
