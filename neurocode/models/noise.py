"""Escape noise: the probability of a spike in one time step as a function of the margin.

The margin x is the distance of the membrane potential to the threshold. Threshold noise with
distribution function F gives ``P(spike) = F(x)``; the exponential escape rate gives
``P(spike) = 1 - exp(-rate exp(x / scale) dt)``. The density ``f = dP/dx`` is the matching surrogate
derivative (Ma, Yan, Tang 2023). Diffusive noise is part of the equations, as ``xi``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr

from neurocode.errors import ModelError
from neurocode.models.names import check_name

Array = jax.Array
#: Values by name; a plain number counts as an array without axes.
Values = Mapping[str, Array | np.ndarray | float]

#: Log probability of an event that is impossible under a family with bounded support.
LOG_IMPOSSIBLE = -700.0


class Gaussian:
    """Threshold noise N(0, scale^2)."""

    @staticmethod
    @jax.custom_jvp
    def cdf(y: Array) -> Array:
        return 0.5 * jax.lax.erfc(-jnp.sqrt(0.5).astype(jnp.result_type(y)) * y)

    @staticmethod
    def pdf(y: Array) -> Array:
        return jnp.exp(-0.5 * y**2) / jnp.sqrt(2 * jnp.pi)

    @staticmethod
    def log_probabilities(y: Array) -> tuple[Array, Array]:
        return log_ndtr(y), log_ndtr(-y)

    text = "normal_cdf({y})"


@Gaussian.cdf.defjvp
def _density_for_slope(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """Differentiate the distribution function by its density, which takes one exponential instead
    of the three of its branches."""
    return Gaussian.cdf(*primals), Gaussian.pdf(*primals) * tangents[0]


class Logistic:
    """Threshold noise with distribution function 1 / (1 + exp(-y))."""

    @staticmethod
    def cdf(y: Array) -> Array:
        return jax.nn.sigmoid(y)

    @staticmethod
    def pdf(y: Array) -> Array:
        return jax.nn.sigmoid(y) * jax.nn.sigmoid(-y)

    @staticmethod
    def log_probabilities(y: Array) -> tuple[Array, Array]:
        return jax.nn.log_sigmoid(y), jax.nn.log_sigmoid(-y)

    text = "1/(1 + exp(-clip({y}, -700, 700)))"


class _Bounded(ABC):
    @staticmethod
    @abstractmethod
    def cdf(y: Array) -> Array:
        """Return the distribution function."""

    @classmethod
    def log_probabilities(cls, y: Array) -> tuple[Array, Array]:
        return _guarded_log(cls.cdf(y)), _guarded_log(cls.cdf(-y))


class Triangular(_Bounded):
    """Threshold noise with a triangular density on (-scale, scale)."""

    @staticmethod
    def cdf(y: Array) -> Array:
        return 0.5 + 0.5 * jnp.clip(1 + y, 0, 1) ** 2 - 0.5 * jnp.clip(1 - y, 0, 1) ** 2

    @staticmethod
    def pdf(y: Array) -> Array:
        return jnp.maximum(0.0, 1 - jnp.abs(y))

    text = "0.5 + 0.5*clip(1 + {y}, 0, 1)**2 - 0.5*clip(1 - {y}, 0, 1)**2"


class Uniform(_Bounded):
    """Threshold noise with a uniform density on (-scale, scale)."""

    @staticmethod
    def cdf(y: Array) -> Array:
        return jnp.clip(0.5 * (1 + y), 0, 1)

    @staticmethod
    def pdf(y: Array) -> Array:
        return jnp.where(jnp.abs(y) <= 1, 0.5, 0.0)

    text = "clip(0.5*(1 + {y}), 0, 1)"


THRESHOLD_FAMILIES = {
    "gaussian": Gaussian,
    "logistic": Logistic,
    "triangular": Triangular,
    "uniform": Uniform,
}
FAMILIES = (*THRESHOLD_FAMILIES, "exponential")


@dataclass(frozen=True)
class EscapeNoise:
    """A family of escape noise and the parameters that set it.

    Attributes
    ----------
    family : {"gaussian", "logistic", "triangular", "uniform", "exponential"}
        The first four are threshold noise; the last is the escape rate
        ``rate * exp(margin / scale)`` (Pozzorini et al. 2015).
    scale : str
        Name of the parameter that holds the width, in the unit of the margin: standard deviation
        (gaussian), scale (logistic), half width (triangular, uniform) or e-fold (exponential).
    rate : str
        Name of the parameter that holds the rate at zero margin; exponential only.
    lapse : str
        Name of the parameter that holds a rate that is added at every margin, so that no spike is
        impossible; exponential only, optional.
    ceiling : str
        Name of the parameter that holds the rate at which the escape rate saturates, so that no
        missing spike is impossible; exponential only, optional.

    Examples
    --------
    >>> noise = EscapeNoise("gaussian", scale="sigma")
    >>> float(noise.probability(0.0, {"sigma": 0.3}, dt=1e-3))
    0.5
    """

    family: str
    scale: str
    rate: str = ""
    lapse: str = ""
    ceiling: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise ModelError(
                f"'{self.family}' is not a family of escape noise; known are {', '.join(FAMILIES)}."
            )
        if bool(self.rate) != (self.family == "exponential"):
            raise ModelError(
                "Escape noise takes a rate if and only if its family is 'exponential'."
            )
        if (self.lapse or self.ceiling) and self.family != "exponential":
            raise ModelError(
                "Only the exponential family of escape noise takes a lapse rate and a ceiling."
            )
        for name in (
            self.scale,
            *(name for name in (self.rate, self.lapse, self.ceiling) if name != ""),
        ):
            check_name(name, "parameter of the escape noise")

    @property
    def parameter_names(self) -> tuple[str, ...]:
        """Names of the model parameters that the noise reads."""
        return tuple(name for name in (self.scale, self.rate, self.lapse, self.ceiling) if name)

    def probability(self, margin: Array, parameters: Values, dt: float) -> Array:
        """Probability of a spike in a step of ``dt`` seconds."""
        y = margin / parameters[self.scale]
        if self.family == "exponential":
            return -jnp.expm1(-jnp.exp(self._log_hazard(y, parameters, dt)))
        return THRESHOLD_FAMILIES[self.family].cdf(y)

    def density(self, margin: Array, parameters: Values, dt: float) -> Array:
        """Derivative of :meth:`probability` with respect to the margin, per unit of the margin."""
        scale = parameters[self.scale]
        if self.family == "exponential":
            hazard = jnp.exp(self._log_hazard(margin / scale, parameters, dt))
            escape = self._log_escape(margin / scale, parameters, dt)
            free = (
                jax.nn.sigmoid(jnp.log(parameters[self.ceiling] * dt) - escape)
                if self.ceiling
                else 1.0
            )
            return free * free * jnp.exp(escape) * jnp.exp(-hazard) / scale
        return THRESHOLD_FAMILIES[self.family].pdf(margin / scale) / scale

    def log_probabilities(
        self, margin: Array, parameters: Values, dt: float
    ) -> tuple[Array, Array]:
        """Logarithms of the probabilities of a spike and of no spike, exact in both tails."""
        y = margin / parameters[self.scale]
        if self.family != "exponential":
            return THRESHOLD_FAMILIES[self.family].log_probabilities(y)
        log_hazard = self._log_hazard(y, parameters, dt)
        hazard = jnp.exp(log_hazard)
        rare = log_hazard < -12.0
        log_spike = jnp.where(
            rare, log_hazard - 0.5 * hazard, jnp.log(-jnp.expm1(-jnp.where(rare, 1.0, hazard)))
        )
        return log_spike, -hazard

    def brian_text(self, margin: str) -> str:
        """Probability of a spike in a step, as a Brian2 expression that contains the margin."""
        y = f"(({margin})/{self.scale})"
        if self.family == "exponential":
            escape = f"{self.rate}*dt*exp(clip({y}, -700, 50))"
            escape = f"1/(1/({escape}) + 1/({self.ceiling}*dt))" if self.ceiling else escape
            return (
                f"1 - exp(-({escape} + {self.lapse}*dt))" if self.lapse else f"1 - exp(-{escape})"
            )
        return THRESHOLD_FAMILIES[self.family].text.format(y=y)

    def _log_hazard(self, y: Array, parameters: Values, dt: float) -> Array:
        escape = self._log_escape(y, parameters, dt)
        if self.ceiling:
            escape = escape - jax.nn.softplus(escape - jnp.log(parameters[self.ceiling] * dt))
        return jnp.logaddexp(escape, jnp.log(parameters[self.lapse] * dt)) if self.lapse else escape

    def _log_escape(self, y: Array, parameters: Values, dt: float) -> Array:
        return jnp.clip(y, -700, 50) + jnp.log(parameters[self.rate] * dt)


def _guarded_log(probability: Array) -> Array:
    possible = probability > 0
    return jnp.where(possible, jnp.log(jnp.where(possible, probability, 1.0)), LOG_IMPOSSIBLE)
