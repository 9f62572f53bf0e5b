"""Likelihood of spike times under a diffusion to threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Self

import neo
import numpy as np
from scipy.stats import spearmanr

from neurocode.errors import FitError
from neurocode.inference.estimates import fitted_model
from neurocode.inference.likelihood import Block, Likelihood
from neurocode.inference.objective import Evaluation
from neurocode.inference.optimise import Optimum, Report
from neurocode.inference.passage.climb import maximum
from neurocode.inference.passage.equations import PassageEquations, passage_equations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.mesh import DEEPEST, EACH, FINE, ROUGH, Mesh
from neurocode.inference.passage.resolution import mesh_of
from neurocode.inference.passage.solution import Parameters, Plan, Solution, solve
from neurocode.inference.passage.start import bounded, starting_models
from neurocode.inference.passage.verdict import data_verdicts, fit_verdicts, refusal
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment
from neurocode.simulation.simulate import simulate
from neurocode.statistics.time_rescaling import uniform_test

#: Number of intervals that the starts of a fit use.
ROUGH_INTERVALS = 500
#: Time step of simulations of the model in seconds, and its largest share of a mean interval.
SIMULATION_DT, SHARE_OF_INTERVAL = 1e-4, 0.02


class PassageLikelihood(Likelihood):
    """Log-likelihood of interspike intervals, each given the spikes before it, with its exact
    gradient.

    The last interval of a train, which no spike ends, contributes its survival probability. The
    information is the sum of the outer products of the scores of the intervals (Berndt, Hall, Hall
    & Hausman 1974).

    Parameters
    ----------
    model : NeuronModel
        The likelihood is a function of its free parameters, as :class:`Coordinates`.
    equations : PassageEquations
        First-passage problem of the model.
    intervals : Intervals
    mesh : Mesh
    extrapolate : bool
        Whether to extrapolate to cells of zero width; see :func:`solve`.
    prior_width : float
        Standard deviation of a normal prior around the model's values in unconstrained coordinates.
    counted : numpy.ndarray of bool, optional
        Which intervals enter the likelihood; by default all. An interval that does not enter still
        belongs to the history of the next.
    """

    name = "passage"
    options = ()
    refuses = (
        "it is a diffusion to threshold, whose fit starts from the intervals, chooses its "
        "own time steps and sees no voltage"
    )

    def __init__(
        self,
        model: NeuronModel,
        equations: PassageEquations,
        intervals: Intervals,
        mesh: Mesh,
        *,
        extrapolate: bool = False,
        prior_width: float = np.inf,
        counted: np.ndarray | None = None,
    ) -> None:
        super().__init__(model, prior_width)
        self.equations, self.intervals, self.mesh = equations, intervals, mesh
        self.counted = np.ones(len(intervals.start), bool) if counted is None else counted
        self.extrapolate = extrapolate
        self.fixed = Parameters.of(model).fixed

    @cached_property
    def plan(self) -> Plan:
        """The plan of the solution. It is made on first use, because a likelihood may only serve to
        make one on another mesh."""
        return Plan.of(self.equations, self.intervals, self.mesh)

    @cached_property
    def finer(self) -> Plan | None:
        """The refined plan with half the time step, if the solution is extrapolated."""
        return self.plan.finer(self.intervals) if self.extrapolate else None

    @classmethod
    def takes(cls, model: NeuronModel, data: object) -> bool:
        """True for a model with white noise and without escape noise."""
        return model.noise is None and model.has_diffusion

    @classmethod
    def of(cls, model: NeuronModel, data: object, *, prior_width: float = np.inf) -> Self:
        """Likelihood of spike times on a rough mesh. For the models of the library, the prior is
        centred on values that the spike times suggest."""
        intervals = Intervals.of(_spike_times(model, data))
        model = starting_models(bounded(model, intervals), intervals)[0]
        equations = passage_equations(model)
        return cls(
            model,
            equations,
            intervals,
            mesh_of(model, equations, intervals, *ROUGH),
            prior_width=prior_width,
        )

    @classmethod
    def of_test(cls, model: NeuronModel, data: object, *, after: float = 0.0) -> Self:
        """Likelihood of test spikes at the model's own values."""
        intervals = Intervals.of(_spike_times(model, data), fewest=1)
        equations = passage_equations(model)
        return cls(model, equations, intervals, mesh_of(model, equations, intervals, *ROUGH))

    def with_model(self, model: NeuronModel) -> Self:
        """The likelihood of the same intervals under another model, without a prior."""
        return self._under(model, self.intervals)

    def with_spikes(self, trains: Sequence[np.ndarray]) -> Self:
        """The likelihood of other spikes in repeats with the same ends."""
        repeats = [
            neo.SpikeTrain(train, units="s", t_stop=stop)
            for train, stop in zip(trains, self.intervals.stops, strict=True)
        ]
        return self._under(self.model, Intervals.of(repeats), self.prior_width)

    def _under(self, model: NeuronModel, intervals: Intervals, prior_width: float = np.inf) -> Self:
        equations = passage_equations(model)
        mesh = mesh_of(model, equations, intervals, *_accuracy(equations))
        return type(self)(
            model, equations, intervals, mesh, extrapolate=True, prior_width=prior_width
        )

    def on(self, mesh: Mesh, *, extrapolate: bool) -> Self:
        """The same likelihood on another mesh."""
        options = {
            "extrapolate": extrapolate,
            "prior_width": self.prior_width,
            "counted": self.counted,
        }
        return type(self)(self.model, self.equations, self.intervals, mesh, **options)

    def started(self, model: NeuronModel) -> Self:
        """The likelihood of the first intervals on a rough mesh, at the values of a start."""
        first_intervals = self.intervals.part(ROUGH_INTERVALS)
        return type(self)(
            model,
            self.equations,
            first_intervals,
            mesh_of(model, self.equations, first_intervals, *ROUGH),
            prior_width=self.prior_width,
        )

    def fine_mesh(self, z: np.ndarray) -> Mesh:
        """The mesh that the values at ``z`` need so that standard errors do not depend on it."""
        model = fitted_model(self.model, self.values_at(z))
        return mesh_of(model, self.equations, self.intervals, *_accuracy(self.equations))

    def resolved(self, z: np.ndarray) -> Self:
        """The same likelihood, extrapolated, on a mesh that is fine enough for the values at
        ``z``."""
        return self.on(self.fine_mesh(z), extrapolate=True)

    def without(self, block: Block) -> tuple[Self, Self]:
        """The likelihoods of the intervals that end outside a block of time and of those that end
        inside it, on the same mesh and with the same prior."""
        ends = self.intervals.start + self.intervals.duration
        parts = zip(self.intervals.repeats, self.intervals.stops, strict=True)
        inside = np.concatenate([block.holds_times(ends[part], stop) for part, stop in parts])

        def of(chosen: np.ndarray) -> Self:
            return type(self)(
                self.model,
                self.equations,
                self.intervals,
                self.mesh,
                extrapolate=self.extrapolate,
                prior_width=self.prior_width,
                counted=self.counted & chosen,
            )

        return of(~inside), of(inside)

    def maximise(
        self, starts: int | None = None, seed: int = 0, progress: Report | None = None
    ) -> tuple[Likelihood, Optimum]:
        """Find the maximum from starts that the intervals suggest, on meshes that are refined
        during the ascent.

        Raises
        ------
        FitError
            If the likelihood or its curvature is not finite.
        """
        try:
            return maximum(self, starting_models(self.model, self.intervals), progress)
        except np.linalg.LinAlgError:
            raise refusal(
                "The likelihood of the intervals has no finite curvature to climb on",
                self.intervals,
            ) from None

    @property
    def trains(self) -> list[np.ndarray]:
        """Spike times of each repeat that holds a spike, in seconds."""
        return self.intervals.trains

    @property
    def n_spikes(self) -> int:
        """Number of intervals that a spike ends."""
        return int(np.sum(self.intervals.observed & self.counted))

    @property
    def exposure(self) -> float:
        """Total duration of the intervals in seconds."""
        return float(np.sum(self.intervals.duration[self.counted]))

    @property
    def durations(self) -> list[float]:
        """End of each repeat that holds a spike, in seconds."""
        return self.intervals.stops

    @property
    def duration(self) -> float:
        """Total duration of the intervals in seconds."""
        return self.exposure

    @property
    def dt(self) -> float:
        """Time step of the mesh in seconds."""
        return self.mesh.step

    def parameters_at(self, z: np.ndarray) -> Parameters:
        """Parameters at coordinates ``z``."""
        values = self.values_at(z)
        return Parameters(tuple(values), np.array(list(values.values())), self.fixed)

    def solution(self, z: np.ndarray) -> Solution:
        """Densities and survival probabilities of the intervals at coordinates ``z``."""
        return solve(self.equations, self.parameters_at(z), self.intervals, self.plan, self.finer)

    def log_likelihood(self, z: np.ndarray) -> float:
        """Log-likelihood in nats without the prior, with densities per second."""
        return float(np.sum(self.solution(z).contributions(self.intervals.observed)[self.counted]))

    def null_log_likelihood(self, rate: float) -> float:
        """Log-likelihood under a homogeneous Poisson process in nats, with densities per second."""
        return self.n_spikes * float(np.log(rate)) - rate * self.exposure

    def evaluate(
        self,
        z: np.ndarray,
        carry: None = None,
        step: np.ndarray | None = None,
        *,
        rough: bool = False,
    ) -> Evaluation:
        """Log-likelihood plus log prior, with the gradient and the information of the scores."""
        solution, observed = self.solution(z), self.intervals.observed
        scores = (solution.scores(observed) * self.coordinates.slope(z))[self.counted]
        # a trial point may make an interval impossible
        with np.errstate(over="ignore", invalid="ignore"):
            information = scores.T @ scores
        value = float(np.sum(solution.contributions(observed)[self.counted]))
        return self.with_prior(value, np.sum(scores, axis=0), information, z)

    def rescaled_intervals(self, z: np.ndarray, seed: int = 0) -> np.ndarray:
        """Interspike intervals, each mapped by its distribution function under the model."""
        return -np.expm1(self.solution(z).log_survival[self.intervals.observed & self.counted])

    def simulate(self, repeat: int, n: int, seed: int) -> list[np.ndarray]:
        """Spike times of ``n`` runs that are as long as a repeat."""
        dt = simulation_step(self.rate)
        block = simulate(
            self.model, duration=self.durations[repeat], dt=dt, trials=n, seed=seed, engine="numba"
        )
        return [segment.spiketrains[0].magnitude for segment in block.segments]

    def goodness(self, z: np.ndarray) -> dict[str, Any]:
        """Time rescaling of the intervals, and the rank correlation of neighbouring rescaled
        intervals with its p-value."""
        uniform = self.rescaled_intervals(z)
        dependence, dependence_p = _dependence(uniform, self.intervals)
        return {
            "rescaling": uniform_test(uniform),
            "dependence": dependence,
            "dependence_p": dependence_p,
        }

    def verdicts(self, optimum: Optimum, goodness: Mapping[str, Any]) -> list[str]:
        """Reasons in the intervals and in the fit against a neuron that fires at threshold."""
        bottomless = self.mesh.below >= 0.99 * DEEPEST / self.mesh.width
        return data_verdicts(self.intervals) + fit_verdicts(optimum, goodness, bottomless)


def simulation_step(rate: float) -> float:
    """Return the time step in seconds for simulations of a neuron that fires at a rate in hertz."""
    return min(SIMULATION_DT, SHARE_OF_INTERVAL / rate)


def _accuracy(equations: PassageEquations) -> tuple[float, float]:
    return FINE if equations.constant else EACH


def _spike_times(model: NeuronModel, data: object) -> Any:
    if not isinstance(data, Experiment):
        return data
    if any(repeat.current is not None for repeat in data.repeats):
        raise FitError(
            f"Model '{model.name}' is a diffusion to threshold; it is fitted to spike times "
            f"without a current."
        )
    return [
        neo.SpikeTrain(repeat.spike_times, units="s", t_stop=repeat.duration)
        for repeat in data.repeats
    ]


def _dependence(uniform: np.ndarray, intervals: Intervals) -> tuple[float, float]:
    """Return the rank correlation of neighbouring rescaled intervals, and its p-value."""
    indices = np.flatnonzero(intervals.observed)
    neighbours = (np.diff(indices) == 1) & ~intervals.first[indices[1:]]
    if np.sum(neighbours) < 10:
        return 0.0, 1.0
    test = spearmanr(uniform[:-1][neighbours], uniform[1:][neighbours])
    return float(test.statistic), float(test.pvalue)
