"""First-passage densities of a set of intervals and of one density at many times, with derivatives."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.passage.equations import PassageEquations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.kernel import propagate
from neurocode.inference.passage.mesh import Mesh, halved, richardson_weight
from neurocode.models.model import NeuronModel

Array = jax.Array
Slopes = np.ndarray

#: Sizes of compiled shapes are rounded up to multiples of these, so that few are compiled.
FACES, INTERVALS, PATH_STEPS = 256, 256, 8192
SMALLEST = 1e-280
#: Logarithms that differ by so much between two meshes are extrapolated by half.
FAR_APART = 2.0
#: Passages are not shorter than this, in seconds.
SHORTEST = 1e-9


@dataclass(frozen=True)
class Parameters:
    """Values of a model in SI, apart into those that derivatives are taken by and the rest."""

    free: tuple[str, ...]
    x: np.ndarray
    fixed: dict[str, float]

    @classmethod
    def of(cls, model: NeuronModel, free: tuple[str, ...] | None = None) -> Parameters:
        """Values of a model, apart into its free ones, or into ``free``, and the rest."""
        names = model.free if free is None else free
        values = {name: float(value) for name, value in model.values.items()}
        return cls(names, np.array([values.pop(name) for name in names]), values)


@dataclass(frozen=True)
class Solution:
    """Logarithms of density (per second) and survival probability of each interval, and derivatives
    by the free parameters.

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
        """Log-likelihood of each interval: its density where a spike ends it, else its survival
        probability."""
        return np.where(observed, self.log_density, self.log_survival)

    def scores(self, observed: np.ndarray) -> np.ndarray:
        """Derivatives of the contributions by the free parameters."""
        return np.where(observed[:, None], self.density_slopes, self.survival_slopes)


@dataclass(frozen=True)
class Plan:
    """A mesh and the time steps on it of every passage.

    Attributes
    ----------
    nodes : Mesh
        Whose time steps are those that densities are read at.
    mesh : Mesh
        The same, or its refinement.
    shares : tuple of numpy.ndarray
        For each interval the ends of its steps as shares of it; empty where all share one passage.
    layout : Layout
        Where coefficients of the equation are needed for them.
    """

    nodes: Mesh
    mesh: Mesh
    shares: tuple[np.ndarray, ...]
    layout: Layout

    @classmethod
    def of(cls, equations: PassageEquations, intervals: Intervals, mesh: Mesh) -> Plan:
        """The plan for intervals on a mesh."""
        shares = (
            ()
            if equations.constant
            else tuple(mesh.shares(length) for length in intervals.duration)
        )
        return cls(mesh, mesh, shares, Layout.at(mesh.faces, intervals, shares))

    @property
    def halves(self) -> bool:
        """Whether the steps are halves of those of ``nodes``."""
        return self.mesh is not self.nodes

    def finer(self, intervals: Intervals) -> Plan:
        """Cells about half as wide and steps half as long, read at the same times."""
        mesh, shares = self.mesh.finer(), tuple(halved(ends) for ends in self.shares)
        return Plan(self.nodes, mesh, shares, Layout.at(mesh.faces, intervals, shares))


def solve(
    equations: PassageEquations,
    parameters: Parameters,
    intervals: Intervals,
    plan: Plan,
    finer: Plan | None = None,
) -> Solution:
    """Density and survival probability of every interval given the spikes before it.

    Parameters
    ----------
    equations : PassageEquations
    parameters : Parameters
    intervals : Intervals
    plan : Plan
    finer : Plan, optional
        Solve on this too and extrapolate (Richardson): errors fall with the fourth power of the
        width.
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
    """Solution from the coefficients of the equation on one mesh, or on two to extrapolate from."""
    one = _each if plans[0].shares else _shared
    solutions = [one(table, intervals, plan) for table, plan in zip(tables, plans, strict=True)]
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
    """Extrapolation of values and slopes, fading smoothly where coarse and fine are far apart: it
    would be further off there."""
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(fine[0]) & np.isfinite(coarse[0])
        change = np.where(finite, fine[0] - coarse[0], 0.0)
        ratio = np.minimum(np.abs(change) / FAR_APART, 1e3) ** 4
        values = fine[0] + (weight - 1.0) * change / (1.0 + ratio)
        share = (weight - 1.0) * (1.0 - 3.0 * ratio) / (1.0 + ratio) ** 2
        share = np.where(finite, share, 0.0)[:, None]
        return values, np.where(share != 0, fine[1] + share * (fine[1] - coarse[1]), fine[1])


class Coefficients(NamedTuple):
    """Coefficients of the Fokker-Planck equation, each followed by its derivatives by the free
    parameters."""

    drift: Array
    drift_slopes: Array
    diffusion: Array
    diffusion_slopes: Array
    refractory: Array
    refractory_slopes: Array
    path: Array
    path_slopes: Array


class Layout(NamedTuple):
    """Where coefficients are needed: positions, and the interval, share and lane of every time
    step; padded."""

    positions: np.ndarray
    start: np.ndarray
    duration: np.ndarray
    first: np.ndarray
    typical: np.ndarray
    shares: np.ndarray
    lane: np.ndarray

    @classmethod
    def at(
        cls, positions: np.ndarray, intervals: Intervals, shares: Sequence[np.ndarray]
    ) -> Layout:
        """The layout of positions, and of the ends of steps for each interval."""
        counts = np.array([len(ends) for ends in shares], dtype=int)
        ends = np.concatenate([np.empty(0), *shares])
        begins = np.concatenate([[0.0], ends[:-1]])[: len(ends)]
        begins[(np.cumsum(counts) - counts)[: len(shares)]] = 0.0
        columns = np.stack([ends - begins, 0.5 * (begins + ends), ends])
        lane = np.repeat(np.arange(len(shares)), counts)
        rest = -len(ends) % PATH_STEPS
        if rest:
            columns, lane = (
                np.pad(columns, ((0, 0), (0, rest)), mode="edge"),
                np.pad(lane, (0, rest), mode="edge"),
            )
        # where all intervals share one passage, how many they are is not compiled in
        histories = [
            _padded(array if len(lane) else array[:0], INTERVALS)
            for array in (intervals.start, intervals.duration, intervals.first)
        ]
        return cls(
            _padded(positions, FACES),
            *histories,
            np.mean(intervals.duration),
            columns,
            lane,
        )


def _padded(array: np.ndarray, multiple: int) -> np.ndarray:
    return np.pad(array, (0, -len(array) % multiple), mode="edge")


def _shared(table: Coefficients, intervals: Intervals, plan: Plan) -> Solution:
    """All intervals from one passage: its density at the ends of the time steps, and between them
    by interpolation."""
    refractory_slopes = table.refractory_slopes
    free = intervals.duration - table.refractory
    nodes, mesh = plan.nodes, plan.mesh
    ends = nodes.times(float(np.max(free, initial=5 * nodes.step)) + 2 * nodes.step)
    fine = halved(ends) if plan.halves else ends
    steps = np.diff(fine, prepend=0.0)
    none = np.zeros((len(steps), len(refractory_slopes)))
    drift, drift_slopes, diffusion, diffusion_slopes = _on_faces(table, mesh)
    still = np.zeros(len(steps))
    flux, survival, flux_slopes, survival_slopes = propagate(
        drift,
        drift_slopes,
        diffusion,
        diffusion_slopes,
        mesh.width,
        mesh.below,
        np.array([0, len(steps)]),
        steps,
        none,
        still,
        none,
        still,
        none,
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
    refractory_slopes: np.ndarray,
    diffusion: float,
    diffusion_slopes: np.ndarray,
) -> Solution:
    """Cubic interpolation of the logarithms, that of the density after its essential singularity at
    time zero is taken out.

    Where the flux underflows at first, what is left after that is taken to be as where it does not;
    where it does later, no interval is possible.
    """
    seen = np.flatnonzero(flux > SMALLEST)
    first, last = (int(seen[0]), int(seen[-1])) if len(seen) else (0, 0)
    known = np.clip(np.arange(len(flux)), first, last)
    flux, survival = np.maximum(flux, SMALLEST), np.maximum(survival, SMALLEST)
    rest = (np.log(flux) + 1.0 / (4.0 * diffusion * ends) + 1.5 * np.log(ends))[known]
    rest_slopes = (
        flux_slopes / flux[:, None] - np.outer(1.0 / (4.0 * diffusion**2 * ends), diffusion_slopes)
    )[known]
    late = np.maximum(free, 0.5 * ends[0])
    nodes, weights, weight_slopes = _cubic(ends, late)
    log_density = (
        np.sum(weights * rest[nodes], axis=1) - 1.0 / (4.0 * diffusion * late) - 1.5 * np.log(late)
    )
    by_time = (
        np.sum(weight_slopes * rest[nodes], axis=1) + 1.0 / (4.0 * diffusion * late**2) - 1.5 / late
    )
    density_slopes = np.einsum("kj,kjp->kp", weights, rest_slopes[nodes]) - np.outer(
        by_time, refractory_slopes
    )
    density_slopes += np.outer(1.0 / (4.0 * diffusion**2 * late), diffusion_slopes)
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
    """Four nodes around each time, their Lagrange weights, and the derivatives of the weights by
    time."""
    first = np.clip(np.searchsorted(ends, times) - 2, 0, len(ends) - 4)
    nodes = first[:, None] + np.arange(4)
    t = ends[nodes]
    weights, slopes = np.ones_like(t), np.zeros_like(t)
    for j in range(4):
        others = [i for i in range(4) if i != j]
        factors = [(times - t[:, i]) / (t[:, j] - t[:, i]) for i in others]
        weights[:, j] = factors[0] * factors[1] * factors[2]
        for i, (a, b) in zip(others, ((1, 2), (0, 2), (0, 1)), strict=True):
            slopes[:, j] += factors[a] * factors[b] / (t[:, j] - t[:, i])
    return nodes, weights, slopes


def _each(table: Coefficients, intervals: Intervals, plan: Plan) -> Solution:
    """A passage for each interval, its input that of its own time and history.

    Where the flux underflows at short times the density is that of a free diffusion, its limit
    there.
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
        g for g in np.array_split(np.arange(len(counts)), 4 * (os.cpu_count() or 1)) if len(g)
    ]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(run, groups))
    flux, survival, flux_slopes, survival_slopes = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    free = np.maximum(intervals.duration - table.refractory, SHORTEST)
    lost, late = flux <= SMALLEST, survival < 0.5
    flux, survival = np.maximum(flux, SMALLEST), np.maximum(survival, SMALLEST)
    early = (
        -1.0 / (4.0 * diffusion * free) - 1.5 * np.log(free) - 0.5 * np.log(4 * np.pi * diffusion)
    )
    log_density = np.where(lost, early, np.log(flux))
    by_diffusion = 1.0 / (4.0 * diffusion**2 * free) - 0.5 / diffusion
    by_refractory = 1.5 / free - 1.0 / (4.0 * diffusion * free**2)
    early_slopes = np.outer(by_diffusion, diffusion_slopes) + np.outer(
        by_refractory, table.refractory_slopes
    )
    slopes = np.where(lost[:, None], early_slopes, flux_slopes / flux[:, None])
    impossible = (intervals.duration - table.refractory <= SHORTEST) | (lost & late)
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


@partial(jax.jit, static_argnames=("equations", "free"))
def coefficients(
    equations: PassageEquations,
    free: tuple[str, ...],
    x: Array,
    fixed: dict[str, Array],
    layout: Layout,
) -> Coefficients:
    """Coefficients of the equation at parameters ``x``, with derivatives."""

    def values(x: Array) -> tuple[Array, ...]:
        names = {**fixed, **{name: x[k] for k, name in enumerate(free)}}
        drift, diffusion = equations.table(names, layout.positions)
        refractory = equations.refractory_period(names)
        if not layout.lane.shape[0]:
            return drift, diffusion, refractory, jnp.zeros((3, 0))
        states = equations.states_at_spikes(layout.duration, layout.first, layout.typical, names)
        states = {name: state[layout.lane] for name, state in states.items()}
        length = jnp.maximum(layout.duration - refractory, SHORTEST)[layout.lane]
        path = equations.path(
            layout.start[layout.lane], states, tuple(layout.shares), length, names
        )
        return drift, diffusion, refractory, jnp.stack(path)

    pairs = zip(values(x), jax.jacfwd(values)(x), strict=True)
    return Coefficients(*(array for pair in pairs for array in pair))
