"""The constant drives of best likelihood, all else as it is."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.population.chunks import Chunks
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood, summed_over

Array = jax.Array

#: Steps of Newton's method, and the longest of them in units of the noise.
STEPS, LONGEST_STEP = 6, 1.0


def with_constant_drives(
    likelihood: PopulationLikelihood, weights: Weights, chunks: Chunks
) -> Weights:
    """Return weights whose constant drives maximise the likelihood of some chunks.

    A cell without spikes keeps its drive.

    Parameters
    ----------
    likelihood : PopulationLikelihood
    weights : dict
    chunks : Chunks

    Returns
    -------
    dict
    """
    spikes = np.asarray(chunks.n_spikes)
    derivatives = partial(_slope_and_bend, likelihood)
    for _ in range(STEPS):
        slope, bend = summed_over(derivatives, weights, chunks)
        possible = (spikes > 0) & (bend < 0)
        step = np.where(possible, -slope / np.where(possible, bend, 1.0), 0.0)
        offset = weights["offset"] + np.clip(step, -LONGEST_STEP, LONGEST_STEP)
        weights = {**weights, "offset": np.asarray(offset, np.float32)}
    return weights


def _slope_and_bend(likelihood: PopulationLikelihood, weights: Weights, one: Chunks) -> Array:
    """Return the first two derivatives of the likelihood of each cell by its drive, (2, cells).

    A cell's likelihood depends on its own drive alone, so that derivatives along a common shift are
    those of each cell.
    """
    drive = likelihood.drive(weights, one)

    def shifted(shift: Array) -> Array:
        return likelihood.of_drive(weights, drive + shift, one)

    slope, zero = jax.jacfwd(shifted), jnp.zeros(())
    return jnp.stack([slope(zero), jax.jacfwd(slope)(zero)])
