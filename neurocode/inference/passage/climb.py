"""The maximisation of a likelihood that is solved on a mesh, which is refined where the parameter
values require it."""

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

#: Evaluations of each start in the first round and of the best start in the second, and the
#: expected gain of a step in nats below which a start stops.
ROUNDS, ENOUGH_FOR_A_START = (8, 60), 0.03
#: Evaluations of a climb, and the expected gain of a step in nats below which Newton steps follow.
MOST_EVALUATIONS, NEAR = 60, 1e-3
#: Newton steps after a climb, and the expected gain of a step in nats below which they stop.
NEWTON_STEPS, ENOUGH = 8, 1e-4
#: Rounds of a climb and Newton steps.
MOST_ROUNDS = 8
#: A mesh is replaced if the parameter values need more than this many times its cells.
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
        """Number of intervals that a spike ends."""
        ...

    def values_at(self, z: np.ndarray) -> dict[str, float]:
        """Parameters at coordinates ``z``."""
        ...

    def started(self, model: NeuronModel) -> Self:
        """The likelihood of some of the intervals on a rough mesh, at the values of a start."""
        ...

    def on(self, mesh: Mesh, *, extrapolate: bool) -> Self:
        """The same likelihood on another mesh."""
        ...

    def fine_mesh(self, z: np.ndarray) -> Mesh:
        """The mesh that the parameter values at ``z`` need."""
        ...


Likelihood = TypeVar("Likelihood", bound=Meshed)


def maximum(
    likelihood: Likelihood, starts: Sequence[NeuronModel], progress: Report | None
) -> tuple[Likelihood, Optimum]:
    """Return the likelihood on its last mesh, and its maximum.

    Raises
    ------
    FitError
        If no start has a finite likelihood.
    numpy.linalg.LinAlgError
        If the curvature of the likelihood is not finite.
    """
    rough, best = _best_start(likelihood, starts, progress)
    return _climb(likelihood, rough, best, progress)


def _best_start(
    likelihood: Meshed, starts: Sequence[NeuronModel], progress: Report | None
) -> tuple[Meshed, Ascent]:
    """Return the rough likelihood of some of the intervals and the ascent on it with the highest
    log-likelihood."""
    ascents = []
    for number, start in enumerate(starts, 1):
        rough = likelihood.started(start)
        ascent = Ascent(rough, rough.origin, reporter(f"start {number}", progress))
        ascent.climb(ROUNDS[0], ENOUGH_FOR_A_START)
        ascents.append((rough, ascent))
    rough, best = max(ascents, key=lambda pair: pair[1].point.log_likelihood)
    best.climb(ROUNDS[1], ENOUGH_FOR_A_START)
    if not np.isfinite(best.point.log_likelihood):
        raise refusal("No start gives the intervals a finite likelihood", likelihood.intervals)
    return rough, best


def _climb(
    likelihood: Likelihood, rough: Meshed, best: Ascent, progress: Report | None
) -> tuple[Likelihood, Optimum]:
    """Find the maximum of the likelihood of all intervals and its curvature there.

    The ascent runs on the plain solution, which takes a fifth of the work of the extrapolated one.
    Only the last steps, which use the curvature of the plain solution, run on the extrapolated one.

    Notes
    -----
    Let ``l(z)`` be the log-likelihood plus log prior on a mesh, ``g`` its gradient and ``F`` the
    information of the scores. The ascent begins at the end ``z_0`` of the rough ascent on ``n_0``
    of the ``n`` intervals. The information ``J_0`` observed there sets the secant correction ``S``
    at the start, unless it has a negative direction::

        S = (n / n_0) J_0(z_0) - F(z_0)

    Each round has four parts:

    1. A climb with trust-region steps ``s``, which maximise ``g s - s (F + S) s / 2``, until a step
       is expected to gain less than ``NEAR`` nats.
    2. A new mesh and a new climb, if the values reached need more than ``TOO_COARSE`` times the
       cells.
    3. The observed information ``J = -d^2 l/dz^2`` at the point reached, by differences of the
       gradient; directions in which the log-likelihood of the data curves upwards get the
       information of the prior alone.
    4. Newton steps ``s = J^(-1) g`` with this fixed ``J`` on the extrapolated solution, until a
       step is expected to gain less than ``ENOUGH`` nats.

    The fit has converged if a full Newton step is then expected to gain little::

        g J^(-1) g / 2 < CONVERGED
    """
    curvature = best.observed_information() * likelihood.n_spikes / rough.n_spikes
    first = likelihood.coordinates.to_coordinates(
        {**likelihood.model.values, **rough.values_at(best.point.z)}
    )
    exact, likelihood = False, likelihood.on(likelihood.fine_mesh(first), extrapolate=False)
    ascent = Ascent(likelihood, first, reporter("refining", progress))
    if is_concave(curvature):
        ascent.secant = curvature - ascent.point.information
    information, decrement = ascent.point.information, np.inf
    for _ in range(MOST_ROUNDS):
        ascent.climb(ascent.passes + MOST_EVALUATIONS, NEAR)
        needed, mesh = likelihood.fine_mesh(ascent.point.z), likelihood.mesh
        if needed.cells > TOO_COARSE * mesh.cells or needed.below > TOO_COARSE * mesh.below:
            likelihood = likelihood.on(needed, extrapolate=exact)
            ascent = Ascent(likelihood, ascent.point.z, reporter("refining", progress))
            continue
        information = left_to_prior(ascent.observed_information(), likelihood.prior_precision)
        if not exact:
            exact, likelihood = True, likelihood.on(mesh, extrapolate=True)
            ascent = Ascent(likelihood, ascent.point.z, reporter("refining", progress))
        ascent.secant, ascent.radius = information - ascent.point.information, FIRST_RADIUS
        ascent.climb(ascent.passes + NEWTON_STEPS, ENOUGH, learn=False)
        decrement = newton_decrement(ascent.point.gradient, information)
        if decrement < CONVERGED:
            break
    return likelihood, Optimum.reached(ascent, information, bool(decrement < CONVERGED), decrement)
