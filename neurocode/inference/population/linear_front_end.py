"""A linear filter of the stimulus: a sum of products of a spatial and a temporal filter."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from neurocode.inference.population.blocked_filter import filter_frames
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.temporal_basis import framewise, raised_cosines

Array = jax.Array

#: Standard deviation of the random start of weights.
START = 0.1


@dataclass(frozen=True)
class SeparableFilters:
    """Filters of a stimulus that are sums of ``rank`` products of space and time.

    Attributes
    ----------
    rank : int
    n_lags : int
        Longest lag in bins.
    n_functions : int
        Number of raised cosines in the logarithm of the lag.
    bins_per_frame : int
    smoothness : float
        Weight of the squared differences between neighbouring features, in nats; zero for features
        without an order.
    """

    rank: int
    n_lags: int
    n_functions: int
    bins_per_frame: int
    smoothness: float

    @property
    def context_frames(self) -> int:
        """Frames that come before the first response."""
        return -(-self.n_lags // self.bins_per_frame)

    def initial(self, key: Array, leading: tuple[int, ...], n_features: int) -> Weights:
        """Return small random weights for filters with the leading axes (cells, ...)."""
        in_space, in_time = jax.random.split(key)
        return {
            "space": START * jax.random.normal(in_space, (*leading, self.rank, n_features)),
            "time": START * jax.random.normal(in_time, (*leading, self.rank, self.n_functions)),
        }

    def responses(self, weights: Weights, stimulus: Array) -> Array:
        """Return the filtered stimulus, (leading axes, lanes, frames, bins per frame)."""
        basis = framewise(raised_cosines(self.n_lags, self.n_functions), self.bins_per_frame)
        signals = jnp.einsum("bfx,...x->...bf", stimulus, weights["space"])
        kernels = jnp.einsum("lqk,...k->...lq", jnp.asarray(basis, stimulus.dtype), weights["time"])
        return filter_frames(signals, kernels)

    def penalty(self, weights: Weights) -> Array:
        """Return the penalty of the filters of each cell."""
        space, time = weights["space"], weights["time"]
        roughness = self.smoothness * _per_cell(jnp.diff(space, axis=-1))
        return roughness + _per_cell(space) + _per_cell(time)


@dataclass(frozen=True)
class LinearFrontEnd:
    """The drive is the filtered stimulus.

    Attributes
    ----------
    filters : SeparableFilters
    """

    filters: SeparableFilters

    @property
    def context_frames(self) -> int:
        """Frames that come before the first response."""
        return self.filters.context_frames

    def initial(self, key: Array, n_cells: int, n_features: int) -> Weights:
        """Return small random weights."""
        return self.filters.initial(key, (n_cells,), n_features)

    def drive(self, weights: Weights, stimulus: Array) -> Array:
        """Return the drive, (lanes, cells, bins)."""
        responses = jnp.moveaxis(self.filters.responses(weights, stimulus), 1, 0)
        return responses.reshape(*responses.shape[:2], -1)

    def scaled(self, weights: Weights, gain: Array) -> Weights:
        """Return weights whose drive is ``gain`` times that of others, for each cell."""
        return {**weights, "time": weights["time"] * gain[:, None, None]}

    def penalty(self, weights: Weights) -> Array:
        """Return the penalty of each cell."""
        return self.filters.penalty(weights)


def _per_cell(values: Array) -> Array:
    return jnp.sum(values**2, axis=tuple(range(1, values.ndim)))
