"""Axonal delays that are learned: whole steps forward, and a derivative by the delay going back.

A network is run with its delays rounded, so it is at any moment one with whole delays, which Brian2
runs spike for spike. The derivative of a spike train by its delay is taken of the train smoothed by
a box of ``2 WIDTH`` steps: the difference of the trains that come ``WIDTH`` steps later and
earlier, over that distance (ours; Hammouamri, Khalfaoui-Hassani, Masquelier 2024 learn delays by
kernels that narrow while they train).
"""

from __future__ import annotations

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.learning import Dense, Network

Array = jax.Array

#: Half of the box that smooths a train for its derivative, and delays that a change of one in a
#: learned value makes, in steps.
WIDTH, SCALE = 2, 10.0


def shifted(x: Array, delay: Array) -> Array:
    """Trains (time, batch, n), each later by its own number of whole steps, or earlier; zero where
    nothing came yet."""
    steps = jnp.arange(len(x))[:, None] - delay[None, :]
    moved = jnp.take_along_axis(x, jnp.clip(steps, 0, len(x) - 1)[:, None, :], axis=0)
    return moved * ((steps >= 0) & (steps < len(x)))[:, None, :]


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def delayed(x: Array, delay: Array, longest: int) -> Array:
    """Trains later by their delays, rounded and kept between zero and the longest."""
    return shifted(x, whole(delay, longest))


def whole(delay: Array, longest: int) -> Array:
    """Delays in whole steps."""
    return jnp.clip(jnp.round(delay), 0, longest).astype(jnp.int32)


def _forward(x: Array, delay: Array, longest: int) -> tuple[Array, tuple[Array, Array]]:
    return delayed(x, delay, longest), (x, delay)


def _backward(longest: int, kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    x, delay = kept
    steps = whole(delay, longest)
    change = (shifted(x, steps + WIDTH) - shifted(x, steps - WIDTH)) / (2 * WIDTH)
    return shifted(slope, -steps), jnp.sum(slope * change, axis=(0, 1))


delayed.defvjp(_forward, _backward)


class DelayedDense(Dense):
    """All to all, with a learned delay of every input.

    Parameters
    ----------
    n_in, n_out : int
    longest : int
        Delay in steps; they start uniformly between none and half of it.
    key : jax.Array
    """

    place: Array
    longest: int = eqx.field(static=True)

    def __init__(self, n_in: int, n_out: int, longest: int, *, key: Array) -> None:
        first, second = jax.random.split(key)
        super().__init__(n_in, n_out, key=first)
        self.longest = longest
        self.place = jax.random.uniform(second, (n_in,), maxval=longest / 2) / SCALE

    @property
    def steps(self) -> tuple[int, ...]:
        """Delays that the network is run with."""
        return tuple(int(step) for step in np.asarray(whole(SCALE * self.place, self.longest)))

    def __call__(self, x: Array) -> Array:
        """Weighted sums of delayed inputs (time, batch, n_in)."""
        return delayed(x, SCALE * self.place, self.longest) @ self.weight + self.bias

    def settled(self) -> Dense:
        """The same connection with its delays as they are."""
        dense = Dense(self.n_in, self.n_out, delay=self.steps, key=jax.random.key(0))
        return eqx.tree_at(lambda own: (own.weight, own.bias), dense, (self.weight, self.bias))


def settled(network: Network) -> Network:
    """A network whose delays do not learn any more, which Brian2 and a file take."""
    return jax.tree.map(
        lambda part: part.settled() if isinstance(part, DelayedDense) else part,
        network,
        is_leaf=lambda part: isinstance(part, DelayedDense),
    )
