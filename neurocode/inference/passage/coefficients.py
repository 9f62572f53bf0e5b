"""Coefficients of the Fokker-Planck equation of all intervals, with derivatives by the parameters
of the model, in one compiled program."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.passage.equations import Numbers, PassageEquations
from neurocode.inference.passage.intervals import Intervals

Array = jax.Array

#: Array sizes are rounded up to multiples of these, so that few shapes are compiled.
FACES, INTERVALS, PATH_STEPS = 64, 256, 8192
#: Passages are not shorter than this, in seconds.
SHORTEST = 1e-9


class Coefficients(NamedTuple):
    """Coefficients of the Fokker-Planck equation, each followed by its derivatives with respect to
    the free parameters."""

    drift: Array
    drift_slopes: Array
    diffusion: Array
    diffusion_slopes: Array
    refractory: Array
    refractory_slopes: Array
    path: Array
    path_slopes: Array


class Layout(NamedTuple):
    """Positions and times at which the coefficients of the equation are needed, padded to few
    sizes.

    Attributes
    ----------
    positions : numpy.ndarray (positions,)
        Distance from the reset (0) towards the threshold (1).
    start, duration : numpy.ndarray (intervals,)
        Time of the spike that begins each interval and length of the interval, in seconds.
    first : numpy.ndarray of bool (intervals,)
        Whether the interval is the first of a repeat.
    typical : float
        Mean interval in seconds.
    shares : numpy.ndarray (3, steps)
        Length, middle and end of each time step as fractions of its passage.
    lane : numpy.ndarray of int (steps,)
        Index of the interval to which each time step belongs.

    Notes
    -----
    The time steps of all intervals stand one after another. If interval ``k`` lasts ``T_k`` and the
    refractory period ``t_ref``, a step with ``shares`` ``(d, m, e)`` has the length ``d (T_k -
    t_ref)``, and its middle and end lie ``t_ref + m (T_k - t_ref)`` and ``t_ref + e (T_k - t_ref)``
    after the spike that begins the interval.
    """

    positions: Array | np.ndarray
    start: Array | np.ndarray
    duration: Array | np.ndarray
    first: Array | np.ndarray
    typical: Numbers
    shares: Array | np.ndarray
    lane: Array | np.ndarray

    @classmethod
    def at(
        cls, positions: np.ndarray, intervals: Intervals, shares: Sequence[np.ndarray]
    ) -> Layout:
        """Make the layout of positions and of the ends of the time steps of each interval."""
        counts = np.array([len(ends) for ends in shares], dtype=int)
        ends = np.concatenate([np.empty(0), *shares])
        begins = np.concatenate([[0.0], ends[:-1]])[: len(ends)]
        begins[(np.cumsum(counts) - counts)[: len(shares)]] = 0.0
        columns = np.stack([ends - begins, 0.5 * (begins + ends), ends])
        lane = np.repeat(np.arange(len(shares)), counts)
        padding = -len(ends) % PATH_STEPS
        if padding:
            columns, lane = (
                np.pad(columns, ((0, 0), (0, padding)), mode="edge"),
                np.pad(lane, (0, padding), mode="edge"),
            )
        # where all intervals share one passage, how many they are is not compiled in
        start, duration, first = (
            _padded(array if len(lane) else array[:0], INTERVALS)
            for array in (intervals.start, intervals.duration, intervals.first)
        )
        return cls(
            _padded(positions, FACES),
            start,
            duration,
            first,
            np.mean(intervals.duration),
            columns,
            lane,
        )


def _padded(array: np.ndarray, multiple: int) -> np.ndarray:
    return np.pad(array, (0, -len(array) % multiple), mode="edge")


@partial(jax.jit, static_argnames=("equations", "free"))
def coefficients(
    equations: PassageEquations,
    free: tuple[str, ...],
    x: Array,
    fixed: dict[str, Array],
    layout: Layout,
) -> Coefficients:
    """Evaluate the coefficients of the equation at parameters ``x``, with their derivatives."""

    def values(x: Array) -> tuple[Array, ...]:
        names = {**fixed, **{name: x[k] for k, name in enumerate(free)}}
        drift, diffusion = equations.table(names, layout.positions)
        refractory = equations.refractory_period(names)
        if not layout.lane.shape[0]:
            return drift, diffusion, refractory, jnp.zeros((3, 0))
        states = equations.states_at_spikes(layout.duration, layout.first, layout.typical, names)
        states = {name: state[layout.lane] for name, state in states.items()}
        length = jnp.maximum(layout.duration - refractory, SHORTEST)[layout.lane]
        step, middle, end = layout.shares
        path = equations.path(layout.start[layout.lane], states, (step, middle, end), length, names)
        return drift, diffusion, refractory, jnp.stack(path)

    pairs = zip(values(x), jax.jacfwd(values)(x), strict=True)
    return Coefficients(*(array for pair in pairs for array in pair))
