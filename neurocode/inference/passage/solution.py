"""First-passage densities of a set of intervals, with derivatives by the parameters of the
model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.passage.coefficients import SHORTEST, Coefficients, Layout, coefficients
from neurocode.inference.passage.equations import PassageEquations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.kernel import propagate
from neurocode.inference.passage.mesh import Mesh, halved, richardson_weight
from neurocode.models.model import NeuronModel

Array = jax.Array
Slopes = np.ndarray

#: Smaller fluxes and survival probabilities count as underflow.
SMALLEST = 1e-280
#: Logarithms that differ by this between two meshes get half of the extrapolation.
FAR_APART = 2.0


@dataclass(frozen=True)
class Parameters:
    """Parameter values of a model in SI units, split into those for which derivatives are computed
    and the fixed rest."""

    free: tuple[str, ...]
    x: np.ndarray
    fixed: dict[str, float]

    @classmethod
    def of(cls, model: NeuronModel, free: tuple[str, ...] | None = None) -> Parameters:
        """Split the values of a model into its free parameters, or those in ``free``, and the
        rest."""
        names = model.free if free is None else free
        values = {name: float(value) for name, value in model.values.items()}
        return cls(names, np.array([values.pop(name) for name in names]), values)


@dataclass(frozen=True)
class Solution:
    """Logarithms of density (per second) and survival probability of each interval, with their
    derivatives by the free parameters.

    Attributes
    ----------
    log_density, log_survival : numpy.ndarray (intervals,)
    density_slopes, survival_slopes : numpy.ndarray (intervals, parameters)
    """

    log_density: np.ndarray
    log_survival: np.ndarray
    density_slopes: Slopes
    survival_slopes: Slopes

    def contributions(self, observed: np.ndarray) -> np.ndarray:
        """Log-likelihood of each interval: its log density if a spike ends it, otherwise its log
        survival probability."""
        return np.where(observed, self.log_density, self.log_survival)

    def scores(self, observed: np.ndarray) -> np.ndarray:
        """Derivatives of the contributions with respect to the free parameters."""
        return np.where(observed[:, None], self.density_slopes, self.survival_slopes)


@dataclass(frozen=True)
class Plan:
    """A mesh and the time steps of every passage on it.

    Attributes
    ----------
    nodes : Mesh
        The mesh at the ends of whose time steps densities are read.
    mesh : Mesh
        The mesh on which the equation is solved: ``nodes`` or its refinement.
    shares : tuple of numpy.ndarray
        For each interval the ends of its time steps as fractions of the passage; empty if all
        intervals share one passage.
    layout : Layout
        Positions and times at which the coefficients of the equation are needed.
    """

    nodes: Mesh
    mesh: Mesh
    shares: tuple[np.ndarray, ...]
    layout: Layout

    @classmethod
    def of(cls, equations: PassageEquations, intervals: Intervals, mesh: Mesh) -> Plan:
        """Make the plan for intervals on a mesh."""
        shares = (
            ()
            if equations.constant
            else tuple(mesh.shares(length) for length in intervals.duration)
        )
        return cls(mesh, mesh, shares, Layout.at(mesh.faces, intervals, shares))

    @property
    def halves(self) -> bool:
        """Whether the time steps are half as long as those of ``nodes``."""
        return self.mesh is not self.nodes

    def finer(self, intervals: Intervals) -> Plan:
        """Return the plan with cells about half as wide and steps half as long, whose densities are
        read at the same times."""
        mesh, shares = self.mesh.finer(), tuple(halved(ends) for ends in self.shares)
        return Plan(self.nodes, mesh, shares, Layout.at(mesh.faces, intervals, shares))


def solve(
    equations: PassageEquations,
    parameters: Parameters,
    intervals: Intervals,
    plan: Plan,
    finer: Plan | None = None,
) -> Solution:
    """Compute density and survival probability of every interval given the spikes before it.

    Parameters
    ----------
    equations : PassageEquations
    parameters : Parameters
    intervals : Intervals
    plan : Plan
    finer : Plan, optional
        Refined plan. If it is given, the equation is solved on both and extrapolated (Richardson),
        so that errors fall with the fourth power of the cell width.
    """
    plans = [plan] if finer is None else [plan, finer]
    with jax.enable_x64(True):
        x = jnp.asarray(parameters.x)
        tables = [
            coefficients(equations, parameters.free, x, parameters.fixed, p.layout) for p in plans
        ]
        tables = jax.tree.map(np.asarray, tables)
    return solution_of(tables, intervals, plans)


def solution_of(
    tables: Sequence[Coefficients], intervals: Intervals, plans: Sequence[Plan]
) -> Solution:
    """Compute the solution from the coefficients of the equation on one mesh, or extrapolate it
    from those on two meshes."""
    solved = _separate_passages if plans[0].shares else _shared_passage
    solutions = [solved(table, intervals, plan) for table, plan in zip(tables, plans, strict=True)]
    if len(plans) == 1:
        return solutions[0]
    weight = richardson_weight(plans[0].mesh, plans[1].mesh)
    density, density_slopes = _extrapolated(
        weight, *((s.log_density, s.density_slopes) for s in solutions)
    )
    survival, survival_slopes = _extrapolated(
        weight, *((s.log_survival, s.survival_slopes) for s in solutions)
    )
    return Solution(density, np.minimum(survival, 0.0), density_slopes, survival_slopes)


def _extrapolated(
    weight: float, coarse: tuple[np.ndarray, Slopes], fine: tuple[np.ndarray, Slopes]
) -> tuple[np.ndarray, Slopes]:
    """Extrapolate values and slopes to cells of zero width.

    Notes
    -----
    With the weight ``w`` of :func:`richardson_weight` and the change ``c = fine - coarse``, the
    extrapolated value is ::

        fine + (w - 1) c / (1 + r)    with    r = (|c| / FAR_APART)^4

    and the slope that belongs to it is ::

        fine' + (w - 1) (1 - 3 r) / (1 + r)^2 (fine' - coarse')

    For small ``c`` this is Richardson's extrapolation. It fades out where the two solutions differ
    by more than ``FAR_APART``, because extrapolation would increase the error there.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(fine[0]) & np.isfinite(coarse[0])
        change = np.where(finite, fine[0] - coarse[0], 0.0)
        ratio = np.minimum(np.abs(change) / FAR_APART, 1e3) ** 4
        values = fine[0] + (weight - 1.0) * change / (1.0 + ratio)
        share = (weight - 1.0) * (1.0 - 3.0 * ratio) / (1.0 + ratio) ** 2
        share = np.where(finite, share, 0.0)[:, None]
        return values, np.where(share != 0, fine[1] + share * (fine[1] - coarse[1]), fine[1])


def _shared_passage(table: Coefficients, intervals: Intervals, plan: Plan) -> Solution:
    """Solve for all intervals with one passage, whose density is interpolated between the ends of
    its time steps."""
    refractory_slopes = table.refractory_slopes
    free = intervals.duration - table.refractory
    nodes, mesh = plan.nodes, plan.mesh
    ends = nodes.times(float(np.max(free, initial=5 * nodes.step)) + 2 * nodes.step)
    fine = halved(ends) if plan.halves else ends
    steps = np.diff(fine, prepend=0.0)
    no_slopes = np.zeros((len(steps), len(refractory_slopes)))
    drift, drift_slopes, diffusion, diffusion_slopes = _on_faces(table, mesh)
    no_input = np.zeros(len(steps))
    flux, survival, flux_slopes, survival_slopes = propagate(
        drift,
        drift_slopes,
        diffusion,
        diffusion_slopes,
        mesh.width,
        mesh.below,
        np.array([0, len(steps)]),
        steps,
        no_slopes,
        no_input,
        no_slopes,
        no_input,
        no_slopes,
        True,
    )
    if plan.halves:
        flux, survival, flux_slopes, survival_slopes = (
            a[1::2] for a in (flux, survival, flux_slopes, survival_slopes)
        )
    return _interpolated(
        ends,
        flux,
        survival,
        flux_slopes,
        survival_slopes,
        free,
        refractory_slopes,
        diffusion,
        diffusion_slopes,
    )


def _interpolated(
    ends: np.ndarray,
    flux: np.ndarray,
    survival: np.ndarray,
    flux_slopes: Slopes,
    survival_slopes: Slopes,
    free: np.ndarray,
    refractory_slopes: np.ndarray | Array,
    diffusion: float,
    diffusion_slopes: np.ndarray,
) -> Solution:
    """Interpolate the logarithms of density and survival probability between the ends of the time
    steps.

    Parameters
    ----------
    ends : numpy.ndarray (steps,)
        Ends of the time steps in seconds.
    flux, survival : numpy.ndarray (steps,)
        Density of the passage (per second) and survival probability at these times.
    flux_slopes, survival_slopes : numpy.ndarray (steps, parameters)
        Their derivatives by the free parameters.
    free : numpy.ndarray (intervals,)
        Intervals without the refractory period, in seconds.
    refractory_slopes : numpy.ndarray (parameters,)
        Derivatives of the refractory period.
    diffusion : float
        Diffusion constant, in squared distances from reset to threshold per second.
    diffusion_slopes : numpy.ndarray (parameters,)
        Derivatives of the diffusion constant.

    Notes
    -----
    Let ``f`` be the density of the passage, ``S`` its survival probability, ``D`` the diffusion
    constant, ``tau`` the refractory period and ``t = T - tau`` the passage time of an interval
    ``T``. At short times the density has the essential singularity of a free diffusion from reset
    (0) to threshold (1), ``f(t) ~ t^(-3/2) exp(-1/(4 D t))``. The regular part that is left without
    it, ::

        r(t) = log f(t) + 1/(4 D t) + 3/2 log t,

    is smooth. It and ``log S`` are interpolated by cubic polynomials through the four ends of time
    steps ``t_j`` around ``t``, with the Lagrange weights ``w_j`` of :func:`_cubic`::

        log f(t) = sum_j w_j(t) r(t_j) - 1/(4 D t) - 3/2 log t
        log S(t) = sum_j w_j(t) log S(t_j)

    A free parameter ``p`` changes the values at the ends of the steps, ``D`` and, through ``tau``,
    the time ``t``::

        d log f/dp = sum_j w_j(t) dr(t_j)/dp + 1/(4 D^2 t) dD/dp
                     - [sum_j w_j'(t) r(t_j) + 1/(4 D t^2) - 3/(2 t)] dtau/dp
        dr(t_j)/dp = [df(t_j)/dp] / f(t_j) - 1/(4 D^2 t_j) dD/dp
        d log S/dp = sum_j w_j(t) [dS(t_j)/dp] / S(t_j) - sum_j w_j'(t) log S(t_j) dtau/dp

    If ``f`` underflows at the first steps, ``r`` is taken there from the first step at which it
    does not. Intervals longer than the last such step are impossible: their log density is minus
    infinity.
    """
    positive = np.flatnonzero(flux > SMALLEST)
    first, last = (int(positive[0]), int(positive[-1])) if len(positive) else (0, 0)
    nearest = np.clip(np.arange(len(flux)), first, last)
    flux, survival = np.maximum(flux, SMALLEST), np.maximum(survival, SMALLEST)
    regular = (np.log(flux) + 1.0 / (4.0 * diffusion * ends) + 1.5 * np.log(ends))[nearest]
    regular_slopes = (
        flux_slopes / flux[:, None] - np.outer(1.0 / (4.0 * diffusion**2 * ends), diffusion_slopes)
    )[nearest]
    times = np.maximum(free, 0.5 * ends[0])
    nodes, weights, weight_slopes = _cubic(ends, times)
    log_density = (
        np.sum(weights * regular[nodes], axis=1)
        - 1.0 / (4.0 * diffusion * times)
        - 1.5 * np.log(times)
    )
    by_time = (
        np.sum(weight_slopes * regular[nodes], axis=1)
        + 1.0 / (4.0 * diffusion * times**2)
        - 1.5 / times
    )
    density_slopes = np.einsum("kj,kjp->kp", weights, regular_slopes[nodes]) - np.outer(
        by_time, refractory_slopes
    )
    density_slopes += np.outer(1.0 / (4.0 * diffusion**2 * times), diffusion_slopes)
    log_survival = np.sum(weights * np.log(survival)[nodes], axis=1)
    by_time = np.sum(weight_slopes * np.log(survival)[nodes], axis=1)
    by_parameters = np.einsum("kj,kjp->kp", weights, (survival_slopes / survival[:, None])[nodes])
    log_density = np.where((free > 0) & (free <= ends[last]), log_density, -np.inf)
    return Solution(
        log_density,
        np.minimum(log_survival, 0.0),
        density_slopes,
        by_parameters - np.outer(by_time, refractory_slopes),
    )


def _cubic(ends: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the four nodes around each time, their Lagrange weights, and the derivatives of the
    weights by time.

    Notes
    -----
    The weights of the nodes ``t_j`` at the time ``t`` are ::

        w_j(t) = prod_(i != j) (t - t_i) / (t_j - t_i)
    """
    first = np.clip(np.searchsorted(ends, times) - 2, 0, len(ends) - 4)
    nodes = first[:, None] + np.arange(4)
    t = ends[nodes]
    weights, slopes = np.ones_like(t), np.zeros_like(t)
    for j in range(4):
        remaining = [i for i in range(4) if i != j]
        factors = [(times - t[:, i]) / (t[:, j] - t[:, i]) for i in remaining]
        weights[:, j] = factors[0] * factors[1] * factors[2]
        for i, (a, b) in zip(remaining, ((1, 2), (0, 2), (0, 1)), strict=True):
            slopes[:, j] += factors[a] * factors[b] / (t[:, j] - t[:, i])
    return nodes, weights, slopes


def _separate_passages(table: Coefficients, intervals: Intervals, plan: Plan) -> Solution:
    """Solve one passage per interval, whose input depends on its time and the spikes before it.

    Notes
    -----
    Where the flux underflows at a short passage time ``t``, the density is replaced by its limit,
    that of a free diffusion from reset (0) to threshold (1) with the diffusion constant ``D``::

        f(t) = (4 pi D)^(-1/2) t^(-3/2) exp(-1/(4 D t))

    Where the flux underflows after more than half of the probability has passed, the interval is
    impossible.
    """
    mesh, counts = plan.mesh, np.array([len(ends) for ends in plan.shares])
    n_steps = int(np.sum(counts))
    step, middle, end = (np.array(row[:n_steps], order="C") for row in table.path)
    step_slopes, middle_slopes, end_slopes = (
        np.array(row[:n_steps], order="C") for row in table.path_slopes
    )
    drift, drift_slopes, diffusion, diffusion_slopes = _on_faces(table, mesh)
    offsets = np.concatenate([[0], np.cumsum(counts)])

    def run(lanes: np.ndarray) -> tuple[np.ndarray, ...]:
        return propagate(
            drift,
            drift_slopes,
            diffusion,
            diffusion_slopes,
            mesh.width,
            mesh.below,
            offsets[lanes[0] : lanes[-1] + 2],
            step,
            step_slopes,
            middle,
            middle_slopes,
            end,
            end_slopes,
            False,
        )

    groups = [
        lanes
        for lanes in np.array_split(np.arange(len(counts)), 4 * (os.cpu_count() or 1))
        if len(lanes)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(run, groups))
    flux, survival, flux_slopes, survival_slopes = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    free = np.maximum(intervals.duration - table.refractory, SHORTEST)
    underflows, mostly_passed = flux <= SMALLEST, survival < 0.5
    flux, survival = np.maximum(flux, SMALLEST), np.maximum(survival, SMALLEST)
    short_time_limit = (
        -1.0 / (4.0 * diffusion * free) - 1.5 * np.log(free) - 0.5 * np.log(4 * np.pi * diffusion)
    )
    log_density = np.where(underflows, short_time_limit, np.log(flux))
    by_diffusion = 1.0 / (4.0 * diffusion**2 * free) - 0.5 / diffusion
    by_refractory = 1.5 / free - 1.0 / (4.0 * diffusion * free**2)
    limit_slopes = np.outer(by_diffusion, diffusion_slopes) + np.outer(
        by_refractory, table.refractory_slopes
    )
    slopes = np.where(underflows[:, None], limit_slopes, flux_slopes / flux[:, None])
    impossible = (intervals.duration - table.refractory <= SHORTEST) | (underflows & mostly_passed)
    log_density = np.where(impossible, -np.inf, log_density)
    return Solution(log_density, np.log(survival), slopes, survival_slopes / survival[:, None])


def _on_faces(table: Coefficients, mesh: Mesh) -> tuple[np.ndarray, Slopes, float, np.ndarray]:
    """Arrays that may be written to, all in C order: of these the kernel is compiled once."""
    n = len(mesh.faces)
    return (
        np.array(table.drift[:n], order="C"),
        np.array(table.drift_slopes[:n], order="C"),
        float(table.diffusion),
        np.array(table.diffusion_slopes, order="C"),
    )
