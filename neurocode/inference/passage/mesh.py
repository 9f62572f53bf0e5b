"""Cells and time steps of the Fokker-Planck solver."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

#: The mesh ends where the potential of the drift makes the density this small, in nats below its
#: maximum, and at most ``DEEPEST`` distances from reset to threshold below the reset.
NEGLIGIBLE = 20.0
DEEPEST = 20.0
#: After this many typical intervals, the time step is this share of the time since the start.
LATE, GROWTH = 3.0, 0.015
FEWEST_STEPS = 16
#: Cells between reset and threshold per inverse CV, and time steps per standard deviation of the
#: intervals: ``FINE`` if all intervals share one passage, ``EACH`` if each has its own.
FINE, EACH = (24.0, 30.0), (10.0, 11.0)
#: The same for the starts of a fit.
ROUGH = (8.0, 8.0)


@dataclass(frozen=True)
class Mesh:
    """Resolution of the solver.

    Attributes
    ----------
    cells : int
        Number of whole cells between reset and threshold; the reset is the centre of the cell below
        them.
    below : int
        Number of cells below the reset.
    step : float
        Time step in seconds.
    typical : float
        Time in seconds that sets how the steps grow.
    longest : float
        Longest time step in seconds.
    """

    cells: int
    below: int
    step: float
    typical: float
    longest: float = np.inf

    @property
    def width(self) -> float:
        """Width of a cell; the distance from reset to threshold is one."""
        return 1.0 / (self.cells + 0.5)

    @property
    def faces(self) -> np.ndarray:
        """Position of the upper face of each cell; for the last cell, the point halfway between its
        centre and the threshold."""
        faces = self.width * (np.arange(-self.below, self.cells + 1) + 0.5)
        faces[-1] -= 0.25 * self.width
        return faces

    def finer(self) -> Mesh:
        """Return the mesh with half the time step and about half the cell width."""
        return replace(
            self,
            cells=2 * self.cells,
            below=2 * self.below,
            step=0.5 * self.step,
            longest=0.5 * self.longest,
        )

    def times(self, end: float) -> np.ndarray:
        """Return the ends of the time steps up to the first at or after ``end``."""
        ends = self._ends(end)
        return ends[: int(np.searchsorted(ends, end)) + 1]

    def shares(self, length: float) -> np.ndarray:
        """Return the ends of the time steps of a passage of a given length, as fractions of it."""
        step = min(self.step, length / FEWEST_STEPS)
        ends = replace(self, step=step)._ends(length)
        ends = ends[: int(np.searchsorted(ends, length * (1 - 1e-9))) + 1]
        return ends / ends[-1]

    def _ends(self, end: float) -> np.ndarray:
        even = np.arange(1, int(min(end, LATE * self.typical) / self.step) + 2) * self.step
        if even[-1] >= end:
            return even
        pieces, last = [even], even[-1]
        while last < end:
            grown = min(max(self.step, GROWTH * last), self.longest)
            block = last + grown * np.arange(1, 33)
            pieces.append(block)
            last = block[-1]
        return np.concatenate(pieces)


def halved(ends: np.ndarray) -> np.ndarray:
    """Return the ends of the time steps after each step is cut into two halves."""
    begins = np.concatenate([[0.0], ends[:-1]])
    return np.column_stack([0.5 * (begins + ends), ends]).ravel()


def richardson_weight(coarse: Mesh, fine: Mesh) -> float:
    """Return the weight ``w`` of the fine solution in the extrapolation to cells of zero width; the
    weight of the coarse solution is ``1 - w``."""
    ratio = (coarse.width / fine.width) ** 2
    return ratio / (ratio - 1.0)


def depth(positions: np.ndarray, drift: np.ndarray, diffusion: float, spread: float) -> float:
    """Return how far below the reset the density of the membrane potential reaches, at most
    ``DEEPEST``.

    Parameters
    ----------
    positions, drift : numpy.ndarray
        Increasing positions up to the threshold at one, with the reset at zero, and the lowest
        drift at each.
    diffusion : float
        Diffusion constant, in squared distances from reset to threshold per second.
    spread : float
        Distance that a free diffusion covers in the longest interval; the depth is not larger.
    """
    slopes = drift / diffusion
    rises = 0.5 * (slopes[1:] + slopes[:-1]) * np.diff(positions)
    potential = np.concatenate([[0.0], np.cumsum(rises)])
    below = positions <= 0
    highest = np.maximum.accumulate(potential[below][::-1])[::-1]
    low = potential[below] - highest < -NEGLIGIBLE
    lowest = float(-positions[np.flatnonzero(low)[-1]]) if np.any(low) else DEEPEST
    return min(lowest, spread, DEEPEST)
