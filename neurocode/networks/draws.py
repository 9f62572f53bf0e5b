"""Random numbers of a block in a step: they depend on the seed, the step and the lane alone."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from neurocode.networks.captured import BinomialDraws

Array = jax.Array

#: Enters the key of what is drawn once for all lanes; calls for each lane count from one.
ONCE = 0


class Draws:
    """Random numbers for the lanes of a block, a new key for every call in its text.

    Parameters
    ----------
    key : jax.Array
        Key of the block in the step.
    lanes : jax.Array or int, optional
        Numbers of the lanes, each of which then has its own key, or how many there are; without
        it one number is drawn for all.
    """

    def __init__(self, key: Array, lanes: Array | int | None) -> None:
        self.key, self.lanes, self.count = key, lanes, 0

    def __call__(self, kind: str) -> Array:
        sample = jax.random.normal if kind == "randn" else jax.random.uniform
        return self._of(lambda key, shape: sample(key, shape, jnp.float64))

    def poisson(self, mean: Array) -> Array:
        """Numbers of events of the given mean."""
        return self._of(lambda key, shape: jax.random.poisson(key, mean, shape), mean)

    def binomial(self, kind: BinomialDraws) -> Array:
        """Numbers of successes; Brian2 draws their normal approximation where it is close."""
        if kind.normal:
            return kind.n + kind.p * self("randn")
        return self._of(
            lambda key, shape: jax.random.binomial(key, kind.n, kind.p, shape, jnp.float64)
        )

    def _of(self, sample: Callable, mean: Array | float = 0.0) -> Array:
        self.count += 1
        key = jax.random.fold_in(self.key, self.count)
        if self.lanes is None:
            return sample(key, ())
        if isinstance(self.lanes, int):
            return sample(key, (self.lanes,))
        if jnp.ndim(mean):
            return jax.vmap(lambda lane, m: jax.random.poisson(jax.random.fold_in(key, lane), m))(
                self.lanes, mean
            )
        return jax.vmap(lambda lane: sample(jax.random.fold_in(key, lane), ()))(self.lanes)
