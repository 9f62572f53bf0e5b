"""The way to the maximum of a likelihood that is solved on a mesh, made finer where the values call
for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self, TypeVar

import numpy as np

from neurocode.inference.coordinates import Coordinates
from neurocode.inference.objective import Objective
from neurocode.inference.optimise import (
    CONVERGED,
    FIRST_RADIUS,
    Ascent,
    Optimum,
    Report,
    is_concave,
    left_to_prior,
    newton_decrement,
    reporter,
)
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.mesh import Mesh
from neurocode.inference.passage.verdict import refusal
from neurocode.models.model import NeuronModel

#: Evaluations of a start in the first round and of the best in the second; gain of a step in nats
#: at which it is done.
ROUNDS, ENOUGH_FOR_A_START = (8, 60), 0.03
#: Evaluations of a climb and gain of a step in nats from which Newton steps follow; the same for
#: those; rounds of both.
MOST_EVALUATIONS, NEAR = 60, 1e-3
NEWTON_STEPS, ENOUGH = 8, 1e-4
MOST_ROUNDS = 8
#: A mesh is made anew when values call for so many times its cells.
TOO_COARSE = 1.2


class Meshed(Objective, Protocol):
    """A likelihood of intervals on a mesh."""

    model: NeuronModel
    intervals: Intervals
    mesh: Mesh
    coordinates: Coordinates
    origin: np.ndarray
    prior_precision: float

    @property
    def n_spikes(self) -> int:
        """Intervals that a spike ends."""

    def values_at(self, z: np.ndarray) -> dict[str, float]:
        """Parameters at coordinates ``z``."""

    def started(self, model: NeuronModel) -> Self:
        """Some of the intervals on a rough mesh, at the values of a start."""

    def on(self, mesh: Mesh, *, extrapolate: bool) -> Self:
        """The same likelihood on another mesh."""

    def fine_mesh(self, z: np.ndarray) -> Mesh:
        """The mesh that values at ``z`` need."""


Likelihood = TypeVar("Likelihood", bound=Meshed)


def maximum(
    likelihood: Likelihood, starts: Sequence[NeuronModel], progress: Report | None
) -> tuple[Likelihood, Optimum]:
    """The likelihood on its last mesh, and its maximum.

    Raises
    ------
    FitError
        If no start has a finite likelihood.
    numpy.linalg.LinAlgError
        If there is no finite curvature.
    """
    best = _best_start(likelihood, starts, progress)
    return _climb(likelihood, best, progress)


def _best_start(
    likelihood: Meshed, starts: Sequence[NeuronModel], progress: Report | None
) -> Ascent:
    """The rough ascent, on some of the intervals, that came highest."""
    ascents = []
    for number, start in enumerate(starts, 1):
        rough = likelihood.started(start)
        ascent = Ascent(rough, rough.origin, reporter(f"start {number}", progress))
        ascent.climb(ROUNDS[0], ENOUGH_FOR_A_START)
        ascents.append(ascent)
    best = max(ascents, key=lambda ascent: ascent.point.log_likelihood)
    best.climb(ROUNDS[1], ENOUGH_FOR_A_START)
    if not np.isfinite(best.point.log_likelihood):
        raise refusal("No start gives the intervals a finite likelihood", likelihood.intervals)
    return best


def _climb(
    likelihood: Likelihood, rough: Ascent, progress: Report | None
) -> tuple[Likelihood, Optimum]:
    """The maximum on all intervals and the curvature there.

    The way is made on the plain solution, a fifth of the work; its curvature there serves the last
    steps, on the extrapolated one.
    """
    curvature = rough.observed_information() * likelihood.n_spikes / rough.likelihood.n_spikes
    first = likelihood.coordinates.to_coordinates(
        {**likelihood.model.values, **rough.likelihood.values_at(rough.point.z)}
    )
    exact, likelihood = False, likelihood.on(likelihood.fine_mesh(first), extrapolate=False)
    ascent = Ascent(likelihood, first, reporter("refining", progress))
    if is_concave(curvature):
        ascent.secant = curvature - ascent.point.information
    information, decrement = ascent.point.information, np.inf
    for _ in range(MOST_ROUNDS):
        ascent.climb(ascent.passes + MOST_EVALUATIONS, NEAR)
        wanted, now = likelihood.fine_mesh(ascent.point.z), likelihood.mesh
        if wanted.cells > TOO_COARSE * now.cells or wanted.below > TOO_COARSE * now.below:
            likelihood = likelihood.on(wanted, extrapolate=exact)
            ascent = Ascent(likelihood, ascent.point.z, reporter("refining", progress))
            continue
        information = left_to_prior(ascent.observed_information(), likelihood.prior_precision)
        if not exact:
            exact, likelihood = True, likelihood.on(now, extrapolate=True)
            ascent = Ascent(likelihood, ascent.point.z, reporter("refining", progress))
        ascent.secant, ascent.radius = information - ascent.point.information, FIRST_RADIUS
        ascent.climb(ascent.passes + NEWTON_STEPS, ENOUGH, learn=False)
        decrement = newton_decrement(ascent.point.gradient, information)
        if decrement < CONVERGED:
            break
    point, converged = ascent.point, bool(decrement < CONVERGED)
    return likelihood, Optimum(
        point.z,
        point.log_likelihood,
        point.gradient,
        information,
        converged,
        decrement,
        ascent.passes,
    )
