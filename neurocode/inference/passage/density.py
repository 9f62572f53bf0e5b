"""The density of interspike intervals as a function of time, and as a JAX function of the
parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError
from neurocode.inference.passage.coefficients import Coefficients, coefficients
from neurocode.inference.passage.equations import PassageEquations, passage_equations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.resolution import choose_mesh
from neurocode.inference.passage.solution import Parameters, Plan, solution_of, solve
from neurocode.models.model import NeuronModel

Array = jax.Array

#: Cells per inverse CV and time steps per standard deviation with which the distribution function
#: has an error of 1e-5.
CELLS, STEPS = 72.0, 90.0
#: Number of times of the rough solution that the choice of the mesh is based on.
ROUGH_TIMES = 60


def interval_distribution(
    model: NeuronModel,
    times: np.ndarray,
    *,
    start: float = 0.0,
    typical: float | None = None,
    resolution: float = 1.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Density and distribution function of the interval after a spike.

    Parameters
    ----------
    model : NeuronModel
        A one-dimensional diffusion to a threshold; see :func:`passage_equations`.
    times : numpy.ndarray
        Times since the spike in seconds, all positive.
    start : float
        Time of the spike in seconds, for an input that changes in time.
    typical : float, optional
        Regular interval in seconds at which the neuron fired before, which sets its adaptation; by
        default the mean of ``times``.
    resolution : float
        Factor on the numbers of cells and of time steps.

    Returns
    -------
    density, cumulative : numpy.ndarray
        Density per second and distribution function (dimensionless) at ``times``.

    Raises
    ------
    DataError
        For times that are not positive.

    Examples
    --------
    >>> import neurocode as nc
    >>> times = np.array([0.01, 0.03, 0.1])
    >>> density, cumulative = interval_distribution(nc.models.lif_diffusive(), times)
    >>> bool(np.all(np.diff(cumulative) > 0))
    True
    """
    intervals = _intervals(times, start)
    if typical is not None:
        intervals = Intervals(
            *(
                np.append(a, b)
                for a, b in zip(vars(intervals).values(), (start, typical, True, True), strict=True)
            )
        )
    equations = passage_equations(model)
    parameters = Parameters.of(model, free=())
    mesh = choose_mesh(
        equations,
        parameters,
        _likely(equations, parameters, intervals),
        CELLS * resolution,
        STEPS * resolution,
    )
    plan = Plan.of(equations, intervals, mesh)
    solution = solve(equations, parameters, intervals, plan, plan.finer(intervals))
    n = np.size(times)
    return np.exp(solution.log_density[:n]), -np.expm1(solution.log_survival[:n])


def log_density_function(
    model: NeuronModel, times: np.ndarray, *, start: float = 0.0
) -> Callable[[Mapping[str, Array]], Array]:
    """Logarithm of the interval density at fixed times as a JAX function of the parameters.

    Parameters
    ----------
    model : NeuronModel
    times : numpy.ndarray
        Times since the spike in seconds, all positive.
    start : float
        Time of the spike in seconds.

    Returns
    -------
    callable
        Function from a mapping of parameter names to values in SI units (all other parameters keep
        the model's values) to log densities per second. It is differentiable once, in forward and
        reverse mode.

    Examples
    --------
    >>> import neurocode as nc
    >>> function = log_density_function(nc.models.lif_diffusive(), np.array([0.02, 0.04]))
    >>> slopes = jax.jacrev(function)({"mu": 0.4})["mu"]
    >>> slopes.shape
    (2,)
    """
    intervals = _intervals(times, start)
    equations = passage_equations(model)
    base = Parameters.of(model, free=())
    mesh = choose_mesh(equations, base, _likely(equations, base, intervals), CELLS, STEPS)
    plans = [Plan.of(equations, intervals, mesh)]
    plans.append(plans[0].finer(intervals))

    def function(parameters: Mapping[str, Array]) -> Array:
        names = tuple(parameters)
        fixed = {name: value for name, value in base.fixed.items() if name not in names}

        def solved(x: Array) -> tuple[Array, Array]:
            tables = [coefficients(equations, names, x, fixed, plan.layout) for plan in plans]
            shapes = (
                jax.ShapeDtypeStruct((len(intervals.start),), x.dtype),
                jax.ShapeDtypeStruct((len(intervals.start), len(x)), x.dtype),
            )

            def call(*tables: Coefficients) -> tuple[np.ndarray, np.ndarray]:
                arrays = jax.tree.map(lambda array: np.asarray(array, float), list(tables))
                solution = solution_of(arrays, intervals, plans)
                return solution.log_density.astype(x.dtype), solution.density_slopes.astype(x.dtype)

            return jax.pure_callback(call, shapes, *tables)

        @jax.custom_jvp
        def log_density(x: Array) -> Array:
            return solved(x)[0]

        @log_density.defjvp
        def rule(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
            value, slopes = solved(*primals)
            return value, slopes @ tangents[0]

        return log_density(jnp.stack([jnp.asarray(parameters[name], float) for name in names]))

    return function


def _likely(equations: PassageEquations, parameters: Parameters, intervals: Intervals) -> Intervals:
    """Return intervals that are likely under the model, from a rough solution; the mesh must suit
    these and not the requested times."""
    first, last = float(np.min(intervals.duration)), float(np.max(intervals.duration))
    rough = _at(np.geomspace(0.5 * first, 2 * last, ROUGH_TIMES), float(intervals.start[0]))
    mesh = choose_mesh(equations, parameters, rough, CELLS / 4, STEPS / 4)
    cumulative = -np.expm1(
        solve(equations, parameters, rough, Plan.of(equations, rough, mesh)).log_survival
    )
    cumulative = np.maximum.accumulate(cumulative)
    likely = np.interp(np.linspace(0.01, 0.99, len(intervals.start)), cumulative, rough.duration)
    return Intervals(intervals.start, likely, intervals.observed, intervals.first)


def _intervals(times: np.ndarray, start: float) -> Intervals:
    times = np.atleast_1d(np.asarray(times, float))
    if not times.size or not np.all(times > 0):
        raise DataError("The times since a spike must be positive numbers of seconds.")
    return _at(times, start)


def _at(times: np.ndarray, start: float) -> Intervals:
    return Intervals(
        np.full(len(times), start), times, np.ones(len(times), bool), np.ones(len(times), bool)
    )
