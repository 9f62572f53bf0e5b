"""Likelihood of spike times under a diffusion to threshold."""

from __future__ import annotations

import numpy as np

from neurocode.inference.clamped.likelihood import Derivatives
from neurocode.inference.coordinates import Coordinates
from neurocode.inference.passage.equations import PassageEquations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.mesh import Mesh
from neurocode.inference.passage.solution import Parameters, Plan, Solution, solve
from neurocode.models.model import NeuronModel


class PassageLikelihood:
    """Log-likelihood of interspike intervals, each given the spikes before it, with its exact gradient.

    The last interval of a train, which no spike ends, enters by its survival probability. The information is that
    of the scores of the intervals (Berndt, Hall, Hall & Hausman 1974).

    Parameters
    ----------
    model : NeuronModel
        Its free parameters are the arguments, as :class:`Coordinates`.
    equations : PassageEquations
        Those of the model.
    intervals : Intervals
    mesh : Mesh
    extrapolate : bool
        See :func:`solve`.
    prior_width : float
        Standard deviation of a normal prior around the model's values in unconstrained coordinates.
    """

    def __init__(
        self,
        model: NeuronModel,
        equations: PassageEquations,
        intervals: Intervals,
        mesh: Mesh,
        *,
        extrapolate: bool = False,
        prior_width: float = np.inf,
    ) -> None:
        self.model, self.equations, self.intervals, self.mesh = model, equations, intervals, mesh
        self.plan = Plan.of(equations, intervals, mesh)
        self.finer = self.plan.finer(intervals) if extrapolate else None
        self.coordinates = Coordinates.of(model)
        self.prior_precision = 1.0 / prior_width**2
        self.origin = self.coordinates.to_coordinates(model.values)
        self.fixed = Parameters.of(model).fixed

    @property
    def n_spikes(self) -> int:
        """Number of intervals that a spike ends."""
        return self.intervals.n_observed

    def parameters_at(self, z: np.ndarray) -> Parameters:
        """Parameters at coordinates ``z``."""
        values = self.values_at(z)
        return Parameters(tuple(values), np.array(list(values.values())), self.fixed)

    def values_at(self, z: np.ndarray) -> dict[str, float]:
        """Free parameters in SI at coordinates ``z``."""
        return self.coordinates.numbers(z)

    def solution(self, z: np.ndarray) -> Solution:
        """Densities and survival probabilities of the intervals at coordinates ``z``."""
        return solve(self.equations, self.parameters_at(z), self.intervals, self.plan, self.finer)

    def log_likelihood(self, z: np.ndarray) -> float:
        """In nats, densities per second, without the prior."""
        return float(np.sum(self.solution(z).contributions(self.intervals.observed)))

    def first_start(self, z: np.ndarray) -> tuple[dict, dict]:
        """Nothing: this likelihood has no state that passes from one evaluation to the next."""
        return {}, {}

    def derivatives(self, z: np.ndarray, start: dict, tangents: dict) -> Derivatives:
        """Log-likelihood and log prior, their gradient, and the information of the scores."""
        solution, observed = self.solution(z), self.intervals.observed
        scores = solution.scores(observed) * self.coordinates.slope(z)
        away = z - self.origin
        with np.errstate(over="ignore", invalid="ignore"):  # where a trial point makes an interval impossible
            information = scores.T @ scores + self.prior_precision * np.eye(len(z))
        return Derivatives(
            float(np.sum(solution.contributions(observed))) - 0.5 * self.prior_precision * float(away @ away),
            np.sum(scores, axis=0) - self.prior_precision * away,
            information,
            start, tangents, 0.0, 0.0,
        )  # fmt: skip
