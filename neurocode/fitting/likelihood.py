"""Likelihood of recorded spikes under a model with escape noise, with its exact sensitivities.

The spikes are clamped to the recorded ones, so the likelihood is a product over time steps of
Bernoulli probabilities that depend on the state. A recording is cut into chunks that run as lanes of
one batch; each lane starts from the state (and the sensitivities of the state to the parameters) at
which its predecessor ended in the pass before. Passes are repeated until these agree, so chunking
leaves no trace in the result.
"""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import FitError
from neurocode.fitting.lanes import (
    Clamp,
    Pass,
    State,
    StaticCoordinates,
    cut,
    derivative_pass,
    resting_start,
    steps_since_spike,
    value_pass,
)
from neurocode.fitting.transforms import Coordinates
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.simulation.evaluate import evaluate, timestep
from neurocode.simulation.step import Step, step_function

#: Start states of lanes count as settled when they differ from the ends of their predecessors by less.
SETTLED = 1e-10
MOST_PASSES = 60


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

    Raises
    ------
    FitError
        If the model has no escape noise, or diffusive noise whose path the spikes do not determine; if
        its refractory period is free; or if two spikes are closer than that period.
    """

    def __init__(
        self, model: NeuronModel, sweeps: Sequence[Clamp], dt: float, *, chunk_steps: int = 10_000, prior_width: float = np.inf
    ) -> None:
        if model.noise is None or model.has_diffusion:
            raise FitError(f"Model '{model.name}' cannot be fitted by clamped likelihood: it needs escape noise and no xi.")
        free = names_in(model.refractory) & set(model.free) if model.refractory else set()
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
            self._lanes = cut(sweeps, chunk_steps, dt)
        self.counted = [sweep.counted for sweep in sweeps]
        self.n_spikes = int(sum(np.sum(sweep.spikes & sweep.counted) for sweep in sweeps))

    def first_start(self, z: np.ndarray) -> tuple[State, State]:
        """Settled start states at coordinates ``z`` and sensitivities of zero."""
        start = self._settled(z)[2]
        with jax.enable_x64(True):
            return start, {name: jnp.zeros((len(z), *value.shape)) for name, value in start.items()}

    def derivatives(self, z: np.ndarray, start: State, tangents: State) -> Pass:
        """Log-likelihood plus log prior at ``z`` and its derivatives, by one pass from the start states given."""
        with jax.enable_x64(True):
            result = derivative_pass(self.step, self._static, jnp.asarray(z, float), self._fixed, self._lanes, start, tangents)
        offset = z - self._prior_mean
        return result._replace(
            log_likelihood=float(result.log_likelihood) - 0.5 * self.prior_precision * float(offset @ offset),
            gradient=np.asarray(result.gradient) - self.prior_precision * offset,
            information=np.asarray(result.information) + self.prior_precision * np.eye(len(z)),
        )

    def log_likelihood(self, z: np.ndarray) -> float:
        """Log-likelihood in nats at coordinates ``z``, lanes settled."""
        return float(self._settled(z)[0])

    def spike_probabilities(self, z: np.ndarray) -> list[np.ndarray]:
        """For each sweep the probability of a spike in every step, zero during refractoriness.

        Steps that a sweep leaves uncounted read zero as well.
        """
        log_odds = np.asarray(self._settled(z)[1]).T
        probability = 1.0 / (1.0 + np.exp(-log_odds))
        starts = np.flatnonzero(np.asarray(self._lanes.previous) < 0)
        sweeps = [np.concatenate(list(lanes)) for lanes in np.split(probability, starts[1:])]
        return [np.where(counted, values[: len(counted)], 0.0) for values, counted in zip(sweeps, self.counted, strict=True)]

    def _settled(self, z: np.ndarray) -> tuple:
        with jax.enable_x64(True):
            values = {**self._fixed, **self.coordinates.to_values(jnp.asarray(z, float))}
            start = resting_start(self.step, values, self._lanes.since.shape[0])
            for _ in range(MOST_PASSES):
                log_likelihood, log_odds, start, mismatch = value_pass(self.step, values, self._lanes, start)
                if mismatch < SETTLED:
                    break
        return log_likelihood, log_odds, start


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
    return Clamp(sweep.current, sweep.spikes, sweep.counted & free)
