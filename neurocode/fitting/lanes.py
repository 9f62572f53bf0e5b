"""Recordings cut into chunks that run side by side, and passes of a clamped model over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.fitting.transforms import Coordinates
from neurocode.simulation.step import NEVER, STEPS_SINCE_SPIKE, Step

Array = jax.Array
State = dict[str, Array]


@dataclass(frozen=True)
class Clamp:
    """One sweep of a recording on the grid of the fit.

    Attributes
    ----------
    current : numpy.ndarray
        In SI, one value a step.
    spikes : numpy.ndarray of bool
    counted : numpy.ndarray of bool
        Steps that enter the likelihood.
    """

    current: np.ndarray
    spikes: np.ndarray
    counted: np.ndarray


class Lanes(NamedTuple):
    """Chunks as columns: arrays of shape (steps, lanes), and how each lane begins.

    ``since`` holds the steps since the last spike at the start of each lane, ``previous`` the lane it
    continues (-1 where a sweep begins).
    """

    current: Array
    spikes: Array
    counted: Array
    time: Array
    since: Array
    previous: Array


class Pass(NamedTuple):
    """One pass over all lanes: objective, derivatives, and where the next pass starts."""

    log_likelihood: Array
    gradient: Array
    information: Array
    start: State
    tangents: State
    mismatch: Array


def steps_since_spike(spikes: np.ndarray) -> np.ndarray:
    """For each step the number of steps since the last spike before it."""
    steps = np.arange(len(spikes))
    last = np.maximum.accumulate(np.where(spikes, steps, -NEVER))
    return np.concatenate([[NEVER], steps[1:] - last[:-1]])


def cut(sweeps: Sequence[Clamp], chunk_steps: int, dt: float) -> Lanes:
    """Cut sweeps into chunks of equal length; the last of each is padded with steps that do not count."""
    columns: dict[str, list[np.ndarray]] = {"current": [], "spikes": [], "counted": [], "time": []}
    since, previous = [], []
    for sweep in sweeps:
        gaps = steps_since_spike(sweep.spikes)
        for start in range(0, len(sweep.current), chunk_steps):
            part = slice(start, start + chunk_steps)
            padding = (0, chunk_steps - len(sweep.current[part]))
            columns["current"].append(np.pad(sweep.current[part], padding, mode="edge"))
            columns["spikes"].append(np.pad(sweep.spikes[part], padding))
            columns["counted"].append(np.pad(sweep.counted[part], padding))
            columns["time"].append(np.arange(start, start + chunk_steps) * dt)
            since.append(min(gaps[start], NEVER))
            previous.append(len(previous) - 1 if start else -1)
    stacked = {name: jnp.asarray(np.stack(parts, axis=1)) for name, parts in columns.items()}
    return Lanes(**stacked, since=jnp.asarray(np.array(since, np.int32)), previous=jnp.asarray(previous))


class StaticCoordinates:
    """Coordinates as a static argument of compiled functions: hashed by what they hold."""

    def __init__(self, coordinates: Coordinates) -> None:
        self.to_values = coordinates.to_values
        self._key = (coordinates.names, *(a.tobytes() for a in (coordinates.low, coordinates.high, coordinates.scale)))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StaticCoordinates) and self._key == other._key


def resting_start(step: Step, values: dict[str, Array], n_lanes: int) -> State:
    """State at time zero for every lane, without the counter of refractoriness."""
    state = step.initial_state(values, (n_lanes,))
    state.pop(STEPS_SINCE_SPIKE, None)
    return state


@partial(jax.jit, static_argnames=("step", "coordinates"))
def derivative_pass(
    step: Step, coordinates: StaticCoordinates, z: Array, fixed: dict[str, Array], lanes: Lanes, start: State, tangents: State
) -> Pass:
    """Log-likelihood, gradient and Fisher information at ``z`` by forward sensitivities.

    With p the probability of a spike in a step, s the spike and psi the log odds of p, the gradient is
    the sum of (s - p) dpsi and the Fisher information that of p (1 - p) dpsi dpsi'.
    """

    def run(z: Array, start: State) -> tuple[Array, State]:
        return _log_odds(step, {**fixed, **coordinates.to_values(z)}, lanes, start)

    def along(direction: Array, tangent: State) -> tuple[tuple[Array, State], tuple[Array, State]]:
        return jax.jvp(run, (z, start), (direction, tangent))

    (log_odds, end), (slopes, end_tangents) = jax.vmap(along, out_axes=(None, 0))(jnp.eye(len(z)), tangents)
    probability = jax.nn.sigmoid(log_odds)
    surprise = jnp.where(lanes.counted, lanes.spikes - probability, 0.0)
    weight = jnp.where(lanes.counted, probability * (1 - probability), 0.0)
    flat = slopes.reshape(len(z), -1)
    return Pass(
        log_likelihood=_sum_log_likelihood(log_odds, lanes),
        gradient=flat @ surprise.reshape(-1),
        information=(flat * weight.reshape(-1)) @ flat.T,
        start=_continue(end, lanes, start),
        tangents={name: _next_lane(value, lanes, 0.0) for name, value in end_tangents.items()},
        mismatch=_mismatch(start, end, lanes),
    )


@partial(jax.jit, static_argnames=("step",))
def value_pass(step: Step, values: dict[str, Array], lanes: Lanes, start: State) -> tuple[Array, Array, State, Array]:
    """Log-likelihood, log odds of a spike in every step, the next start states and their mismatch."""
    log_odds, end = _log_odds(step, values, lanes, start)
    return _sum_log_likelihood(log_odds, lanes), log_odds, _continue(end, lanes, start), _mismatch(start, end, lanes)


def _log_odds(step: Step, values: dict[str, Array], lanes: Lanes, start: State) -> tuple[Array, State]:
    prepared = step.prepare(values)
    resting = resting_start(step, prepared, lanes.since.shape[0])
    state = {name: jnp.where(lanes.previous < 0, resting[name], value) for name, value in start.items()}
    counters = {STEPS_SINCE_SPIKE: lanes.since} if step.program.refractory is not None else {}

    def advance(state: State, slot: tuple[Array, Array, Array]) -> tuple[State, Array]:
        current, spikes, time = slot
        inputs = {**dict.fromkeys(step.inputs, current), "t": time}
        state, output = step(state, inputs, prepared, spikes=spikes)
        return state, output.margin

    end, margin = jax.lax.scan(advance, {**state, **counters}, (lanes.current, lanes.spikes, lanes.time))
    log_spike, log_none = step.noise.log_probabilities(margin, prepared, step.dt)
    end.pop(STEPS_SINCE_SPIKE, None)
    return log_spike - log_none, end


def _sum_log_likelihood(log_odds: Array, lanes: Lanes) -> Array:
    signed = jnp.where(lanes.spikes, log_odds, -log_odds)
    return jnp.sum(jnp.where(lanes.counted, jax.nn.log_sigmoid(signed), 0.0))


def _next_lane(values: Array, lanes: Lanes, otherwise: Array | float) -> Array:
    """Values at the end of the previous lane, along the last axis."""
    return jnp.where(lanes.previous < 0, otherwise, jnp.take(values, jnp.maximum(lanes.previous, 0), axis=-1))


def _continue(end: State, lanes: Lanes, start: State) -> State:
    return {name: _next_lane(value, lanes, start[name]) for name, value in end.items()}


def _mismatch(start: State, end: State, lanes: Lanes) -> Array:
    """Largest difference between the start of a lane and the end of its predecessor, relative to the range."""
    gaps = []
    for name, value in start.items():
        gap = jnp.abs(_next_lane(end[name], lanes, value) - value)
        gaps.append(jnp.max(gap) / (jnp.max(jnp.abs(end[name])) + 1e-300))
    return jnp.max(jnp.stack(gaps))
