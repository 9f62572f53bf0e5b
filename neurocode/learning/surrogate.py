"""Surrogate derivatives, which replace the derivative of a spike with respect to the membrane
potential."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.models.noise import Logistic, Triangular

Array = jax.Array
Shape = Callable[[Array], Array]


@dataclass(frozen=True)
class _Family:
    """A derivative with peak one as a function of ``y = slope x``, and its integral from zero."""

    derivative: Shape
    integral: Shape


def _ramp(y: Array) -> Array:
    inside = jnp.clip(y, -1.0, 1.0)
    return inside - 0.5 * inside * jnp.abs(inside)


def _bell(y: Array) -> Array:
    return 4.0 * Logistic.pdf(y)


def _sigmoid(y: Array) -> Array:
    return 4.0 * (Logistic.cdf(y) - 0.5)


FAMILIES: dict[str, _Family] = {
    "superspike": _Family(
        lambda y: 1.0 / (1.0 + jnp.abs(y)) ** 2, lambda y: y / (1.0 + jnp.abs(y))
    ),
    "sigmoid": _Family(_bell, _sigmoid),
    "piecewise_linear": _Family(Triangular.pdf, _ramp),
    "slayer": _Family(
        lambda y: jnp.exp(-jnp.abs(y)), lambda y: -jnp.sign(y) * jnp.expm1(-jnp.abs(y))
    ),
    "arctan": _Family(
        lambda y: 1.0 / (1.0 + (0.5 * jnp.pi * y) ** 2),
        lambda y: jnp.arctan(0.5 * jnp.pi * y) / (0.5 * jnp.pi),
    ),
    "gaussian": _Family(
        lambda y: jnp.exp(-0.5 * y**2),
        lambda y: jnp.sqrt(0.5 * jnp.pi) * jax.scipy.special.erf(y / jnp.sqrt(2.0)),
    ),
    "logistic": _Family(_bell, _sigmoid),
    "rectangular": _Family(
        lambda y: jnp.where(jnp.abs(y) < 1.0, 1.0, 0.0), lambda y: jnp.clip(y, -1.0, 1.0)
    ),
    "triangular": _Family(Triangular.pdf, _ramp),
    "constant": _Family(jnp.ones_like, lambda y: y),
    "zero": _Family(jnp.zeros_like, jnp.zeros_like),
}


@dataclass(frozen=True)
class Surrogate:
    """A spike whose derivative with respect to the distance to threshold ``x`` is ``height h(slope
    x)``, with ``h(0) = 1``.

    Attributes
    ----------
    family : str
        ``"superspike"``: derivative of the fast sigmoid (Zenke & Ganguli 2018); ``"sigmoid"``, also
        named ``"logistic"``: derivative of the logistic function; ``"piecewise_linear"`` (Esser et
        al. 2016), also named ``"triangular"``: density of triangular noise; ``"slayer"``: two-sided
        exponential (Shrestha & Orchard 2018; Baronig et al. 2025 write ``slope = alpha``, ``height
        = c alpha/2``); ``"arctan"``; ``"gaussian"``; ``"rectangular"``. Controls are ``"constant"``
        (one everywhere) and ``"zero"``, the true derivative.
    slope : float
        Inverse width, in units of the inverse margin.
    height : float
        Peak. The logistic derivative as written in Zenke & Vogels 2021 has ``height = 0.25``.
    asymptotic : bool
        Whether to multiply by the slope, so that the area under the derivative does not depend on
        it (the "asymptotic" magnitude of Zenke & Vogels 2021). Otherwise the peak does not depend
        on it ("normalised").
    smooth : bool
        Whether the spike itself is the integral of the derivative plus one half instead of a step,
        which serves to check gradients.

    Raises
    ------
    ModelError
        For an unknown family, or a slope or height that is not positive.

    Examples
    --------
    >>> spike = Surrogate("superspike", slope=10.0)
    >>> float(jax.grad(spike)(0.1))
    0.25
    """

    family: str = "superspike"
    slope: float = 10.0
    height: float = 1.0
    asymptotic: bool = False
    smooth: bool = False

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ModelError(
                f"'{self.family}' is not a surrogate derivative; known are {', '.join(FAMILIES)}."
            )
        if not 0 < self.slope < math.inf or not 0 < self.height < math.inf:
            raise ModelError(
                f"Slope and height of a surrogate derivative must be positive, not {self.slope} "
                f"and {self.height}."
            )

    @property
    def peak(self) -> float:
        """Derivative at threshold."""
        return self.height * self.slope if self.asymptotic else self.height

    def derivative(self, x: Array) -> Array:
        """Return the derivative at the distance ``x`` to threshold."""
        return self.peak * FAMILIES[self.family].derivative(self.slope * x)

    def __call__(self, x: Array) -> Array:
        """Return one above threshold and zero at or below it, in the type of ``x``."""
        if self.smooth:
            return 0.5 + self.peak / self.slope * FAMILIES[self.family].integral(self.slope * x)
        return _step(self, jnp.asarray(x, jnp.result_type(x, float)))


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _step(surrogate: Surrogate, x: Array) -> Array:
    return (x > 0).astype(x.dtype)


@_step.defjvp
def _step_rule(
    surrogate: Surrogate, primals: tuple[Array], tangents: tuple[Array]
) -> tuple[Array, Array]:
    return _step(surrogate, *primals), surrogate.derivative(primals[0]) * tangents[0]
