"""A population that runs freely: its own spikes drive its membranes, history and couplings."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood

Array = jax.Array


def run_freely(
    likelihood: PopulationLikelihood, weights: Weights, drive: Array, key: Array
) -> NDArray[np.float32]:
    """Draw spikes of a population for given drives.

    Parameters
    ----------
    likelihood : PopulationLikelihood
    weights : dict
        With ``neuron`` and ``jumps``.
    drive : array (trials, cells, bins)
        In units of the noise.
    key : jax.Array

    Returns
    -------
    numpy.ndarray of float32 (cells, bins, trials)
    """
    return np.asarray(_free_run(likelihood, weights, drive, key))


@partial(jax.jit, static_argnums=0)
def _free_run(
    likelihood: PopulationLikelihood, weights: Weights, drive: Array, key: Array
) -> Array:
    neuron = likelihood.neuron
    step, noise = neuron.step, neuron.noise
    prepared = step.prepare(likelihood.values(weights))
    n_trials, n_cells, _ = drive.shape
    decays = jnp.asarray(neuron.decays, jnp.float32)
    # Rows are pairs of a sending cell and a trace, as in the flattened traces.
    jumps = jnp.transpose(weights["jumps"], (1, 2, 0)).reshape(-1, n_cells)
    state = step.initial_state(prepared, (n_trials, n_cells))

    def advance(carry: tuple, current: Array) -> tuple[tuple, Array]:
        state, traces, key = carry
        key, draw = jax.random.split(key)
        traces = traces * decays
        inputs = {**dict.fromkeys(step.inputs, current), "t": jnp.zeros(())}
        names = {**prepared, **inputs}
        refractory = step.is_refractory(state, names)
        state = step.integrate(state, names, refractory)
        coupled = neuron.scale * (traces.reshape(n_trials, -1) @ jumps)
        probability = noise.probability(step.margin(state, names) + coupled, prepared, neuron.dt)
        spikes = (jax.random.uniform(draw, probability.shape) < probability) & ~refractory
        state = step.settle(
            state, names, spikes, lambda reset, kept: jnp.where(spikes, reset, kept)
        )
        return (state, traces + spikes[..., None], key), spikes.astype(jnp.float32)

    traces = jnp.zeros((n_trials, n_cells, len(decays)))
    current = neuron.input_scale * jnp.moveaxis(drive, 2, 0)
    _, spikes = jax.lax.scan(advance, (state, traces, key), current)
    return jnp.transpose(spikes, (2, 0, 1))
