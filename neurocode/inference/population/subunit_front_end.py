"""Subunits with a soft rectification, and a divisive gain that follows their recent activity."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.linear_front_end import SeparableFilters

Array = jax.Array

#: Slope of the softplus of a subunit: the larger, the sharper the rectification.
SHARPNESS = 4.0
#: Start of the weight of a subunit in the gain, as a logarithm, and of the time constant of the
#: gain in seconds.
LOG_GAIN, GAIN_TIME = -2.0, 0.15
#: Frames before a response over which the gain settles, in seconds.
GAIN_CONTEXT = 1.5


@dataclass(frozen=True)
class SubunitFrontEnd:
    """The drive is a weighted sum of rectified subunits, divided by one plus their recent activity.

    Subunit ``m`` is ``q_m = softplus(4 (filtered stimulus + b_m))/4``. The drive of a cell is
    ``sum_m w_m q_m / (1 + c)``, and ``c`` relaxes towards ``sum_m g_m q_m`` with a time constant
    (divisive gain as in Heeger 1992; the form is our choice).

    Attributes
    ----------
    filters : SeparableFilters
    n_subunits : int
        Per cell.
    dt : float
        Length of a bin in seconds.
    """

    filters: SeparableFilters
    n_subunits: int
    dt: float

    @property
    def frame_seconds(self) -> float:
        """Duration of a frame."""
        return self.dt * self.filters.bins_per_frame

    @property
    def context_frames(self) -> int:
        """Frames that come before the first response."""
        return self.filters.context_frames + round(GAIN_CONTEXT / self.frame_seconds)

    def initial(self, key: Array, n_cells: int, n_features: int) -> Weights:
        """Return small random filters and equal weights."""
        shape = (n_cells, self.n_subunits)
        return {
            **self.filters.initial(key, shape, n_features),
            "offset": jnp.zeros(shape),
            "weight": jnp.ones(shape),
            "log_gain": jnp.full(shape, LOG_GAIN),
            "log_gain_time": jnp.full((n_cells,), jnp.log(GAIN_TIME)),
        }

    def drive(self, weights: Weights, stimulus: Array) -> Array:
        """Return the drive, (lanes, cells, bins)."""
        filtered = self.filters.responses(weights, stimulus)
        column = (..., None, None, None)
        active = _rectified(filtered + weights["offset"][column])
        summed = jnp.sum(active * weights["weight"][column], axis=1)
        pooled = jnp.sum(active.mean(-1) * jnp.exp(weights["log_gain"])[..., None, None], axis=1)
        decay = jnp.exp(-self.frame_seconds / jnp.exp(weights["log_gain_time"]))
        divided = summed / (1 + _relaxed(pooled, decay[:, None, None]))[..., None]
        kept = divided[:, :, self.context_frames - self.filters.context_frames :]
        return jnp.moveaxis(kept, 1, 0).reshape(kept.shape[1], kept.shape[0], -1)

    def scaled(self, weights: Weights, gain: Array) -> Weights:
        """Return weights whose drive is ``gain`` times that of others, for each cell."""
        return {**weights, "weight": weights["weight"] * gain[:, None]}

    def penalty(self, weights: Weights) -> Array:
        """Return the penalty of each cell."""
        return self.filters.penalty(weights)


@jax.custom_jvp
def _rectified(values: Array) -> Array:
    """Return a softplus.

    Written out, with its derivative stated, it takes two thirds of the time of that of JAX.
    """
    steep = SHARPNESS * values
    return (jnp.maximum(steep, 0.0) + jnp.log1p(jnp.exp(-jnp.abs(steep)))) / SHARPNESS


@_rectified.defjvp
def _rectified_jvp(primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    return _rectified(*primals), jax.nn.sigmoid(SHARPNESS * primals[0]) * tangents[0]


def _relaxed(target: Array, decay: Array) -> Array:
    """Return a variable that relaxes towards a target along the last axis, from zero; each entry
    knows the targets before it."""
    decays = jnp.broadcast_to(decay, target.shape)

    def joined(first: tuple[Array, Array], second: tuple[Array, Array]) -> tuple[Array, Array]:
        return first[0] * second[0], second[0] * first[1] + second[1]

    values = jax.lax.associative_scan(
        joined, (decays, (1 - decays) * target), axis=target.ndim - 1
    )[1]
    return jnp.pad(values, ((0, 0),) * (target.ndim - 1) + ((1, 0),))[..., :-1]
