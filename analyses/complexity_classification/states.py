"""Cross-validated reading of a state from complexity, count, bursts or timing of its spikes.

Accuracies are compared with those under permutations of the states that respect their blocks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from analyses.complexity_classification.readouts import discriminant, features
from analyses.complexity_classification.recordings import States, states_of

NEIGHBOURS = 3
#: Time constant of the van Rossum distance, in seconds.
TIME_CONSTANT = 20e-3
#: Longest interval within a burst, in seconds.
SHORT = 6e-3


def state_row(**row: Any) -> dict[str, Any]:
    """Return the balanced accuracy of every readout, with its p value, and the same at matched
    rates."""
    states = states_of(row["name"])
    random = np.random.default_rng(row["seed"])
    results: dict[str, Any] = {
        "title": states.name,
        "samples": len(states.labels),
        "states": len(np.unique(states.labels)),
        "units": states.rasters.shape[1],
        "bins": states.rasters.shape[2],
        "bin_ms": 1e3 * states.bin_size,
        "interpretable": states.interpretable,
    }
    orders = [permuted(states, random) for _ in range(row["permutations"])]
    for suffix, rasters in (("", states.rasters), ("_matched", thinned(states, random))):
        for name, values in (
            features(rasters) | {"bursts": short_intervals(rasters, states.bin_size)}
        ).items():
            results |= _tested(
                f"{name}{suffix}",
                lambda labels, values=values: by_features(values, labels, states.folds),
                states,
                orders,
            )
        distances = distance_matrix(rasters, states.bin_size)
        results |= _tested(
            f"timing{suffix}",
            lambda labels, distances=distances: _by_distance(distances, labels, states.folds),
            states,
            orders,
        )
    return results


def short_intervals(rasters: np.ndarray, bin_size: float) -> np.ndarray:
    """Return the share (samples, units) of interspike intervals that are short."""
    share = np.zeros(rasters.shape[:2])
    for place in np.ndindex(share.shape):
        intervals = np.diff(np.flatnonzero(rasters[place])) * bin_size
        share[place] = np.mean(intervals <= SHORT + 1e-9) if len(intervals) else 0.0
    return share


def _tested(name: str, score: Any, states: States, orders: list[np.ndarray]) -> dict[str, float]:
    value = score(states.labels)
    by_chance = np.array([score(labels) for labels in orders])
    return {
        name: value,
        f"{name}_p": float((1 + np.sum(by_chance >= value - 1e-12)) / (1 + len(by_chance))),
    }


def permuted(states: States, random: np.random.Generator) -> np.ndarray:
    """Return labels that are permuted inside every fold.

    Whole blocks are permuted if the samples of a block follow one another, otherwise samples.
    """
    labels = states.labels.copy()
    for fold in np.unique(states.folds):
        in_fold = states.folds == fold
        if states.blocked:
            blocks, index = np.unique(labels[in_fold], return_inverse=True)
            labels[in_fold] = random.permutation(blocks)[index]
        else:
            labels[in_fold] = random.permutation(labels[in_fold])
    return labels


def thinned(states: States, random: np.random.Generator) -> np.ndarray:
    """Return rasters in which every unit fires at the rate of the quietest state of each fold.

    Spikes are removed at random. Rates are matched in each fold and not over all folds at once,
    because a state could otherwise be above the common rate in some folds and below it in others,
    and could be told apart by that.
    """
    rasters = states.rasters.copy()
    for fold in np.unique(states.folds):
        in_fold = states.folds == fold
        parts = [
            np.flatnonzero(in_fold & (states.labels == label))
            for label in np.unique(states.labels[in_fold])
        ]
        rates = [rasters[part].mean(axis=(0, 2)) for part in parts]
        quietest = np.min(rates, axis=0)
        for part, rate in zip(parts, rates, strict=True):
            kept = quietest / np.maximum(rate, 1e-12)
            rasters[part] &= random.random(rasters[part].shape) < kept[:, None]
    return rasters


def distance_matrix(rasters: np.ndarray, bin_size: float) -> np.ndarray:
    """Return the squared van Rossum distances (samples, samples), summed over units."""
    steps = int(np.ceil(5 * TIME_CONSTANT / bin_size))
    kernel = np.exp(-np.arange(steps) * bin_size / TIME_CONSTANT)
    traces = np.apply_along_axis(
        lambda train: np.convolve(train, kernel), 2, rasters.astype(float)
    ).reshape(len(rasters), -1)
    squares = np.sum(traces**2, axis=1)
    return (
        np.maximum(squares[:, None] + squares[None, :] - 2 * traces @ traces.T, 0)
        * bin_size
        / TIME_CONSTANT
    )


def by_features(values: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> float:
    """Return the cross-validated balanced accuracy of a linear discriminant of features."""

    def guess(held: np.ndarray) -> np.ndarray:
        return discriminant().fit(values[~held], labels[~held]).predict(values[held])

    return _cross_validated(guess, labels, folds)


def _by_distance(distances: np.ndarray, labels: np.ndarray, folds: np.ndarray) -> float:
    def guess(held: np.ndarray) -> np.ndarray:
        near = KNeighborsClassifier(NEIGHBOURS, metric="precomputed").fit(
            distances[~held][:, ~held], labels[~held]
        )
        return near.predict(distances[held][:, ~held])

    return _cross_validated(guess, labels, folds)


def _cross_validated(
    guess: Callable[[np.ndarray], np.ndarray], labels: np.ndarray, folds: np.ndarray
) -> float:
    guessed = np.empty_like(labels)
    for fold in np.unique(folds):
        held = folds == fold
        guessed[held] = guess(held)
    return float(balanced_accuracy_score(labels, guessed))
