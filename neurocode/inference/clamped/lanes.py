"""Recordings that are cut into chunks, and passes of a clamped model over all chunks in
parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.coordinates import Coordinates
from neurocode.models.noise import Values
from neurocode.simulation.step import NEVER, STEPS_SINCE_SPIKE, Step

#: Name of the state variable that is compared with a recorded voltage.
MEMBRANE_POTENTIAL = "v"
#: Largest number of steps whose sensitivities are held in memory at once.
BLOCK_STEPS = 250

Array = jax.Array
State = dict[str, Array]


@dataclass(frozen=True)
class Clamp:
    """One sweep of a recording on the grid of the fit.

    Attributes
    ----------
    current : numpy.ndarray
        Current in SI units, one value per step.
    spikes : numpy.ndarray of bool
        Which steps hold a spike.
    counted : numpy.ndarray of bool
        Which steps enter the likelihood.
    voltage : numpy.ndarray, optional
        Membrane potential at the end of each step in volts, NaN where it is not compared.
    """

    current: np.ndarray
    spikes: np.ndarray
    counted: np.ndarray
    voltage: np.ndarray | None = None

    @property
    def n_spikes(self) -> int:
        """Number of spikes that enter the likelihood."""
        return int(np.sum(self.spikes & self.counted))

    def with_spikes(self, steps: np.ndarray) -> Clamp:
        """Return the sweep with its spikes replaced by spikes in the given steps."""
        spikes = np.zeros(len(self.spikes), bool)
        spikes[steps] = True
        return replace(self, spikes=spikes)

    def hold_out(self, chosen: np.ndarray) -> tuple[Clamp, Clamp]:
        """Return the sweep without the chosen steps and their voltage, and the sweep in which only
        the spikes of these steps count."""
        kept_voltage = None if self.voltage is None else np.where(chosen, np.nan, self.voltage)
        kept = replace(self, counted=self.counted & ~chosen, voltage=kept_voltage)
        return kept, replace(self, counted=self.counted & chosen, voltage=None)


class Lanes(NamedTuple):
    """Chunks of recordings as columns of arrays of shape (steps, lanes), with their start values.

    ``since`` holds the number of steps since the last spike at the start of each lane, ``first``
    whether a sweep begins with the lane.
    """

    current: Array
    spikes: Array
    counted: Array
    time: Array
    voltage: Array | None
    since: Array
    first: Array


class Pass(NamedTuple):
    """Result of one pass over lanes: sums over spikes and voltages, and the end state of each lane.

    ``spikes`` holds log-likelihood, gradient and Fisher information. ``voltage`` holds three sums
    over the compared voltages: of the squared residuals, of residual times sensitivity, and of the
    products of sensitivities.
    """

    spikes: tuple[Array, Array, Array]
    voltage: tuple[Array, Array, Array]
    end: State
    tangents: State


def steps_since_spike(spikes: np.ndarray) -> np.ndarray:
    """Return for each step the number of steps since the last spike before it."""
    steps = np.arange(len(spikes))
    last = np.maximum.accumulate(np.where(spikes, steps, -NEVER))
    return np.concatenate([[NEVER], steps[1:] - last[:-1]])


def cut(sweeps: Sequence[Clamp], chunk_steps: int, dt: float, t_start: float = 0.0) -> Lanes:
    """Cut sweeps into chunks of equal length; the last chunk of each sweep is padded with steps
    that do not count.

    Lanes are in the order of time: each lane continues the previous one unless it is the first of a
    sweep.
    """
    columns: dict[str, list[np.ndarray]] = {
        "current": [],
        "spikes": [],
        "counted": [],
        "time": [],
        "voltage": [],
    }
    since, first = [], []
    for sweep in sweeps:
        gaps = steps_since_spike(sweep.spikes)
        for start in range(0, len(sweep.current), chunk_steps):
            part = slice(start, start + chunk_steps)
            padding = (0, chunk_steps - len(sweep.current[part]))
            columns["current"].append(np.pad(sweep.current[part], padding, mode="edge"))
            columns["spikes"].append(np.pad(sweep.spikes[part], padding))
            columns["counted"].append(np.pad(sweep.counted[part], padding))
            columns["time"].append(t_start + np.arange(start, start + chunk_steps) * dt)
            if sweep.voltage is not None:
                columns["voltage"].append(
                    np.pad(sweep.voltage[part], padding, constant_values=np.nan)
                )
            since.append(min(gaps[start], NEVER))
            first.append(start == 0)

    def stacked(name: str) -> Array:
        return jnp.asarray(np.stack(columns[name], axis=1))

    return Lanes(
        current=stacked("current"),
        spikes=stacked("spikes"),
        counted=stacked("counted"),
        time=stacked("time"),
        voltage=stacked("voltage") if columns["voltage"] else None,
        since=jnp.asarray(np.array(since, np.int32)),
        first=jnp.asarray(first),
    )


def split(lanes: Lanes, groups: int) -> list[Lanes]:
    """Split lanes into groups of equal size, in order; lanes without counted steps fill the last
    group."""
    count = lanes.since.shape[0]
    missing = -count % groups

    def fill(values: Array) -> np.ndarray:
        return np.concatenate([values, np.repeat(values[..., :1], missing, axis=-1)], axis=-1)

    filled = jax.tree.map(fill, lanes)
    filled.counted[:, count:] = False
    filled.first[count:] = True
    if filled.voltage is not None:
        filled.voltage[:, count:] = np.nan
    size = (count + missing) // groups
    return [
        jax.tree.map(
            lambda values, n=n: jnp.asarray(values[..., n * size : (n + 1) * size]), filled
        )
        for n in range(groups)
    ]


class StaticCoordinates:
    """Coordinates as a static argument of compiled functions, hashed by their content."""

    def __init__(self, coordinates: Coordinates) -> None:
        self.to_values = coordinates.to_values
        self._key = (
            coordinates.names,
            *(a.tobytes() for a in (coordinates.low, coordinates.high, coordinates.scale)),
        )

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StaticCoordinates) and self._key == other._key


def resting_start(step: Step, values: Values, n_lanes: int) -> State:
    """Return the state at time zero for every lane, without the counter of refractoriness."""
    state = step.initial_state(values, (n_lanes,))
    state.pop(STEPS_SINCE_SPIKE, None)
    return state


@partial(jax.jit, static_argnames=("step", "coordinates"))
def derivative_pass(
    step: Step,
    coordinates: StaticCoordinates,
    z: Array,
    fixed: dict[str, Array],
    lanes: Lanes,
    start: State,
    tangents: State,
) -> Pass:
    """Compute log-likelihood, gradient and Fisher information at ``z`` by forward sensitivities.

    Let p be the probability of a spike in a step, s the spike (0 or 1) and psi the log odds of p.
    The gradient is the sum of (s - p) dpsi, the Fisher information that of p (1 - p) dpsi dpsi'.
    """

    directions = jnp.eye(len(z))
    (state, state_tangents) = _along_all(
        lambda z, start: _begin(step, {**fixed, **coordinates.to_values(z)}, lanes, start)
    )(z, start, directions, tangents)

    def block(carry: tuple, slot: tuple) -> tuple[tuple, None]:
        state, state_tangents, since, sums = carry
        current, spikes, counted, time, recorded = slot

        def run(z: Array, state: State) -> tuple[tuple[Array, Array | None, State], Array]:
            values = step.prepare({**fixed, **coordinates.to_values(z)})
            return _run(step, values, state, since, (current, spikes, time), recorded is not None)

        results = _along_all(run, has_aux=True)(z, state, directions, state_tangents)
        (log_odds, voltage, state), (odds_slopes, voltage_slopes, state_tangents), since = results
        terms = (_spike_terms(log_odds, odds_slopes, spikes, counted), zero)
        if recorded is not None:
            terms = (terms[0], _voltage_terms(voltage, voltage_slopes, recorded))
        return (state, state_tangents, since, jax.tree.map(jnp.add, sums, terms)), None

    zero = (jnp.zeros(()), jnp.zeros(len(z)), jnp.zeros((len(z), len(z))))
    slots = jax.tree.map(
        _blocks, (lanes.current, lanes.spikes, lanes.counted, lanes.time, lanes.voltage)
    )
    (end, end_tangents, _, sums), _ = jax.lax.scan(
        block, (state, state_tangents, lanes.since, (zero, zero)), slots
    )
    return Pass(*sums, end=end, tangents=end_tangents)


@partial(jax.jit, static_argnames=("step",))
def value_pass(
    step: Step, values: Values, lanes: Lanes, start: State
) -> tuple[Array, Array, State]:
    """Return the log-likelihood, the log odds of a spike in every step, and the end states."""
    prepared = step.prepare(values)
    begin = _begin(step, prepared, lanes, start)
    (log_odds, _, end), _ = _run(
        step, prepared, begin, lanes.since, (lanes.current, lanes.spikes, lanes.time)
    )
    return _sum_log_likelihood(log_odds, lanes.spikes, lanes.counted), log_odds, end


def _along_all(function: Callable, has_aux: bool = False) -> Callable:
    """Wrap a function of coordinates and state so that it returns its value and its derivatives
    along all directions."""

    def derive(z: Array, state: State, directions: Array, tangents: State) -> tuple:
        def along(direction: Array, tangent: State) -> tuple:
            return jax.jvp(function, (z, state), (direction, tangent), has_aux=has_aux)

        axes = (None, 0, None) if has_aux else (None, 0)
        return jax.vmap(along, out_axes=axes)(directions, tangents)

    return derive


def _begin(step: Step, values: Values, lanes: Lanes, start: State) -> State:
    """Return the start states of the lanes, which are at rest where a sweep begins."""
    resting = resting_start(step, values, lanes.since.shape[0])
    return {name: jnp.where(lanes.first, resting[name], value) for name, value in start.items()}


def _spike_terms(
    log_odds: Array, slopes: Array, spikes: Array, counted: Array
) -> tuple[Array, Array, Array]:
    """Return log-likelihood, gradient and Fisher information of clamped spikes."""
    probability = jax.nn.sigmoid(log_odds)
    surprise = jnp.where(counted, spikes - probability, 0.0).reshape(-1)
    weight = jnp.where(counted, probability * (1 - probability), 0.0).reshape(-1)
    flat = slopes.reshape(len(slopes), -1)
    return _sum_log_likelihood(log_odds, spikes, counted), flat @ surprise, (flat * weight) @ flat.T


def _voltage_terms(voltage: Array, slopes: Array, recorded: Array) -> tuple[Array, Array, Array]:
    """Return the sums of squared residuals, of residual times sensitivity and of the products of
    sensitivities, over the steps with a recorded voltage."""
    known = ~jnp.isnan(recorded)
    residual = jnp.where(known, recorded - voltage, 0.0).reshape(-1)
    flat = jnp.where(known, slopes, 0.0).reshape(len(slopes), -1)
    return residual @ residual, flat @ residual, flat @ flat.T


def _run(
    step: Step,
    prepared: Values,
    state: State,
    since: Array,
    slots: tuple[Array, Array, Array],
    with_voltage: bool = False,
) -> tuple[tuple[Array, Array | None, State], Array]:
    """Return the log odds of a spike and the membrane potential of every step, the end state, and
    the number of steps since the last spike at the end."""
    counters = {STEPS_SINCE_SPIKE: since} if step.program.refractory is not None else {}

    def advance(
        state: State, slot: tuple[Array, Array, Array]
    ) -> tuple[State, tuple[Array, Array | None]]:
        current, spikes, time = slot
        inputs = {**dict.fromkeys(step.inputs, current), "t": time}
        state, output = step(state, inputs, prepared, spikes=spikes)
        return state, (output.margin, state[MEMBRANE_POTENTIAL] if with_voltage else None)

    end, (margin, voltage) = jax.lax.scan(advance, {**state, **counters}, slots)
    log_spike, log_none = step.escape_noise.log_probabilities(margin, prepared, step.dt)
    return (log_spike - log_none, voltage, end), end.pop(STEPS_SINCE_SPIKE, since)


def _blocks(values: Array) -> Array:
    """Reshape steps into blocks whose sensitivities fit into the cache: shape (blocks, steps per
    block, lanes)."""
    n_steps = values.shape[0]
    size = max(n for n in range(1, min(BLOCK_STEPS, n_steps) + 1) if n_steps % n == 0)
    return values.reshape(n_steps // size, size, *values.shape[1:])


def _sum_log_likelihood(log_odds: Array, spikes: Array, counted: Array) -> Array:
    signed = jnp.where(spikes, log_odds, -log_odds)
    return jnp.sum(jnp.where(counted, jax.nn.log_sigmoid(signed), 0.0))


def continued(end: np.ndarray) -> np.ndarray:
    """Shift the end values of each lane (last axis) to the next lane as its start values; those of
    the first lane are zero."""
    return np.concatenate([np.zeros_like(end[..., :1]), end[..., :-1]], axis=-1)


def mismatch(
    start: dict[str, np.ndarray], following: dict[str, np.ndarray], first: np.ndarray
) -> float:
    """Return the largest difference between the start of a lane and the end of its predecessor,
    relative to the largest absolute value of the state variable."""
    largest = 0.0
    for name, value in following.items():
        gap = np.max(np.abs(np.where(first, 0.0, value - start[name])), initial=0.0)
        largest = np.maximum(largest, gap / (np.max(np.abs(value), initial=0.0) + 1e-300))
    return float(largest)
