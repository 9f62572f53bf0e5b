"""Free parameters of all neurons of a population as unconstrained coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neurocode.models.bounds import Bounds
from neurocode.models.model import NeuronModel
from neurocode.units import parse_unit

Array = jax.Array

#: A start on a bound is moved inside by this fraction of the range.
MARGIN = 1e-4


@dataclass(frozen=True)
class CellCoordinates:
    """Map between the free parameters of a model, one value per cell, and coordinates.

    Attributes
    ----------
    model : NeuronModel
    n_cells : int
    """

    model: NeuronModel
    n_cells: int

    def start(self) -> dict[str, NDArray[np.float32]]:
        """Return the coordinates of the values of the model, (cells,) per free parameter."""
        starts = {}
        for name in self.model.free:
            value = np.broadcast_to(np.asarray(self.model.values[name], float), (self.n_cells,))
            low, high = self.model.parameters[name].si_bounds
            width = high - low if np.isfinite(high - low) else self._scale(name)
            inside = np.clip(value, low + MARGIN * width, high - MARGIN * width)
            starts[name] = self._bounds[name].coordinate(inside).astype(np.float32)
        return starts

    def values(self, coordinates: dict[str, Array]) -> dict[str, Array]:
        """Return all parameters in SI; free ones have the axis of the cells."""
        fixed = {name: jnp.asarray(value, jnp.float32) for name, value in self.model.values.items()}
        return {**fixed, **{name: self._bounds[name].value(z) for name, z in coordinates.items()}}

    @cached_property
    def _bounds(self) -> dict[str, Bounds]:
        return {name: Bounds(*self._limits(name), self._scale(name)) for name in self.model.free}

    def _limits(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return lowest and highest value as arrays, which apply to every cell."""
        low, high = self.model.parameters[name].si_bounds
        return np.asarray([low]), np.asarray([high])

    def _scale(self, name: str) -> float:
        value = float(np.mean(np.abs(self.model.values[name])))
        return value if value != 0 else parse_unit(self.model.parameters[name].unit).scale
