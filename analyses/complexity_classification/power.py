"""Power of complexity at matched rates: how often it detects structure planted in Markov trains.

The trains have the size and the rates of a recording, and are read in the same way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analyses.complexity_classification.recordings import FOLDS, States, in_turn, states_of
from analyses.complexity_classification.states import by_features, thinned
from neurocode.statistics import raster_complexities
from neurocode.tasks.sources import Markov

#: Largest share of trains without structure whose accuracy may be above the critical one.
LEVEL = 0.05
#: Name of the made-up trains in which the quick protocol plants structure.
MADE = "made"


def power_row(**row: Any) -> dict[str, Any]:
    """Count the repeats in which complexity detects a planted correlation.

    Trains have the folds and the numbers of samples, units, bins and states of a recording. Every
    unit has the rate that remains after the rates are matched. In state k of K the correlation of
    neighbouring bins is k/(K - 1) times that of the row. A correlation is detected if the accuracy
    is higher than that of all but 5 % of the trains without any correlation.
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
    """Return the states of a recording, or for the quick protocol 40 trains of 200 bins."""
    if name != MADE:
        return states_of(name)
    labels = np.repeat([0, 1], 20)
    rasters = np.random.default_rng(0).random((40, 1, 200)) < 0.2
    return States("made", rasters, 1e-3, labels, in_turn(labels), False)


def planted(
    states: States, rates: np.ndarray, correlation: float, random: np.random.Generator
) -> np.ndarray:
    """Return rasters (samples, units, bins) of Markov trains.

    Their correlation grows with the state; their rate is the same in all states.
    """
    rasters, last = np.zeros_like(states.rasters), states.labels.max()
    for label in range(last + 1):
        in_state = states.labels == label
        for unit, rate in enumerate(rates):
            if rate > 0:
                source = Markov(float(rate), correlation * label / last)
                rasters[in_state, unit] = source.draw(
                    int(in_state.sum()), states.rasters.shape[2], int(random.integers(2**31))
                )
    return rasters


def smallest_p(states: States) -> float:
    """Return the smallest p value that permutations of the recorded states can give; zero if single
    samples are permuted."""
    if not states.blocked:
        return 0.0
    # The two blocks of each fold can be exchanged. Exchanging those of all folds separates the two
    # states as well as exchanging none.
    return 2 / 2**FOLDS


def _accuracy(states: States, rasters: np.ndarray) -> float:
    return by_features(raster_complexities(rasters), states.labels, states.folds)
