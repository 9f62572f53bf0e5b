"""Likelihood of recorded spikes under a model with escape noise, with its exact sensitivities.

The spikes are clamped to the recorded ones, so the likelihood is a product over time steps of
Bernoulli probabilities that depend on the state. A recording is cut into chunks that run as lanes of
one batch; each lane starts from the state (and the sensitivities of the state to the parameters) at
which its predecessor ended in the pass before. Passes are repeated until these agree, so chunking
leaves no trace in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import FitError
from neurocode.inference.clamped.lanes import (
    MEMBRANE_POTENTIAL,
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
    steps_since_spike,
    value_pass,
)
from neurocode.inference.coordinates import Coordinates
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.simulation.evaluate import evaluate, timestep
from neurocode.simulation.step import Step, step_function

#: Start states of lanes count as settled when they differ from the ends of their predecessors by less.
SETTLED = 1e-10
MOST_PASSES = 60
#: Groups of lanes that run in threads of their own.
GROUPS = 2

States = dict[str, np.ndarray]


@dataclass(frozen=True)
class Derivatives:
    """Objective and derivatives at one point, and from where the next pass starts.

    Attributes
    ----------
    value : float
        Log-likelihood plus log prior.
    gradient, information : numpy.ndarray
        Gradient and Fisher information, prior included.
    start, tangents : dict of str to numpy.ndarray
        States in which the lanes end, as start of their successors, and their sensitivities.
    mismatch, tangent_mismatch : float
        How far these are from the start states and sensitivities that were used.
    """

    value: float
    gradient: np.ndarray
    information: np.ndarray
    start: States
    tangents: States
    mismatch: float
    tangent_mismatch: float


class ClampedLikelihood:
    """Log-likelihood of spikes given current, its gradient and its Fisher information.

    Parameters
    ----------
    model : NeuronModel
        With escape noise; its free parameters are the arguments, as :class:`Coordinates`.
    sweeps : sequence of Clamp
    dt : float
        Time step in seconds.
    chunk_steps : int
        Steps in a chunk.
    prior_width : float
        Standard deviation of a normal prior around the model's values in unconstrained coordinates,
        which :meth:`derivatives` includes.
    t_start : float
        Time at which the sweeps begin, for models that read ``t``.

    Raises
    ------
    FitError
        If the model has no escape noise, or diffusive noise whose path the spikes do not determine; if
        its refractory period is free; if two spikes are closer than that period; or if there is a voltage
        and the model has no state ``v``.
    """

    def __init__(
        self,
        model: NeuronModel,
        sweeps: Sequence[Clamp],
        dt: float,
        *,
        chunk_steps: int = 10_000,
        prior_width: float = np.inf,
        t_start: float = 0.0,
    ) -> None:
        if model.noise is None or model.has_diffusion:
            raise FitError(f"Model '{model.name}' cannot be fitted by clamped likelihood: it needs escape noise and no xi.")
        free = names_in(model.refractory) & set(model.free) if model.refractory else set()
        if any(sweep.voltage is not None for sweep in sweeps) and MEMBRANE_POTENTIAL not in model.states:
            raise FitError(f"Model '{model.name}' has no state '{MEMBRANE_POTENTIAL}' to compare with the recorded voltage.")
        if free:
            raise FitError(f"The refractory period '{free.pop()}' has no gradient in discrete time; fix it for the fit.")
        self.coordinates = Coordinates.of(model)
        self.prior_precision = prior_width**-2.0
        self._prior_mean = self.coordinates.to_coordinates(model.values)
        self._static = StaticCoordinates(self.coordinates)
        with jax.enable_x64(True):
            self.step = step_function(model, dt)
            self._fixed = {name: jnp.asarray(value, float) for name, value in model.values.items()}
            sweeps = [_exclude_refractory(sweep, _refractory_steps(self.step, self._fixed), dt) for sweep in sweeps]
            lanes = cut(sweeps, chunk_steps, dt, t_start)
            self._n_lanes = lanes.since.shape[0]
            self._groups = split(lanes, min(GROUPS, self._n_lanes))
            self._first = np.concatenate([np.asarray(group.first) for group in self._groups])
        self.counted = [sweep.counted for sweep in sweeps]
        self.n_voltages = sum(int(np.sum(np.isfinite(sweep.voltage))) for sweep in sweeps if sweep.voltage is not None)
        self.n_spikes = sum(sweep.n_spikes for sweep in sweeps)

    def first_start(self, z: np.ndarray) -> tuple[States, States]:
        """Settled start states at coordinates ``z`` and sensitivities of zero."""
        start = self._settled(z)[2]
        return start, {name: np.zeros((len(z), *value.shape)) for name, value in start.items()}

    def derivatives(self, z: np.ndarray, start: States, tangents: States) -> Derivatives:
        """Log-likelihood plus log prior at ``z`` and its derivatives, by one pass from the start states given."""
        with jax.enable_x64(True):
            at = jnp.asarray(z, float)

        parts = self._each_group(lambda lanes, part: self._pass(at, lanes, part, start, tangents))
        following = {name: continued(np.concatenate([p.end[name] for p in parts])) for name in start}
        sensitivities = {name: continued(np.concatenate([p.tangents[name] for p in parts], axis=-1)) for name in start}
        value, gradient, information = _total(p.spikes for p in parts)
        if self.n_voltages:
            value, gradient, information = _add_voltage(
                (value, gradient, information), _total(p.voltage for p in parts), self.n_voltages
            )
        offset = z - self._prior_mean
        return Derivatives(
            value=value - 0.5 * self.prior_precision * float(offset @ offset),
            gradient=gradient - self.prior_precision * offset,
            information=information + self.prior_precision * np.eye(len(z)),
            start=following,
            tangents=sensitivities,
            mismatch=mismatch(start, following, self._first),
            tangent_mismatch=mismatch(tangents, sensitivities, self._first),
        )

    def values_at(self, z: np.ndarray) -> dict[str, float]:
        """Free parameters in SI at coordinates ``z``."""
        return self.coordinates.numbers(z)

    def log_likelihood(self, z: np.ndarray) -> float:
        """Log-likelihood in nats at coordinates ``z``, lanes settled."""
        return self._settled(z)[0]

    def voltage_residual(self, z: np.ndarray) -> float:
        """Root mean square of recorded minus modelled membrane potential at coordinates ``z``, in volts."""
        with jax.enable_x64(True):
            at = jnp.asarray(z, float)
        start, tangents = self.first_start(z)
        parts = self._each_group(lambda lanes, part: self._pass(at, lanes, part, start, tangents))
        return float(np.sqrt(_total(p.voltage for p in parts)[0] / self.n_voltages))

    def spike_probabilities(self, z: np.ndarray) -> list[np.ndarray]:
        """For each sweep the probability of a spike in every step, zero where the step does not count."""
        probability = 1.0 / (1.0 + np.exp(-self._settled(z)[1]))
        starts = np.flatnonzero(self._first[: self._n_lanes])
        sweeps = [np.concatenate(list(lanes)) for lanes in np.split(probability[: self._n_lanes], starts[1:])]
        return [np.where(counted, values[: len(counted)], 0.0) for values, counted in zip(sweeps, self.counted, strict=True)]

    def _pass(self, z: jax.Array, lanes: Lanes, part: slice, start: States, tangents: States) -> Pass:
        own_start = {name: value[part] for name, value in start.items()}
        own_tangents = {name: value[:, part] for name, value in tangents.items()}
        return derivative_pass(self.step, self._static, z, self._fixed, lanes, own_start, own_tangents)

    def _settled(self, z: np.ndarray) -> tuple[float, np.ndarray, States]:
        """Log-likelihood, log odds of shape (lanes, steps) and start states once lanes follow on each other."""
        with jax.enable_x64(True):
            values = {**self._fixed, **self.coordinates.to_values(jnp.asarray(z, float))}
            resting = resting_start(self.step, values, len(self._first))
        start = {name: np.asarray(value) for name, value in resting.items()}
        for _ in range(MOST_PASSES):
            begin = start
            parts = self._each_group(
                lambda lanes, part, begin=begin: value_pass(self.step, values, lanes, {n: v[part] for n, v in begin.items()})
            )
            start = {name: continued(np.concatenate([end[name] for _, _, end in parts])) for name in begin}
            if mismatch(begin, start, self._first) < SETTLED:
                break
        return sum(float(p[0]) for p in parts), np.concatenate([np.asarray(p[1]).T for p in parts]), start

    def _each_group(self, run: Callable[[Lanes, slice], Any]) -> list[Any]:
        """Call ``run`` for every group of lanes side by side: compiled passes release Python's lock."""

        def call(number: int) -> Any:
            size = len(self._first) // len(self._groups)
            with jax.enable_x64(True):
                return jax.block_until_ready(run(self._groups[number], slice(number * size, (number + 1) * size)))

        with ThreadPoolExecutor(len(self._groups)) as pool:
            return list(pool.map(call, range(len(self._groups))))


def _total(parts: Iterable[tuple]) -> tuple[float, np.ndarray, np.ndarray]:
    value, gradient, information = (sum(np.asarray(term) for term in terms) for terms in zip(*parts, strict=True))
    return float(value), gradient, information


def _add_voltage(spikes: tuple, voltage: tuple, count: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Add the log-likelihood of Gaussian voltage residuals whose variance is the mean square (profile likelihood)."""
    squares, slope, product = voltage
    variance = squares / count
    value = -0.5 * count * (np.log(2 * np.pi * variance) + 1)
    return spikes[0] + value, spikes[1] + slope / variance, spikes[2] + product / variance


def _refractory_steps(step: Step, values: dict) -> int:
    if step.program.refractory is None:
        return 0
    return int(timestep(evaluate(step.program.refractory, step.prepare(values)), step.dt))


def _exclude_refractory(sweep: Clamp, refractory_steps: int, dt: float) -> Clamp:
    """Leave out the steps in which a spike was impossible.

    Raises
    ------
    FitError
        If a recorded spike falls into one of them.
    """
    free = steps_since_spike(sweep.spikes) >= refractory_steps
    early = np.flatnonzero(sweep.spikes & ~free)
    if early.size:
        raise FitError(
            f"The spike at {early[0] * dt:.4f} s follows its predecessor within the refractory period of "
            f"{refractory_steps * dt * 1e3:g} ms; shorten the period or check the spike detection."
        )
    return replace(sweep, counted=sweep.counted & free)
