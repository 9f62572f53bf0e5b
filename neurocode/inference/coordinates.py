"""Bounded parameters as unconstrained coordinates, smooth both ways."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit

from neurocode.models.model import NeuronModel
from neurocode.units import parse_unit

Array = jax.Array

#: A start on a bound is moved inside by this fraction of the range, where the transform is finite.
MARGIN = 1e-4


@dataclass(frozen=True)
class Coordinates:
    """Map between the free parameters of a model (SI) and unconstrained coordinates.

    A parameter with two finite bounds goes through the logit, one with a single bound through the
    logarithm of its distance to it, one with none is scaled by its size.

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
        scale = np.where(values != 0, np.abs(values), [parse_unit(model.parameters[name].unit).scale for name in names])
        return cls(names, bounds[:, 0], bounds[:, 1], scale)

    def to_values(self, z: Array) -> dict[str, Array]:
        """Parameters in SI at coordinates ``z``."""
        x = self._forward(z)
        return {name: x[index] for index, name in enumerate(self.names)}

    def numbers(self, z: np.ndarray) -> dict[str, float]:
        """The same as plain numbers in float64."""
        return dict(zip(self.names, self._forward(np.asarray(z, float), np, expit).tolist(), strict=True))

    def to_coordinates(self, values: dict[str, float]) -> np.ndarray:
        """Coordinates of parameter values in SI; values on a bound are moved slightly inside."""
        x = np.array([values[name] for name in self.names], dtype=float)
        width = np.where(np.isfinite(self.high - self.low), self.high - self.low, self.scale)
        x = np.clip(x, self.low + MARGIN * width, self.high - MARGIN * width)
        low, high = self._finite()
        with np.errstate(all="ignore"):
            both = np.log((x - low) / (high - x))
            one = np.where(np.isfinite(self.low), np.log((x - low) / self.scale), -np.log((high - x) / self.scale))
        return np.where(self._two_sided(), both, np.where(self._one_sided(), one, x / self.scale))

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Derivative of each parameter (SI) by its coordinate."""
        low, high = self._finite()
        one = self.scale * np.exp(np.where(self._one_sided(), np.where(np.isfinite(self.low), z, -z), 0.0))
        return np.where(self._two_sided(), (high - low) * expit(z) * expit(-z), one)

    def _forward(self, z: Array, xp: ModuleType = jnp, sigmoid: Callable[[Array], Array] = jax.nn.sigmoid) -> Array:
        low, high = self._finite()
        both = low + (high - low) * sigmoid(z)
        rising = xp.exp(xp.where(self._one_sided(), z, 0.0))
        falling = xp.exp(xp.where(self._one_sided(), -z, 0.0))
        one = xp.where(np.isfinite(self.low), low + self.scale * rising, high - self.scale * falling)
        return xp.where(self._two_sided(), both, xp.where(self._one_sided(), one, z * self.scale))

    def _finite(self) -> tuple[np.ndarray, np.ndarray]:
        return np.where(np.isfinite(self.low), self.low, -1.0), np.where(np.isfinite(self.high), self.high, 1.0)

    def _two_sided(self) -> np.ndarray:
        return np.isfinite(self.low) & np.isfinite(self.high)

    def _one_sided(self) -> np.ndarray:
        return np.isfinite(self.low) ^ np.isfinite(self.high)
