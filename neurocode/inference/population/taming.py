"""Couplings that make free runs run away are made weaker, until they do not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from neurocode.inference.population.constant_drives import with_constant_drives
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood
from neurocode.inference.population.windows import Windows, scaled_jumps
from neurocode.statistics.population_scores import RUNAWAY

#: Factor by which all couplings are made weaker at a time, and the weakest that are tried before
#: there are none.
WEAKER, WEAKEST = 0.8, 0.05


def tame(
    likelihood: PopulationLikelihood, weights: Weights, windows: Windows, seed: int
) -> tuple[Weights, Windows, float]:
    """Return weights whose free runs do not run away, and the factor of their couplings.

    With weaker couplings, the constant drives are fitted again: they make up for what a cell lacks
    of the others on average.

    Free runs on windows of the training run away if a cell fires more than twice as often as it was
    recorded in them, or in a single run more than twice as often as in any recorded window.

    Parameters
    ----------
    likelihood : PopulationLikelihood
    weights : dict
    windows : Windows
        Of the training.
    seed : int

    Returns
    -------
    weights : dict
    windows : Windows
        With the drive of these weights.
    factor : float
        One where nothing runs away, zero where even weak couplings do.
    """
    factor, tamed, driven = 1.0, weights, windows
    while factor > 0 and _runs_away(likelihood, tamed, driven, seed):
        factor = factor * WEAKER if factor > WEAKEST else 0.0
        weaker = {**weights, "jumps": np.asarray(scaled_jumps(weights["jumps"], factor))}
        tamed = with_constant_drives(likelihood, weaker, windows.chunks)
        driven = windows.with_more_drive(tamed["offset"] - weights["offset"])
    return tamed, driven, factor


def notes_of(factor: float) -> tuple[str, ...]:
    """Return what a result says of the factor of its couplings."""
    if factor == 1:
        return ()
    return (
        f"Free runs ran away, so that all couplings were multiplied by {factor:.2g} and the "
        f"constant drives fitted again; the table holds the couplings as they were fitted.",
    )


def _runs_away(
    likelihood: PopulationLikelihood, weights: Weights, windows: Windows, seed: int
) -> bool:
    if not windows.counted_windows.any():
        return False
    free = windows.free_counts(likelihood, weights, windows.drive, seed)
    simulated, recorded = windows.summed(free), windows.summed(windows.recorded_counts)
    whole = simulated.mean(axis=2).sum(axis=1) > _bound(recorded.sum(axis=(1, 2)))
    single = simulated.max(axis=(1, 2)) > _bound(recorded.max(axis=(1, 2)))
    return bool(np.any(whole | single))


def _bound(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what counts exceed only if they run away; those of a cell that hardly fires exceed
    twice their mean by chance."""
    return RUNAWAY * counts + 3 * np.sqrt(counts) + 3
