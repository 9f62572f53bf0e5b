"""The drive as a free function of time, for repeats of stimuli that are not known."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.knots import KNOT_BINS, between_knots, roughness

Array = jax.Array


@dataclass(frozen=True)
class TimeFrontEnd:
    """The drive is linear between knots of the only feature, which is time from -1 to 1.

    Knots reach from -2 to 2, since the mean of the feature is taken from it.

    Attributes
    ----------
    n_bins : int
        Number of bins from -1 to 1.
    """

    n_bins: int

    @property
    def context_frames(self) -> int:
        """No frame comes before the first response."""
        return 0

    @property
    def n_knots(self) -> int:
        """Number of knots."""
        return 2 * -(-self.n_bins // KNOT_BINS) + 2

    def initial(self, key: Array, n_cells: int, n_features: int) -> Weights:
        """Return knots of zero."""
        return {"knots": jnp.zeros((n_cells, self.n_knots))}

    def drive(self, weights: Weights, stimulus: Array) -> Array:
        """Return the drive, (lanes, cells, bins)."""
        last = self.n_knots - 1
        places = jnp.clip((stimulus[..., 0] + 2) * (last / 4), 0, last)
        return jnp.moveaxis(between_knots(weights["knots"], places), 0, 1)

    def scaled(self, weights: Weights, gain: Array) -> Weights:
        """Return weights whose drive is ``gain`` times that of others, for each cell."""
        return {**weights, "knots": weights["knots"] * gain[:, None]}

    def penalty(self, weights: Weights) -> Array:
        """Return the penalty of the differences between neighbouring knots, per cell."""
        return roughness(weights["knots"])
