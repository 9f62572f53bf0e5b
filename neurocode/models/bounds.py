"""The map between bounded numbers and coordinates in which fits climb and networks learn."""

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

    The coordinate of a number with two finite bounds is its logit, that of a number with a single
    bound the logarithm of its distance to the bound, and that of a number without bounds a multiple
    of its size. With ``place`` the coordinate of a number with two bounds is instead its relative
    position between them, from 0 to 1; training clips it there after every update, as published
    networks do (Baronig et al. 2025).

    Attributes
    ----------
    low, high, scale : float or numpy.ndarray
        Bounds (minus or plus infinity if there is none) and sizes of one number or of several.
    place : bool
        Whether the coordinate of a number with two bounds is its relative position between them.

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
        """Which numbers have two finite bounds."""
        return np.isfinite(self.low) & np.isfinite(self.high)

    @property
    def one_sided(self) -> np.ndarray | np.bool_:
        """Which numbers have a single finite bound."""
        return np.isfinite(self.low) ^ np.isfinite(self.high)

    def value(
        self,
        z: Array | np.ndarray,
        xp: ModuleType = jnp,
        sigmoid: Callable[[Any], Any] = jax.nn.sigmoid,
    ) -> Any:
        """Return the numbers at coordinates ``z``, computed by NumPy or JAX."""
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
        """Return the coordinates of numbers that lie inside their bounds."""
        low, high = self._finite()
        with np.errstate(all="ignore"):
            between = (x - low) / (high - low) if self.place else np.log((x - low) / (high - x))
            beyond = np.where(
                np.isfinite(self.low),
                np.log((x - low) / self.scale),
                -np.log((high - x) / self.scale),
            )
            open_ended = np.where(self.one_sided, beyond, x / self.scale)
            return np.where(self.two_sided, between, open_ended)[()]

    def slope(self, z: np.ndarray) -> np.ndarray:
        """Return the derivative of each number with respect to its coordinate."""
        low, high = self._finite()
        beyond = self.scale * np.exp(
            np.where(self.one_sided, np.where(np.isfinite(self.low), z, -z), 0.0)
        )
        between = high - low if self.place else (high - low) * expit(z) * expit(-z)
        return np.where(self.two_sided, between, beyond)

    def _finite(self) -> tuple[Any, Any]:
        """Return the bounds with finite placeholders for infinite ones, so that branches that are
        not used stay finite."""
        return tuple(
            _choose(
                np,
                np.isfinite(bound),
                lambda bound=bound: bound,
                lambda placeholder=placeholder: placeholder,
            )
            for bound, placeholder in ((self.low, -1.0), (self.high, 1.0))
        )


def _choose(
    xp: ModuleType, chosen: np.ndarray | np.bool_, yes: Callable[[], Any], no: Callable[[], Any]
) -> Any:
    """Choose between the values of two functions; for a scalar condition only one is called."""
    if np.ndim(chosen) == 0:
        return yes() if chosen else no()
    return xp.where(chosen, yes(), no())
