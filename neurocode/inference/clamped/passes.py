"""Passes of a clamped model over a recording in chunks, which are repeated until each chunk starts
where its predecessor ends.

A recording is cut into chunks that run as lanes of one batch. Each lane starts from the state (and
its sensitivities to the parameters) in which its predecessor ended in the previous pass. Passes are
repeated until start and end states agree, so that chunking does not affect the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.clamped.lanes import (
    Clamp,
    Lanes,
    Pass,
    StaticCoordinates,
    continued,
    cut,
    derivative_pass,
    mismatch,
    resting_start,
    split,
    value_pass,
)
from neurocode.inference.coordinates import Coordinates
from neurocode.simulation.step import Step

#: Start states of lanes count as settled if their relative difference from the end states of their
#: predecessors is below this.
SETTLED = 1e-10
MOST_PASSES = 60
#: Number of groups of lanes; each group runs in its own thread.
GROUPS = 2

States = dict[str, np.ndarray]


@dataclass(frozen=True)
class Derivatives:
    """Log-likelihood and derivatives at one point, and the start states of the next pass.

    Attributes
    ----------
    value : float
        Log-likelihood.
    gradient, information : numpy.ndarray
        Gradient and Fisher information.
    start, tangents : dict of str to numpy.ndarray
        End states of the lanes, as start states of their successors, and their sensitivities.
    mismatch, tangent_mismatch : float
        Relative differences of these from the start states and sensitivities that were used.
    """

    value: float
    gradient: np.ndarray
    information: np.ndarray
    start: States
    tangents: States
    mismatch: float
    tangent_mismatch: float


class Passes:
    """Passes over the sweeps of a recording.

    Parameters
    ----------
    step : Step
    coordinates : Coordinates
        Coordinates of the free parameters.
    fixed : dict of str to jax.Array
        All parameters at the model's values; the free ones are replaced in every pass.
    sweeps : sequence of Clamp
    chunk_steps : int
        Number of steps per chunk.
    t_start : float
        Time at which the sweeps begin, in seconds.
    """

    def __init__(
        self,
        step: Step,
        coordinates: Coordinates,
        fixed: dict[str, jax.Array],
        sweeps: Sequence[Clamp],
        chunk_steps: int,
        t_start: float,
    ) -> None:
        self.step, self.coordinates = step, coordinates
        self._fixed, self._static = fixed, StaticCoordinates(coordinates)
        with jax.enable_x64(True):
            lanes = cut(sweeps, chunk_steps, step.dt, t_start)
            self.n_lanes = lanes.since.shape[0]
            self._groups = split(lanes, min(GROUPS, self.n_lanes))
            self._first = np.concatenate([np.asarray(group.first) for group in self._groups])
        self.counted = [sweep.counted for sweep in sweeps]
        self.n_voltages = sum(
            int(np.sum(np.isfinite(sweep.voltage))) for sweep in sweeps if sweep.voltage is not None
        )

    def first_start(self, z: np.ndarray) -> tuple[States, States]:
        """Return the settled start states at coordinates ``z``, with sensitivities of zero."""
        start = self._settled(z)[2]
        return start, {name: np.zeros((len(z), *value.shape)) for name, value in start.items()}

    def derivatives(self, z: np.ndarray, start: States, tangents: States) -> Derivatives:
        """Compute the log-likelihood at ``z`` and its derivatives by one pass from given start
        states."""
        parts = self._derivative_passes(z, start, tangents)
        following = {
            name: continued(np.concatenate([p.end[name] for p in parts])) for name in start
        }
        sensitivities = {
            name: continued(np.concatenate([p.tangents[name] for p in parts], axis=-1))
            for name in start
        }
        sums = _total(p.spikes for p in parts)
        if self.n_voltages:
            sums = _add_voltage(sums, _total(p.voltage for p in parts), self.n_voltages)
        return Derivatives(
            *sums,
            start=following,
            tangents=sensitivities,
            mismatch=mismatch(start, following, self._first),
            tangent_mismatch=mismatch(tangents, sensitivities, self._first),
        )

    def log_likelihood(self, z: np.ndarray) -> float:
        """Return the log-likelihood in nats at coordinates ``z``, with settled lanes."""
        return self._settled(z)[0]

    def voltage_residual(self, z: np.ndarray) -> float:
        """Return the root mean square of recorded minus modelled membrane potential at coordinates
        ``z``, in volts."""
        parts = self._derivative_passes(z, *self.first_start(z))
        return float(np.sqrt(_total(p.voltage for p in parts)[0] / self.n_voltages))

    def spike_probabilities(self, z: np.ndarray) -> list[np.ndarray]:
        """Return for each sweep the probability of a spike in every step, zero in steps that do not
        count."""
        probability = 1.0 / (1.0 + np.exp(-self._settled(z)[1]))
        starts = np.flatnonzero(self._first[: self.n_lanes])
        sweeps = [
            np.concatenate(list(lanes))
            for lanes in np.split(probability[: self.n_lanes], starts[1:])
        ]
        return [
            np.where(counted, values[: len(counted)], 0.0)
            for values, counted in zip(sweeps, self.counted, strict=True)
        ]

    def _derivative_passes(self, z: np.ndarray, start: States, tangents: States) -> list[Pass]:
        """Run one pass over each group of lanes."""
        with jax.enable_x64(True):
            point = jnp.asarray(z, float)

        def run(lanes: Lanes, part: slice) -> Pass:
            begin = {name: value[part] for name, value in start.items()}
            slopes = {name: value[:, part] for name, value in tangents.items()}
            return derivative_pass(
                self.step, self._static, point, self._fixed, lanes, begin, slopes
            )

        return self._each_group(run)

    def _settled(self, z: np.ndarray) -> tuple[float, np.ndarray, States]:
        """Return the log-likelihood, the log odds of shape (lanes, steps) and the settled start
        states of the lanes."""
        with jax.enable_x64(True):
            values = {**self._fixed, **self.coordinates.to_values(jnp.asarray(z, float))}
            resting = resting_start(self.step, values, len(self._first))
        start = {name: np.asarray(value) for name, value in resting.items()}
        for _ in range(MOST_PASSES):
            begin = start
            parts = self._each_group(
                lambda lanes, part, begin=begin: value_pass(
                    self.step, values, lanes, {n: v[part] for n, v in begin.items()}
                )
            )
            start = {
                name: continued(np.concatenate([end[name] for _, _, end in parts]))
                for name in begin
            }
            if mismatch(begin, start, self._first) < SETTLED:
                break
        return (
            sum(float(p[0]) for p in parts),
            np.concatenate([np.asarray(p[1]).T for p in parts]),
            start,
        )

    def _each_group(self, run: Callable[[Lanes, slice], Any]) -> list[Any]:
        """Call ``run`` for every group of lanes in parallel threads; compiled passes release
        Python's global lock."""

        def call(number: int) -> Any:
            size = len(self._first) // len(self._groups)
            with jax.enable_x64(True):
                return jax.block_until_ready(
                    run(self._groups[number], slice(number * size, (number + 1) * size))
                )

        with ThreadPoolExecutor(len(self._groups)) as pool:
            return list(pool.map(call, range(len(self._groups))))


def _total(parts: Iterable[tuple]) -> tuple[float, np.ndarray, np.ndarray]:
    value, gradient, information = (
        reduce(np.add, map(np.asarray, terms)) for terms in zip(*parts, strict=True)
    )
    return float(value), gradient, information


def _add_voltage(spikes: tuple, voltage: tuple, count: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Add the log-likelihood of Gaussian voltage residuals whose variance is their mean square,
    which makes it a profile likelihood."""
    squares, slope, product = voltage
    variance = squares / count
    value = -0.5 * count * (np.log(2 * np.pi * variance) + 1)
    return spikes[0] + value, spikes[1] + slope / variance, spikes[2] + product / variance
