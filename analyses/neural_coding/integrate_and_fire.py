"""Neurons driven by one current, fitted by maximum likelihood at a step finer than the bins, and
judged in the bins of the other models.

A network gives the probability of a spike in a bin, given the spikes of the bins before. A neuron
fitted by :func:`neurocode.fit` gives it for every step of ``FINE`` seconds. In a bin of n such
steps it is silent with the probability ``prod (1 - p_j)``, where ``p_j`` is the probability of a
spike in step j given the recorded spikes before the bin and none in the bin; otherwise there is a
spike in the bin. These are the same events as those of the networks, so the likelihoods of both are
expressed in bits relative to the same constant rate.
"""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.neural_coding.recordings import FINE, Drive, Recording
from neurocode.errors import FitError
from neurocode.simulation.step import Step, step_function

CLAMPED = ("igif", "igif-ia")
#: Number of starts of the search for each setting over which the other models are tuned. Three
#: settings give six starts, the default of :func:`neurocode.fit`.
STARTS_A_SETTING = 2


def fitted(model: str, recording: Recording, seed: int, starts: int) -> nc.NeuronModel:
    """Return a model with its maximum-likelihood values on the training stretch.

    Raises
    ------
    FitError
        If the fit is not better on the training spikes than a constant rate, because the search
        began where the likelihood is flat.
    """
    result = nc.fit(
        nc.models.by_name(model), recording.drive.training, seed=seed, starts=starts, dt=FINE
    )
    if not result.bits_per_spike > 0:
        raise FitError(
            f"{recording.dataset} {recording.name}: the fit of '{model}' has "
            f"{result.bits_per_spike:.2f} bits per training spike, "
            "expected more than those of a constant rate."
        )
    return result.model


def bin_log_probabilities(
    model: nc.NeuronModel, drive: Drive, per_bin: int, dt: float = FINE, settling: int = 0
) -> np.ndarray:
    """Return the log probability of the spike or silence in each bin (repeats, bins), given the
    recorded spikes before it.

    Parameters
    ----------
    model : NeuronModel
        With escape noise.
    drive : Drive
        In steps of ``dt``.
    per_bin : int
        Steps in a bin.
    dt : float
        In seconds.
    settling : int
        Number of steps before the stimulus in which the first value of the current flows and no
        spike falls.
    """
    spikes = drive.spikes.reshape(len(drive.spikes), -1, per_bin).transpose(1, 2, 0)
    with jax.enable_x64(True):
        step, state, names, inputs = _prepared(model, drive, dt, settling, spikes.shape[2])
        silent = np.asarray(_clamped(step, state, names, inputs, jnp.asarray(spikes), settling))
    with np.errstate(divide="ignore"):
        return np.where(spikes.any(axis=1), np.log(-np.expm1(silent)), silent).T


def own_spikes(
    model: nc.NeuronModel, drive: Drive, per_bin: int, repeats: int, seed: int, dt: float = FINE
) -> np.ndarray:
    """Return whether a spike simulated from the model falls into each bin (repeats, bins), from the
    onset of the stimulus."""
    with jax.enable_x64(True):
        step, state, names, inputs = _prepared(model, drive, dt, 0, repeats)
        spikes = np.asarray(_free(step, state, names, inputs, jax.random.key(seed)))
    return spikes.reshape(-1, per_bin, repeats).any(axis=1).T


def _prepared(model: nc.NeuronModel, drive: Drive, dt: float, settling: int, repeats: int) -> tuple:
    """Return the step, the initial state, the parameters, and the current and time of every
    step."""
    step = step_function(model, dt)
    values = {name: jnp.asarray(value, float) for name, value in model.values.items()}
    current = np.concatenate([np.full(settling, drive.current[0]), drive.current])
    # The clock stands still until the stimulus begins.
    time = drive.after + dt * np.maximum(np.arange(len(current)) - settling, 0)
    return (
        step,
        step.initial_state(values, (repeats,)),
        values,
        (jnp.asarray(current), jnp.asarray(time)),
    )


@partial(jax.jit, static_argnums=(0, 5))
def _clamped(
    step: Step, state: dict, values: dict, inputs: tuple, spikes: jax.Array, settling: int
) -> jax.Array:
    """Return the log probability of silence (bins, repeats).

    The shape of ``spikes`` is (bins, steps per bin, repeats).
    """
    names = step.prepare(values)
    none = jnp.zeros(spikes.shape[2], bool)

    def advance(state: dict, drive: tuple, fired: jax.Array) -> tuple[dict, jax.Array]:
        state, output = step(state, _step_inputs(step, drive), names, spikes=fired)
        return state, output.log_probability

    def fine_step(states: tuple, drive_and_spikes: tuple) -> tuple[tuple, jax.Array]:
        recorded, silent = states
        drive, fired = drive_and_spikes
        silent, log_probability = advance(silent, drive, none)
        return (advance(recorded, drive, fired)[0], silent), log_probability

    def one_bin(state: dict, drive_and_spikes: tuple) -> tuple[dict, jax.Array]:
        (state, _), logs = jax.lax.scan(fine_step, (state, state), drive_and_spikes)
        return state, jnp.sum(logs, axis=0)

    before, during = (
        tuple(value[part] for value in inputs) for part in (slice(settling), slice(settling, None))
    )
    state, _ = jax.lax.scan(lambda state, drive: advance(state, drive, none), state, before)
    binned = tuple(value.reshape(spikes.shape[:2]) for value in during)
    return jax.lax.scan(one_bin, state, (binned, spikes))[1]


@partial(jax.jit, static_argnums=0)
def _free(step: Step, state: dict, values: dict, inputs: tuple, key: jax.Array) -> jax.Array:
    """Return spikes (steps, repeats) simulated from the model."""
    names = step.prepare(values)

    def advance(state: dict, drive_and_key: tuple) -> tuple[dict, jax.Array]:
        drive, key = drive_and_key
        state, output = step(state, _step_inputs(step, drive), names, key=key)
        return state, output.spikes

    return jax.lax.scan(advance, state, (inputs, jax.random.split(key, len(inputs[0]))))[1]


def _step_inputs(step: Step, drive: tuple[jax.Array, jax.Array]) -> dict[str, jax.Array]:
    current, time = drive
    return {step.inputs[0]: current, "t": time}
