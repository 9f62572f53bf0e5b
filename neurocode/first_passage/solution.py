"""First-passage densities of a set of intervals and of one density at many times, with derivatives."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.first_passage.equations import PassageEquations
from neurocode.first_passage.intervals import Intervals
from neurocode.first_passage.kernel import propagate
from neurocode.first_passage.mesh import DEEPEST, Mesh, depth, halved, richardson_weight

Array = jax.Array
Slopes = np.ndarray

#: Sizes of compiled shapes are rounded up to multiples of these, so that few are compiled.
FACES, INTERVALS, PATH_STEPS = 64, 256, 8192
SMALLEST = 1e-300


@dataclass(frozen=True)
class Parameters:
    """Values of a model in SI, apart into those that derivatives are taken by and the rest."""

    free: tuple[str, ...]
    x: np.ndarray
    fixed: dict[str, float]


@dataclass(frozen=True)
class Solution:
    """Logarithms of density (per second) and survival probability of each interval, and derivatives by the free parameters.

    Attributes
    ----------
    log_density, log_survival : numpy.ndarray (intervals,)
    density_slopes, survival_slopes : numpy.ndarray (intervals, parameters)
    """

    log_density: np.ndarray
    log_survival: np.ndarray
    density_slopes: Slopes
    survival_slopes: Slopes


def solve(equations: PassageEquations, parameters: Parameters, intervals: Intervals, mesh: Mesh, *, extrapolate: bool) -> Solution:
    """Density and survival probability of every interval given the spikes before it.

    Parameters
    ----------
    equations : PassageEquations
    parameters : Parameters
    intervals : Intervals
    mesh : Mesh
    extrapolate : bool
        Solve on a mesh twice as fine too and extrapolate (Richardson): errors fall with the fourth power of the width.
    """
    one = _shared if equations.constant else _each
    coarse = one(equations, parameters, intervals, mesh, mesh, False)
    if not extrapolate:
        return coarse
    fine = one(equations, parameters, intervals, mesh, mesh.finer(), True)
    weight = richardson_weight(mesh, mesh.finer())
    return Solution(*(weight * b + (1 - weight) * a for a, b in zip(vars(coarse).values(), vars(fine).values(), strict=True)))


def choose_mesh(
    equations: PassageEquations, parameters: Parameters, intervals: Intervals, cells: float, steps: float, period: float = np.inf
) -> Mesh:
    """Mesh for a data set: fine where intervals are regular, as deep as the membrane potential reaches.

    Parameters
    ----------
    cells, steps : float
        Cells between reset and threshold per inverse CV; time steps in a standard deviation of the intervals.
    period : float
        Shortest period of the input in seconds.
    """
    lengths = intervals.lengths
    mean, deviation = float(np.mean(lengths)), float(np.std(lengths))
    cv = min(max(deviation / mean, 0.05), 1.0)
    n_cells = int(np.clip(np.ceil(cells / cv), cells, 25 * cells))
    longest = period / steps if np.isfinite(period) else np.inf
    step = min(cv * mean / steps, longest)
    bottom = reach(equations, parameters, intervals)
    return Mesh(n_cells, int(np.ceil(bottom * (n_cells + 0.5))), step, mean, longest)


def reach(equations: PassageEquations, parameters: Parameters, intervals: Intervals) -> float:
    """Depth below the reset that a mesh needs, in distances from reset to threshold."""
    positions = 1.0 - np.concatenate([np.linspace(0, 2, 400, endpoint=False), np.geomspace(2, DEEPEST, 400)])[::-1]
    drift, _, diffusion, _ = table(equations, parameters, positions)
    lowest = 0.0
    if not equations.constant:
        ends = np.array([0.1, 0.4, 0.7, 1.0])
        _, _, inputs, *_ = _paths(equations, parameters, intervals, np.tile(ends, len(intervals.start)), np.full(len(intervals.start), 4))
        lowest = float(np.quantile(inputs, 0.01))
    return depth(positions, drift + lowest, diffusion)


def table(equations: PassageEquations, parameters: Parameters, positions: np.ndarray) -> tuple[np.ndarray, Slopes, float, np.ndarray]:
    """Drift at positions and diffusion constant, each with derivatives."""
    padded = np.concatenate([positions, np.full(-len(positions) % FACES, positions[-1])])
    with jax.enable_x64(True):
        values, slopes = _table(equations, parameters.free, jnp.asarray(parameters.x), parameters.fixed, jnp.asarray(padded))
        drift, diffusion = (np.asarray(value) for value in values)
        drift_slopes, diffusion_slopes = (np.asarray(slope) for slope in slopes)
    n = len(positions)
    return drift[:n], np.ascontiguousarray(drift_slopes[:n]), float(diffusion), diffusion_slopes


def _shared(
    equations: PassageEquations, parameters: Parameters, intervals: Intervals, nodes: Mesh, mesh: Mesh, halve: bool
) -> Solution:
    """All intervals from one passage: its density at the ends of the time steps, and between them by interpolation."""
    refractory, refractory_slopes = _refractory(equations, parameters)
    free = intervals.duration - refractory
    ends = nodes.times(float(np.max(free, initial=5 * nodes.step)) + 2 * nodes.step)
    fine = halved(ends) if halve else ends
    steps = np.diff(fine, prepend=0.0)
    none = np.zeros((len(steps), len(parameters.free)))
    drift, drift_slopes, diffusion, diffusion_slopes = table(equations, parameters, mesh.faces)
    still = np.zeros(len(steps))
    flux, survival, flux_slopes, survival_slopes = propagate(
        drift, drift_slopes, diffusion, diffusion_slopes, mesh.width, mesh.below, np.array([0, len(steps)]),
        steps, none, still, none, still, none, True,
    )  # fmt: skip
    if halve:
        flux, survival, flux_slopes, survival_slopes = (a[1::2] for a in (flux, survival, flux_slopes, survival_slopes))
    return _interpolated(ends, flux, survival, flux_slopes, survival_slopes, free, refractory_slopes, diffusion, diffusion_slopes)


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
    """Cubic interpolation of the logarithms, that of the density after its essential singularity at time zero is taken out."""
    flux, survival = np.maximum(flux, SMALLEST), np.maximum(survival, SMALLEST)
    rest = np.log(flux) + 1.0 / (4.0 * diffusion * ends) + 1.5 * np.log(ends)
    rest_slopes = flux_slopes / flux[:, None] - np.outer(1.0 / (4.0 * diffusion**2 * ends), diffusion_slopes)
    late = np.maximum(free, 0.5 * ends[0])
    nodes, weights, weight_slopes = _cubic(ends, late)
    log_density = np.sum(weights * rest[nodes], axis=1) - 1.0 / (4.0 * diffusion * late) - 1.5 * np.log(late)
    by_time = np.sum(weight_slopes * rest[nodes], axis=1) + 1.0 / (4.0 * diffusion * late**2) - 1.5 / late
    density_slopes = np.einsum("kj,kjp->kp", weights, rest_slopes[nodes]) - np.outer(by_time, refractory_slopes)
    density_slopes += np.outer(1.0 / (4.0 * diffusion**2 * late), diffusion_slopes)
    log_survival = np.sum(weights * np.log(survival)[nodes], axis=1)
    by_time = np.sum(weight_slopes * np.log(survival)[nodes], axis=1)
    by_parameters = np.einsum("kj,kjp->kp", weights, (survival_slopes / survival[:, None])[nodes])
    log_density = np.where(free > 0, log_density, -np.inf)
    return Solution(log_density, np.minimum(log_survival, 0.0), density_slopes, by_parameters - np.outer(by_time, refractory_slopes))


def _cubic(ends: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Four nodes around each time, their Lagrange weights, and the derivatives of the weights by time."""
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


def _each(
    equations: PassageEquations, parameters: Parameters, intervals: Intervals, nodes: Mesh, mesh: Mesh, halve: bool
) -> Solution:
    """A passage for each interval, its input that of its own time and history."""
    free = np.maximum(intervals.duration - _refractory(equations, parameters)[0], 1e-9)
    shares = [nodes.shares(length) for length in intervals.duration]
    shares = [halved(ends) for ends in shares] if halve else shares
    counts = np.array([len(ends) for ends in shares])
    step, step_slopes, middle, middle_slopes, end, end_slopes = _path_arrays(equations, parameters, intervals, shares, counts)
    drift, drift_slopes, diffusion, diffusion_slopes = table(equations, parameters, mesh.faces)
    offsets = np.concatenate([[0], np.cumsum(counts)])

    def run(lanes: np.ndarray) -> tuple[np.ndarray, ...]:
        return propagate(
            drift, drift_slopes, diffusion, diffusion_slopes, mesh.width, mesh.below, offsets[lanes[0] : lanes[-1] + 2],
            step, step_slopes, middle, middle_slopes, end, end_slopes, False,
        )  # fmt: skip

    groups = [g for g in np.array_split(np.arange(len(counts)), 4 * (os.cpu_count() or 1)) if len(g)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(run, groups))
    flux, survival, flux_slopes, survival_slopes = (np.concatenate(column) for column in zip(*parts, strict=True))
    flux, survival = np.maximum(flux, SMALLEST), np.maximum(survival, SMALLEST)
    log_density = np.where(intervals.duration > 0, np.log(flux), -np.inf)
    log_density = np.where(free > 1e-9, log_density, -np.inf)
    return Solution(log_density, np.log(survival), flux_slopes / flux[:, None], survival_slopes / survival[:, None])


def _path_arrays(
    equations: PassageEquations, parameters: Parameters, intervals: Intervals, shares: list[np.ndarray], counts: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Length, middle input and end input of every step, each followed by its derivatives."""
    return _paths(equations, parameters, intervals, np.concatenate(shares), counts)


def _paths(
    equations: PassageEquations, parameters: Parameters, intervals: Intervals, ends: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, ...]:
    n, n_steps = len(counts), len(ends)
    firsts = np.cumsum(counts) - counts
    begins = np.concatenate([[0.0], ends[:-1]])
    begins[firsts] = 0.0
    shares = np.stack([ends - begins, 0.5 * (begins + ends), ends])
    lane = np.repeat(np.arange(n), counts)
    extra, more = -n % INTERVALS, -n_steps % PATH_STEPS
    padded = [np.pad(array, (0, extra), mode="edge") for array in (intervals.start, intervals.duration, intervals.first)]
    shares, lane = np.pad(shares, ((0, 0), (0, more)), mode="edge"), np.pad(lane, (0, more), mode="edge")
    typical = float(np.mean(intervals.lengths))
    with jax.enable_x64(True):
        values, slopes = _path(
            equations, parameters.free, jnp.asarray(parameters.x), parameters.fixed, *map(jnp.asarray, padded), typical,
            jnp.asarray(shares), jnp.asarray(lane),
        )  # fmt: skip
        values, slopes = np.asarray(values)[:, :n_steps], np.asarray(slopes)[:, :n_steps]
    return tuple(np.ascontiguousarray(array) for pair in zip(values, slopes, strict=True) for array in pair)


def _refractory(equations: PassageEquations, parameters: Parameters) -> tuple[float, np.ndarray]:
    with jax.enable_x64(True):
        value, slopes = _refractory_period(equations, parameters.free, jnp.asarray(parameters.x), parameters.fixed)
        return float(value), np.asarray(slopes)


def _joined(free: tuple[str, ...], x: Array, fixed: dict[str, Array]) -> dict[str, Array]:
    return {**fixed, **{name: x[k] for k, name in enumerate(free)}}


@partial(jax.jit, static_argnames=("equations", "free"))
def _table(equations: PassageEquations, free: tuple[str, ...], x: Array, fixed: dict[str, Array], positions: Array):
    def values(x: Array) -> tuple[Array, Array]:
        return equations.table(_joined(free, x, fixed), positions)

    return values(x), jax.jacfwd(values)(x)


@partial(jax.jit, static_argnames=("equations", "free"))
def _refractory_period(equations: PassageEquations, free: tuple[str, ...], x: Array, fixed: dict[str, Array]):
    def value(x: Array) -> Array:
        return equations.refractory_period(_joined(free, x, fixed))

    return value(x), jax.jacfwd(value)(x)


@partial(jax.jit, static_argnames=("equations", "free"))
def _path(
    equations: PassageEquations, free: tuple[str, ...], x: Array, fixed: dict[str, Array], start: Array, duration: Array, first: Array,
    typical: Array, shares: Array, lane: Array,
):  # fmt: skip
    def values(x: Array) -> Array:
        names = _joined(free, x, fixed)
        states = equations.states_at_spikes(duration, first, typical, names)
        states = {name: state[lane] for name, state in states.items()}
        length = jnp.maximum(duration - equations.refractory_period(names), 1e-9)[lane]
        return jnp.stack(equations.path(start[lane], states, tuple(shares), length, names))

    return values(x), jax.jacfwd(values)(x)
