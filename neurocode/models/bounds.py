"""Bounded numbers as coordinates: the one map that fits climb along and networks learn along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.special import expit

Array = jax.Array


@dataclass(frozen=True)
class Bounds:
    """Numbers between bounds, and coordinates for them.

    A number with two finite bounds goes through the logit, one with a single bound through the
    logarithm of its distance to it, one with none is scaled by its size. With ``place`` a number
    with two bounds is its place between them instead, from 0 to 1: what learns it clips it there
    after every update, as published networks do (Baronig et al. 2025).

    Attributes
    ----------
    low, high, scale : float or numpy.ndarray
        Bounds, minus or plus infinity where there is none, and sizes: of one number or of several.
    place : bool

    Examples
    --------
    >>> Bounds(0.0, np.inf, 2.0).coordinate(2.0), float(Bounds(0.0, np.inf, 2.0).value(0.0, np))
    (np.float64(0.0), 2.0)
    >>> float(Bounds(1.0, 5.0, 1.0, place=True).value(0.25))
    2.0
    """

    low: float | np.ndarray
    high: float | np.ndarray
    scale: float | np.ndarray
    place: bool = False

    @property
    def two_sided(self) -> np.ndarray | np.bool_:
        """Which have both bounds."""
        return np.isfinite(self.low) & np.isfinite(self.high)

    @property
    def one_sided(self) -> np.ndarray | np.bool_:
        """Which have a single bound."""
        return np.isfinite(self.low) ^ np.isfinite(self.high)

    def value(
        self, z: Array, xp: ModuleType = jnp, sigmoid: Callable[[Array], Array] = jax.nn.sigmoid
    ) -> Array:
        """Numbers at coordinates ``z``, computed by NumPy or by JAX."""
        low, high = self._finite()

        def exponential(sign: int) -> Array:
            return xp.exp(_choose(xp, self.one_sided, lambda: z if sign > 0 else -z, lambda: 0.0))

        def one_bound() -> Array:
            rising, falling = exponential(1), exponential(-1)
            return _choose(
                xp,
                np.isfinite(self.low),
                lambda: low + self.scale * rising,
                lambda: high - self.scale * falling,
            )

        return _choose(
            xp,
            self.two_sided,
            lambda: low + (high - low) * (z if self.place else sigmoid(z)),
            lambda: _choose(xp, self.one_sided, one_bound, lambda: z * self.scale),
        )

    def coordinate(self, x: np.ndarray) -> np.ndarray:
        """Coordinates of numbers that lie inside their bounds."""
        low, high = self._finite()
        with np.errstate(all="ignore"):
            both = (x - low) / (high - low) if self.place else np.log((x - low) / (high - x))
            one = np.where(
                np.isfinite(self.low),
                np.log((x - low) / self.scale),
                -np.log((high - x) / self.scale),
            )
            return np.where(self.two_sided, both, np.where(self.one_sided, one, x / self.scale))[()]

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Derivative of each number by its coordinate."""
        low, high = self._finite()
        one = self.scale * np.exp(
            np.where(self.one_sided, np.where(np.isfinite(self.low), z, -z), 0.0)
        )
        both = high - low if self.place else (high - low) * expit(z) * expit(-z)
        return np.where(self.two_sided, both, one)

    def _finite(self) -> tuple[Any, Any]:
        """Bounds with numbers that are computed with, and not used, in the place of those that are
        missing."""
        return tuple(
            _choose(np, np.isfinite(bound), lambda bound=bound: bound, lambda other=other: other)
            for bound, other in ((self.low, -1.0), (self.high, 1.0))
        )


def _choose(
    xp: ModuleType, chosen: np.ndarray | np.bool_, yes: Callable[[], Any], no: Callable[[], Any]
) -> Any:
    """One or the other, of one number without computing both."""
    if np.ndim(chosen) == 0:
        return yes() if chosen else no()
    return xp.where(chosen, yes(), no())
