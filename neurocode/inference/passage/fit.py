"""Maximum likelihood of spike times under a diffusion to threshold."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import neo
import numpy as np
from scipy.stats import spearmanr

from neurocode.errors import FitError
from neurocode.inference.estimates import fitted_model, fitted_parameters, information_rank
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
from neurocode.inference.options import prior_width_of
from neurocode.inference.passage.equations import PassageEquations, passage_equations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.likelihood import PassageLikelihood
from neurocode.inference.passage.mesh import DEEPEST, EACH, FINE, Mesh
from neurocode.inference.passage.resolution import mesh_of
from neurocode.inference.passage.result import SpikeTimesResult
from neurocode.inference.passage.start import starting_models
from neurocode.inference.passage.verdict import data_verdicts, fit_verdicts, require_refractoriness
from neurocode.models.model import NeuronModel
from neurocode.recordings.trains import Trains
from neurocode.statistics.time_rescaling import uniform_test

#: Mesh of the starts, and intervals that they see.
ROUGH_CELLS, ROUGH_STEPS, ROUGH_INTERVALS = 8.0, 8.0, 500
#: Evaluations of a start in the first round and of the best in the second; gain of a step in nats at which it is done.
ROUNDS, ENOUGH_FOR_A_START = (8, 60), 0.03
#: Evaluations of a climb and gain of a step in nats from which Newton steps follow; the same for those; rounds of both.
MOST_EVALUATIONS, NEAR = 60, 1e-3
NEWTON_STEPS, ENOUGH = 8, 1e-4
MOST_ROUNDS = 8
#: A mesh is made anew when values call for so many times its cells.
TOO_COARSE = 1.2


def fit_spike_times(
    model: NeuronModel,
    spiketrains: neo.SpikeTrain | Sequence[neo.SpikeTrain] | Trains | np.ndarray,
    *,
    prior_width: float = 3.0,
    progress: Report | None = None,
) -> SpikeTimesResult:
    """Fit a neuron driven by white noise to spike times alone.

    The likelihood of an interval is the density with which the membrane potential, reset at the spike before, first passes the
    threshold: the solution of a Fokker-Planck equation. Adaptation and periodic or slow input enter through the state and the
    time at which each interval begins, so intervals need not be independent. Threshold and reset fix the scale of the potential and
    are not identifiable; nor are leak reversal and mean input apart.

    Parameters
    ----------
    model : NeuronModel
        A one-dimensional diffusion such as :func:`neurocode.models.lif_diffusive`; see :func:`passage_equations`. The start
        is derived from the intervals for the library's models and is the model's own values for others.
    spiketrains : neo.SpikeTrain, a sequence of them, Trains of one unit, or sorted times in seconds
        Several trains are repeats.
    prior_width : float
        Standard deviation of a weak normal prior around the start in unconstrained coordinates; infinite for none.
    progress : callable, optional
        Called with a phase, the log-likelihood and the number of evaluations.

    Returns
    -------
    SpikeTimesResult

    Raises
    ------
    FitError
        For a width of the prior that is not positive, fewer than 40 intervals, a fixed refractory period that intervals violate, a
        model without free parameters, or a likelihood without a curvature that can be measured.
    DataError
        For spike times that are not finite, not sorted or twice the same.
    ModelError
        For a model that is no one-dimensional diffusion to a threshold.

    Examples
    --------
    >>> import neurocode as nc
    >>> block = nc.simulate(nc.models.lif_diffusive(), duration=12, seed=1, engine="numba")
    >>> fit_spike_times(nc.models.lif_diffusive(), block.segments[0].spiketrains).converged
    True
    """
    began = time.perf_counter()
    prior_width = prior_width_of(prior_width)
    intervals = Intervals.of(spiketrains)
    if not model.free:
        raise FitError(f"Model '{model.name}' has no free parameter.")
    model = _bounded(model, intervals)
    equations = passage_equations(model)
    starts = starting_models(model, intervals)
    try:
        best = _search(starts, equations, intervals, prior_width, progress)
        likelihood, optimum = _climb(best, starts[0], equations, intervals, prior_width, progress)
        return _result(likelihood, optimum, intervals, prior_width, began)
    except np.linalg.LinAlgError:
        raise FitError(_refusal("The likelihood of the intervals has no finite curvature to climb on", intervals)) from None


def _bounded(model: NeuronModel, intervals: Intervals) -> NeuronModel:
    """The model with its refractory period below the shortest interval."""
    name = model.refractory
    if name is None:
        return model
    if name not in model.parameters or model.parameters[name].fixed:
        with_values = passage_equations(model).refractory_period(model.values)
        require_refractoriness(intervals, float(with_values))
        return model
    parameter = model.parameters[name]
    shortest = float(np.min(intervals.lengths)) * parameter.value / parameter.si if parameter.value else None
    low = parameter.bounds[0]
    high = min(parameter.bounds[1], shortest) if shortest is not None else parameter.bounds[1]
    if not low < high:
        require_refractoriness(intervals, parameter.si_bounds[0])
    bounded = replace(parameter, value=0.5 * (low + high), bounds=(low, high))
    return replace(model, parameters={**model.parameters, name: bounded})


def _refusal(what: str, intervals: Intervals) -> str:
    return "; ".join([what, *data_verdicts(intervals)]) + "."


def _search(
    starts: Sequence[NeuronModel],
    equations: PassageEquations,
    intervals: Intervals,
    prior_width: float,
    progress: Report | None,
) -> Ascent:
    """The rough ascent, on some of the intervals, that came highest."""
    some = intervals.part(ROUGH_INTERVALS)
    ascents = []
    for number, start in enumerate(starts, 1):
        mesh = mesh_of(start, equations, some, ROUGH_CELLS, ROUGH_STEPS)
        likelihood = PassageLikelihood(start, equations, some, mesh, prior_width=prior_width)
        ascent = Ascent(likelihood, likelihood.origin, reporter(f"start {number}", progress))
        ascent.climb(ROUNDS[0], ENOUGH_FOR_A_START)
        ascents.append(ascent)
    best = max(ascents, key=lambda ascent: ascent.point.log_likelihood)
    best.climb(ROUNDS[1], ENOUGH_FOR_A_START)
    if not np.isfinite(best.point.log_likelihood):
        raise FitError(_refusal("No start gives the intervals a finite likelihood", intervals))
    return best


def _climb(
    rough: Ascent,
    origin: NeuronModel,
    equations: PassageEquations,
    intervals: Intervals,
    prior_width: float,
    progress: Report | None,
) -> tuple[PassageLikelihood, Optimum]:
    """The maximum on all intervals and the curvature there.

    The way is made on the plain solution, a fifth of the work; its curvature there serves the last steps, on the extrapolated one.
    """
    cells, steps = FINE if equations.constant else EACH

    def wanted(z: np.ndarray) -> Mesh:
        return mesh_of(fitted_model(origin, rough.likelihood.values_at(z)), equations, intervals, cells, steps)

    def on(mesh: Mesh, extrapolate: bool) -> PassageLikelihood:
        return PassageLikelihood(origin, equations, intervals, mesh, extrapolate=extrapolate, prior_width=prior_width)

    exact = False
    likelihood = on(wanted(rough.point.z), exact)
    curvature = rough.observed_information() * intervals.n_observed / rough.likelihood.n_spikes
    ascent = Ascent(likelihood, rough.point.z, reporter("refining", progress))
    if is_concave(curvature):
        ascent.secant = curvature - ascent.point.information
    information, decrement = ascent.point.information, np.inf
    for _ in range(MOST_ROUNDS):
        ascent.climb(ascent.passes + MOST_EVALUATIONS, NEAR)
        mesh, now = wanted(ascent.point.z), likelihood.mesh
        if mesh.cells > TOO_COARSE * now.cells or mesh.below > TOO_COARSE * now.below:
            likelihood = on(mesh, exact)
            ascent = Ascent(likelihood, ascent.point.z, reporter("refining", progress))
            continue
        information = left_to_prior(ascent.observed_information(), likelihood.prior_precision)
        if not exact:
            exact, likelihood = True, on(now, True)
            ascent = Ascent(likelihood, ascent.point.z, reporter("refining", progress))
        ascent.secant, ascent.radius = information - ascent.point.information, FIRST_RADIUS
        ascent.climb(ascent.passes + NEWTON_STEPS, ENOUGH, learn=False)
        decrement = newton_decrement(ascent.point.gradient, information)
        if decrement < CONVERGED:
            break
    point, converged = ascent.point, bool(decrement < CONVERGED)
    return likelihood, Optimum(point.z, point.log_likelihood, point.gradient, information, converged, decrement, ascent.passes)


def _result(
    likelihood: PassageLikelihood, optimum: Optimum, intervals: Intervals, prior_width: float, began: float
) -> SpikeTimesResult:
    solution = likelihood.solution(optimum.z)
    observed = intervals.observed
    log_likelihood = float(np.sum(solution.contributions(observed)))
    fitted = fitted_model(likelihood.model, likelihood.values_at(optimum.z))
    uniform = -np.expm1(solution.log_survival[observed])
    rescaling = uniform_test(uniform)
    dependence, dependence_p = _dependence(uniform, intervals)
    rate = intervals.n_observed / float(np.sum(intervals.duration))
    poisson = intervals.n_observed * (np.log(rate) - 1.0)
    message = "converged" if optimum.converged else "not converged"
    message = f"{message}: a full Newton step is expected to gain {optimum.decrement:.1e} nats"
    bottomless = likelihood.mesh.below >= 0.99 * DEEPEST / likelihood.mesh.width
    verdicts = data_verdicts(intervals)
    verdicts += fit_verdicts(rescaling.passed, dependence, dependence_p, optimum.converged, message, bottomless)
    n_free = len(optimum.z)
    return SpikeTimesResult(
        model=fitted,
        parameters=fitted_parameters(
            fitted, optimum.z, optimum.information, likelihood.coordinates.slope(optimum.z), likelihood.values_at, prior_width
        ),
        log_likelihood=log_likelihood,
        bic=n_free * np.log(intervals.n_observed) - 2 * log_likelihood,
        bits_per_spike=(log_likelihood - poisson) / intervals.n_observed / np.log(2),
        training_rate=rate,
        converged=optimum.converged,
        message=message,
        gradient_norm=float(np.linalg.norm(optimum.gradient)),
        n_spikes=intervals.n_observed,
        dt=likelihood.mesh.step,
        duration=float(np.sum(intervals.duration)),
        seconds=time.perf_counter() - began,
        seed=0,
        rank=information_rank(optimum.information - likelihood.prior_precision * np.eye(n_free)),
        rescaling=rescaling,
        dependence=dependence,
        dependence_p=dependence_p,
        verdicts=tuple(verdicts),
    )


def _dependence(uniform: np.ndarray, intervals: Intervals) -> tuple[float, float]:
    """Rank correlation of rescaled intervals that follow one another, and its p-value."""
    indices = np.flatnonzero(intervals.observed)
    neighbours = (np.diff(indices) == 1) & ~intervals.first[indices[1:]]
    if np.sum(neighbours) < 10:
        return 0.0, 1.0
    test = spearmanr(uniform[:-1][neighbours], uniform[1:][neighbours])
    return float(test.statistic), float(test.pvalue)
