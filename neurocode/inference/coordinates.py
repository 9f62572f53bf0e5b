"""The smooth, invertible map between bounded parameters and unconstrained coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import numpy as np
from scipy.special import expit

from neurocode.models.bounds import Bounds
from neurocode.models.model import NeuronModel
from neurocode.units import parse_unit

Array = jax.Array

#: A start on a bound is moved inside by this fraction of the range, so that its coordinate is
#: finite.
MARGIN = 1e-4


@dataclass(frozen=True)
class Coordinates:
    """Map between the free parameters of a model (SI) and unconstrained coordinates.

    Each parameter is mapped as in :class:`~neurocode.models.bounds.Bounds`.

    Attributes
    ----------
    names : tuple of str
    low, high, scale : numpy.ndarray
        Bounds and sizes in SI, in the order of ``names``.
    """

    names: tuple[str, ...]
    low: np.ndarray
    high: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, model: NeuronModel) -> Coordinates:
        """Coordinates of the free parameters of a model."""
        names = model.free
        bounds = np.array([model.parameters[name].si_bounds for name in names]).reshape(-1, 2)
        values = np.array([float(model.parameters[name].si) for name in names])
        scale = np.where(
            values != 0,
            np.abs(values),
            [parse_unit(model.parameters[name].unit).scale for name in names],
        )
        return cls(names, bounds[:, 0], bounds[:, 1], scale)

    def to_values(self, z: Array) -> dict[str, Array]:
        """Parameters in SI units at coordinates ``z``, as JAX arrays; each has the axes of ``z``
        before the last, which is that of the parameters."""
        x = self._bounds.value(z)
        return {name: x[..., index] for index, name in enumerate(self.names)}

    def numbers(self, z: np.ndarray) -> dict[str, float]:
        """Parameters in SI units at coordinates ``z``, as plain numbers in float64."""
        return dict(
            zip(
                self.names,
                self._bounds.value(np.asarray(z, float), np, expit).tolist(),
                strict=True,
            )
        )

    def to_coordinates(self, values: Mapping[str, float | np.ndarray]) -> np.ndarray:
        """Coordinates of parameter values in SI; values on a bound are moved slightly inside."""
        x = np.array([values[name] for name in self.names], dtype=float)
        width = np.where(np.isfinite(self.high - self.low), self.high - self.low, self.scale)
        return self._bounds.coordinate(
            np.clip(x, self.low + MARGIN * width, self.high - MARGIN * width)
        )

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Derivative of each parameter (SI) with respect to its coordinate."""
        return self._bounds.slope(z)

    @property
    def _bounds(self) -> Bounds:
        return Bounds(self.low, self.high, self.scale)
