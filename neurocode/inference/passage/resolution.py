"""The choice of how fine and how deep a mesh must be, from the intervals and the equation."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.inference.passage.coefficients import Layout, coefficients
from neurocode.inference.passage.equations import PassageEquations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.mesh import DEEPEST, Mesh, depth
from neurocode.inference.passage.solution import Parameters
from neurocode.models.model import NeuronModel

#: Number of points of each interval at which its input is sampled, and number of standard
#: deviations of a free diffusion that the mesh covers.
SAMPLES, SPREAD = 8, 6.5
#: Cells per standard deviation at which leak and noise balance, and time steps per time constant of
#: that balance.
CELLS_IN_BALANCE, STEPS_IN_BALANCE = 2.0, 1.0
#: Largest number of cells, as a multiple of ``cells`` of :func:`choose_mesh`.
MOST_CELLS = 30.0


@dataclass(frozen=True)
class Scales:
    """Scales of length and time of a passage.

    Attributes
    ----------
    bottom : float
        Distance by which the potential falls below the reset, in distances from reset to threshold.
    width : float
        Standard deviation at which leak and noise balance, in the same unit.
    time : float
        Time constant of that balance in seconds.
    """

    bottom: float
    width: float
    time: float


def mesh_of(
    model: NeuronModel,
    equations: PassageEquations,
    intervals: Intervals,
    cells: float,
    steps: float,
) -> Mesh:
    """Choose the mesh for a data set and the values of a model; see :func:`choose_mesh`."""
    period = (
        1.0 / float(model.values["frequency"])
        if equations.periodic and "frequency" in model.values
        else np.inf
    )
    return choose_mesh(equations, Parameters.of(model), intervals, cells, steps, period)


def choose_mesh(
    equations: PassageEquations,
    parameters: Parameters,
    intervals: Intervals,
    cells: float,
    steps: float,
    period: float = np.inf,
) -> Mesh:
    """Choose the mesh for a data set and values of the parameters.

    The mesh is fine if intervals are regular or the leak is strong, and as deep as the membrane
    potential reaches.

    Parameters
    ----------
    equations : PassageEquations
    parameters : Parameters
    intervals : Intervals
    cells, steps : float
        Cells between reset and threshold per inverse CV, and time steps per standard deviation of
        the intervals.
    period : float
        Shortest period of the input in seconds.
    """
    lengths = intervals.lengths
    # if bursts alternate with pauses, the pauses dominate the mean but not twice the median
    mean = min(float(np.mean(lengths)), 2 * float(np.median(lengths)))
    cv = min(max(float(np.std(lengths)) / mean, 0.05), 1.0)
    scales = scales_of(equations, parameters, intervals, period)
    n_cells = int(
        np.ceil(
            np.clip(max(cells / cv, CELLS_IN_BALANCE / scales.width), cells, MOST_CELLS * cells)
        )
    )
    longest = min(period / steps if np.isfinite(period) else np.inf, scales.time / STEPS_IN_BALANCE)
    return Mesh(
        n_cells,
        int(np.ceil(scales.bottom * (n_cells + 0.5))),
        min(cv * mean / steps, longest),
        mean,
        longest,
    )


def scales_of(
    equations: PassageEquations, parameters: Parameters, intervals: Intervals, period: float
) -> Scales:
    """Return the scales of the passages of a data set; see :class:`Scales`."""
    positions = (
        1.0
        - np.concatenate([np.linspace(0, 2, 400, endpoint=False), np.geomspace(2, DEEPEST, 400)])[
            ::-1
        ]
    )
    samples = [] if equations.constant else [np.linspace(0.05, 1.0, SAMPLES)] * len(intervals.start)
    with jax.enable_x64(True):
        layout = Layout.at(positions, intervals, samples)
        table = coefficients(
            equations, parameters.free, jnp.asarray(parameters.x), parameters.fixed, layout
        )
        drift, diffusion, inputs = (
            np.asarray(table.drift)[: len(positions)],
            float(table.diffusion),
            np.asarray(table.path)[1],
        )
    lowest, swing = 0.0, 0.0
    if len(inputs):
        lowest = float(
            np.quantile(
                inputs[: SAMPLES * len(intervals.start)].reshape(-1, SAMPLES).mean(axis=1), 0.01
            )
        )
        swing = float(np.ptp(inputs)) * period / (2 * np.pi) if np.isfinite(period) else 0.0
    longest = float(np.max(intervals.duration))
    fall = max(0.0, -float(np.interp(0.0, positions, drift)) - lowest) * longest
    spread = fall + SPREAD * np.sqrt(2 * diffusion * longest)
    inside = positions >= 0
    leak = max(float(np.max(-np.gradient(drift[inside], positions[inside]))), 1e-9)
    bottom = min(swing + depth(positions, drift + lowest, diffusion, spread), DEEPEST)
    return Scales(bottom, float(np.sqrt(diffusion / leak)), 1.0 / leak)
