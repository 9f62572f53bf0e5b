"""Likelihood of recorded spikes under a model with escape noise, with its exact sensitivities.

The spikes are clamped to the recorded ones, so the likelihood is a product over time steps of
Bernoulli probabilities that depend on the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, FitError
from neurocode.inference.clamped.grid import choose_dt, clamp, counted_steps, on_grid
from neurocode.inference.clamped.lanes import MEMBRANE_POTENTIAL, Clamp, steps_since_spike
from neurocode.inference.clamped.passes import Passes, States
from neurocode.inference.likelihood import Block, Likelihood
from neurocode.inference.objective import Evaluation
from neurocode.inference.one_unit import experiment_of
from neurocode.inference.optimise import Optimum, Report
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.repeat import Repeat
from neurocode.simulation.evaluate import evaluate, timestep
from neurocode.simulation.jax_engine import run_jax
from neurocode.simulation.step import Step, step_function
from neurocode.simulation.time_scale import warn_of_coarse_step
from neurocode.statistics.time_rescaling import rescaled_intervals
from neurocode.units import seconds

#: Largest differences, relative to their range, between the start states of lanes and the end
#: states of their predecessors, and between their sensitivities. ``CONSISTENT`` holds in an ascent
#: that has to end at a maximum, ``ROUGHLY_CONSISTENT`` in one that only approaches it.
CONSISTENT = (1e-7, 1e-5)
ROUGHLY_CONSISTENT = (1e-3, 1e-2)
CHUNK_SECONDS = 0.5
FEWEST_SPIKES = 20
#: Time step of the starts in seconds, if that of the fit is finer.
ROUGH_DT = 4e-4
#: A cell is called bursting if more than this share of its intervals is below 10 ms.
BURSTING = 0.2


@dataclass(frozen=True)
class Carry:
    """The start states of lanes and their sensitivities to the coordinates."""

    start: States
    tangents: States

    def moved(self, step: np.ndarray | None) -> tuple[States, States]:
        """Return the start states moved along their sensitivities, after which one or two passes
        settle a small step."""
        if step is None:
            return self.start, self.tangents
        return {
            name: value + np.tensordot(step, self.tangents[name], axes=1)
            for name, value in self.start.items()
        }, self.tangents


class ClampedLikelihood(Likelihood):
    """Log-likelihood of spikes given current, its gradient and its Fisher information.

    Parameters
    ----------
    model : NeuronModel
        A model with escape noise; the likelihood is a function of its free parameters, as
        :class:`Coordinates`.
    sweeps : sequence of Clamp
    dt : float
        Time step in seconds.
    chunk_steps : int, optional
        Number of steps per chunk; half a second by default.
    prior_width : float
        Standard deviation of a normal prior around the model's values in unconstrained coordinates,
        which :meth:`evaluate` includes.
    t_start : float
        Time at which the sweeps begin, for models that read ``t``.
    impossible_spikes : bool
        Whether a spike within the refractory period makes the likelihood zero instead of being an
        error.
    repeats : sequence of Repeat
        Repeats from which the sweeps were made, if there are any. The coarser grid of the starts is
        made from them too.
    voltage : float, optional
        Interval between the membrane potentials of the sweeps in seconds.
    test : Experiment, optional
        Test experiment from which the sweeps were made; predictions run under its frozen current.

    Raises
    ------
    FitError
        If the model has no escape noise, or has diffusive noise, whose path the spikes do not
        determine; if its refractory period is free; if two spikes are closer than that period; or
        if there is a voltage but the model has no state ``v``.
    """

    name = "clamped"
    options = ("starts", "dt", "voltage")
    shares_stimulus = True

    def __init__(
        self,
        model: NeuronModel,
        sweeps: Sequence[Clamp],
        dt: float,
        *,
        chunk_steps: int | None = None,
        prior_width: float = np.inf,
        t_start: float = 0.0,
        impossible_spikes: bool = False,
        repeats: Sequence[Repeat] = (),
        voltage: float | None = None,
        test: Experiment | None = None,
    ) -> None:
        _require_escape_noise(model, any(sweep.voltage is not None for sweep in sweeps))
        super().__init__(model, prior_width)
        self.sweeps, self._dt, self.t_start = tuple(sweeps), dt, t_start
        self.voltage, self.repeats, self.test = voltage, tuple(repeats), test
        with jax.enable_x64(True):
            step = step_function(model, dt)
            fixed = {name: jnp.asarray(value, float) for name, value in model.values.items()}
            refractory = _refractory_steps(step, fixed)
        try:
            sweeps = [_exclude_refractory(sweep, refractory, dt) for sweep in sweeps]
        except FitError as error:
            if not impossible_spikes:
                raise
            self.impossible = str(error)
        chunk_steps = round(CHUNK_SECONDS / dt) if chunk_steps is None else chunk_steps
        self.passes = Passes(step, self.coordinates, fixed, sweeps, chunk_steps, t_start)

    @classmethod
    def takes(cls, model: NeuronModel, data: object) -> bool:
        """True for every model except diffusions without escape noise."""
        return model.noise is not None or not model.has_diffusion

    @classmethod
    def of(
        cls,
        model: NeuronModel,
        data: object,
        *,
        prior_width: float = np.inf,
        dt: float | None = None,
        voltage: float | None = None,
    ) -> Self:
        """Likelihood of an experiment or of spike trains alone, on a grid of ``dt``; see
        :func:`neurocode.fit`."""
        dt = None if dt is None else seconds(dt, "The time step")
        voltage = None if voltage is None else seconds(voltage, "The interval between voltages")
        experiment = experiment_of(data)
        return cls._on_grid(
            model, experiment.repeats, choose_dt(experiment.dt, dt), voltage, prior_width
        )

    @classmethod
    def of_test(
        cls,
        model: NeuronModel,
        data: object,
        *,
        after: float = 0.0,
        dt: float,
        voltage: float | None = None,
    ) -> Self:
        """Likelihood of test spikes, whether or not a voltage was fitted too. A spike that the
        model excludes makes it zero."""
        test = experiment_of(data)
        sweeps = [clamp(repeat, dt) for repeat in test.repeats]
        return cls(model, sweeps, dt, t_start=after, impossible_spikes=True, test=test)

    @classmethod
    def _on_grid(
        cls,
        model: NeuronModel,
        repeats: Sequence[Repeat],
        dt: float,
        voltage: float | None,
        prior_width: float,
    ) -> Self:
        sweeps = [clamp(repeat, dt, voltage=voltage) for repeat in repeats]
        return cls(model, sweeps, dt, prior_width=prior_width, repeats=repeats, voltage=voltage)

    def with_model(self, model: NeuronModel) -> Self:
        """The likelihood of the same sweeps under another model, without a prior."""
        return type(self)(model, self.sweeps, self.dt, t_start=self.t_start)

    def with_spikes(self, trains: Sequence[np.ndarray]) -> Self:
        """The likelihood of other spikes under the same currents.

        Raises
        ------
        FitError
            For spikes and voltage, because the model does not describe the noise of the voltage.
        """
        if self.passes.n_voltages:
            raise FitError("Spikes without a voltage cannot take the place of spikes and voltage.")
        sweeps = [
            sweep.with_spikes(np.round(train / self.dt).astype(int))
            for sweep, train in zip(self.sweeps, trains, strict=True)
        ]
        sweeps = [
            replace(sweep, counted=counted_steps(len(sweep.spikes), self.dt)) for sweep in sweeps
        ]
        return type(self)(
            self.model, sweeps, self.dt, t_start=self.t_start, prior_width=self.prior_width
        )

    def without(self, block: Block) -> tuple[Self, Self]:
        """The likelihoods of the sweeps without one block of steps and its voltage, and of the
        spikes of that block alone."""
        parts = [sweep.hold_out(block.holds(len(sweep.spikes))) for sweep in self.sweeps]

        def of(sweeps: Sequence[Clamp]) -> Self:
            return type(self)(
                self.model, sweeps, self.dt, t_start=self.t_start, prior_width=self.prior_width
            )

        return of([kept for kept, _ in parts]), of([held_out for _, held_out in parts])

    def rough(self) -> Self:
        """The same likelihood on a coarser grid, if the spikes allow one."""
        coarse = self.dt * round(ROUGH_DT / self.dt)
        if coarse < 1.5 * self.dt or not self.repeats:
            return self
        try:
            rough = self._on_grid(self.model, self.repeats, coarse, self.voltage, self.prior_width)
            rough.require_training_data()
        except (DataError, FitError):
            return self
        return rough

    def require_training_data(self) -> None:
        """Check that the training data suffice for a fit.

        Raises
        ------
        FitError
            For a model with several inputs, or fewer than 20 spikes.
        """
        if len(self.model.inputs) > 1:
            raise FitError(
                f"Model '{self.model.name}' has {len(self.model.inputs)} inputs, a fit takes one "
                f"current."
            )
        if self.n_spikes < FEWEST_SPIKES:
            raise FitError(
                f"The training data hold {self.n_spikes} spikes after the first 500 ms, at least "
                f"{FEWEST_SPIKES} are needed."
            )

    def maximise(
        self, starts: int | None = None, seed: int = 0, progress: Report | None = None
    ) -> tuple[Likelihood, Optimum]:
        """Check the model and the training data and find the maximum.

        Warns
        -----
        CoarseStepWarning
            If the time step is not small against the fastest time constant of the model.
        """
        warn_of_coarse_step(self.model, self.dt, stacklevel=4)  # names the caller of the fit
        self.require_training_data()
        return super().maximise(starts, seed, progress)

    @property
    def trains(self) -> list[np.ndarray]:
        """Spike times of each sweep in seconds, at the beginning of their steps."""
        return [np.flatnonzero(sweep.spikes) * self.dt for sweep in self.sweeps]

    @property
    def n_spikes(self) -> int:
        """Number of spikes that enter the likelihood."""
        return sum(sweep.n_spikes for sweep in self.sweeps)

    @property
    def exposure(self) -> float:
        """Total time in seconds of the steps that enter the likelihood; refractory steps count."""
        return self._n_counted * self.dt

    @property
    def durations(self) -> list[float]:
        """Duration of each sweep in seconds. The test of a model that reads ``t`` begins at the end
        of the longest."""
        return [len(sweep.spikes) * self.dt for sweep in self.sweeps]

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self._dt

    @property
    def settings(self) -> dict[str, Any]:
        """The time step and the interval between the fitted voltages."""
        return {"dt": self.dt, "voltage": self.voltage}

    @property
    def _n_counted(self) -> int:
        return sum(int(np.sum(sweep.counted)) for sweep in self.sweeps)

    def null_log_likelihood(self, rate: float) -> float:
        """Log-likelihood under a homogeneous Poisson process in the same steps, in nats."""
        n_spikes, bins = self.n_spikes, self._n_counted
        return float(
            n_spikes * np.log(-np.expm1(-rate * self.dt)) - (bins - n_spikes) * rate * self.dt
        )

    def evaluate(
        self,
        z: np.ndarray,
        carry: Carry | None = None,
        step: np.ndarray | None = None,
        *,
        rough: bool = False,
    ) -> Evaluation:
        """Log-likelihood plus log prior and its derivatives, by one pass that starts from the end
        states of the previous pass."""
        start, tangents = self.passes.first_start(z) if carry is None else carry.moved(step)
        result = self.passes.derivatives(z, start, tangents)
        states, sensitivities = ROUGHLY_CONSISTENT if rough else CONSISTENT
        settled = not (result.mismatch > states or result.tangent_mismatch > sensitivities)
        carry = Carry(result.start, result.tangents)
        return self.with_prior(
            result.value, result.gradient, result.information, z, carry=carry, settled=settled
        )

    def rescaled_intervals(self, z: np.ndarray, seed: int = 0) -> np.ndarray:
        """Rescaled intervals, corrected for discrete time; see
        :func:`neurocode.statistics.time_rescaling.rescaled_intervals`."""
        if self.impossible:
            return np.empty(0)
        random = np.random.default_rng(seed)
        spikes = [
            sweep.spikes & counted
            for sweep, counted in zip(self.sweeps, self.passes.counted, strict=True)
        ]
        pairs = zip(self.passes.spike_probabilities(z), spikes, strict=True)
        return np.concatenate([np.empty(0), *(rescaled_intervals(p, s, random) for p, s in pairs)])

    def simulate(self, repeat: int, n: int, seed: int) -> list[np.ndarray]:
        """Spike times of runs under the current of a sweep, at the beginning of their steps."""
        return self._simulated(self.sweeps[repeat].current, n, seed)

    def predict(self, n: int, seed: int) -> list[np.ndarray]:
        """Spike times of runs under the mean of the recorded test currents, which differ only by
        the noise of the recording.

        Raises
        ------
        DataError
            If the repeats have no current or do not share one.
        """
        if self.test is None:
            return super().predict(n, seed)
        n_steps = len(self.sweeps[0].spikes)
        return self._simulated(
            on_grid(self.test.frozen_current, self.test.dt, self.dt, n_steps), n, seed
        )

    def _simulated(self, current: np.ndarray, n: int, seed: int) -> list[np.ndarray]:
        options = {"parameters": {}, "stimulus": current, "seed": seed, "t_start": self.t_start}
        return [
            steps * self.dt
            for steps in run_jax(self.model, self.dt, len(current), n, **options).spike_steps
        ]

    def goodness(self, z: np.ndarray) -> dict[str, float]:
        """Root mean square of the voltage residuals in volts, if the voltage was fitted too."""
        return (
            {"voltage_residual": self.passes.voltage_residual(z)} if self.passes.n_voltages else {}
        )

    def remarks(self) -> list[str]:
        """A remark if the cell bursts."""
        intervals = np.concatenate(
            [np.diff(np.flatnonzero(sweep.spikes)) * self.dt for sweep in self.sweeps]
        )
        short = float(np.mean(intervals < 10e-3)) if len(intervals) else 0.0
        return (
            [f"the cell bursts: {short:.0%} of its intervals are below 10 ms"]
            if short > BURSTING
            else []
        )

    def log_likelihood(self, z: np.ndarray) -> float:
        """Log-likelihood in nats at coordinates ``z``, with settled lanes."""
        return -np.inf if self.impossible else self.passes.log_likelihood(z)


def _require_escape_noise(model: NeuronModel, with_voltage: bool) -> None:
    if model.noise is None or model.has_diffusion:
        raise FitError(
            f"Model '{model.name}' cannot be fitted by clamped likelihood: it needs escape noise "
            f"and no xi."
        )
    if with_voltage and MEMBRANE_POTENTIAL not in model.states:
        raise FitError(
            f"Model '{model.name}' has no state '{MEMBRANE_POTENTIAL}' to compare with the "
            f"recorded voltage."
        )
    free = names_in(model.refractory) & set(model.free) if model.refractory else set()
    if free:
        raise FitError(
            f"The refractory period '{free.pop()}' has no gradient in discrete time; fix it for "
            f"the fit."
        )


def _refractory_steps(step: Step, values: dict) -> int:
    if step.program.refractory is None:
        return 0
    return int(timestep(evaluate(step.program.refractory, step.prepare(values)), step.dt))


def _exclude_refractory(sweep: Clamp, refractory_steps: int, dt: float) -> Clamp:
    """Exclude the steps within the refractory period from the likelihood of a sweep.

    Raises
    ------
    FitError
        If a recorded spike falls into one of them.
    """
    free = steps_since_spike(sweep.spikes) >= refractory_steps
    violations = np.flatnonzero(sweep.spikes & ~free)
    if violations.size:
        raise FitError(
            f"The spike at {violations[0] * dt:.4f} s follows its predecessor within the "
            f"refractory period of {refractory_steps * dt * 1e3:g} ms; shorten the period or check "
            f"the spike detection."
        )
    return replace(sweep, counted=sweep.counted & free)
