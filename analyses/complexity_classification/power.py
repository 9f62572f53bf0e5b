"""Would complexity have seen structure at matched rates? Markov trains of the size and the rates of
every recording, read alike."""

from __future__ import annotations

from typing import Any

import numpy as np

from analyses.complexity_classification.recordings import FOLDS, States, in_turn, states_of
from analyses.complexity_classification.states import by_features, thinned
from neurocode.statistics import raster_complexities
from neurocode.tasks.sources import Markov

#: Share of trains without structure whose accuracy is above the critical one, at most.
LEVEL = 0.05
#: The quick protocol plants in trains of its own.
MADE = "made"


def power_row(**row: Any) -> dict[str, Any]:
    """In how many of some repeats a planted correlation is seen by complexity.

    Trains have the numbers of samples, units, bins and states of a recording, its folds, and of
    every unit the rate that is left when rates are matched. State k of K has a correlation of
    neighbouring bins of k/(K - 1) times that of the row. Seen is what has a higher accuracy than
    all but 5 % of trains without any correlation.
    """
    states = layout_of(row["dataset"])
    random = np.random.default_rng(row["seed"])
    rates = (
        thinned(states, random).mean(axis=(0, 2))
        if row["dataset"] != MADE
        else states.rasters.mean(axis=(0, 2))
    )
    without = [
        _accuracy(states, planted(states, rates, 0.0, random)) for _ in range(row["without"])
    ]
    accuracies = np.array(
        [
            _accuracy(states, planted(states, rates, row["correlation"], random))
            for _ in range(row["repeats"])
        ]
    )
    critical = float(np.quantile(without, 1 - LEVEL, method="higher"))
    return {
        "title": states.name,
        "samples": len(states.labels),
        "units": states.rasters.shape[1],
        "bins": states.rasters.shape[2],
        "rate": float(rates.mean()),
        "smallest_p": smallest_p(states),
        "complexity_critical": critical,
        "complexity_seen": int(np.sum(accuracies > critical + 1e-12)),
        "complexity_accuracy": float(accuracies.mean()),
    }


def layout_of(name: str) -> States:
    """A recording, or for the quick protocol 40 trains of 200 bins."""
    if name != MADE:
        return states_of(name)
    labels = np.repeat([0, 1], 20)
    rasters = np.random.default_rng(0).random((40, 1, 200)) < 0.2
    return States("made", rasters, 1e-3, labels, in_turn(labels), False)


def planted(
    states: States, rates: np.ndarray, correlation: float, random: np.random.Generator
) -> np.ndarray:
    """Rasters (samples, units, bins) of Markov trains, their correlation growing with the state, at
    the same rate in all."""
    rasters, last = np.zeros_like(states.rasters), states.labels.max()
    for label in range(last + 1):
        own = states.labels == label
        for unit, rate in enumerate(rates):
            if rate > 0:
                source = Markov(float(rate), correlation * label / last)
                rasters[own, unit] = source.draw(
                    int(own.sum()), states.rasters.shape[2], int(random.integers(2**31))
                )
    return rasters


def smallest_p(states: States) -> float:
    """The smallest probability that a permutation of the recorded states can have, by exchanges of
    whole blocks where it must."""
    if not states.blocked:
        return 0.0
    # two blocks a fold can be exchanged; all exchanged parts the two states as well as none
    return 2 / 2**FOLDS


def _accuracy(states: States, rasters: np.ndarray) -> float:
    return by_features(raster_complexities(rasters), states.labels, states.folds)
