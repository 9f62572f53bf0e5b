"""Learned axonal delays: whole steps in the forward pass, and a derivative with respect to the
delay in the backward pass.

A network runs with rounded delays, so at any moment it is a network of whole delays, which Brian2
reproduces spike for spike. The derivative with respect to a delay is that of the spike train after
smoothing by a box of ``2 WIDTH`` steps: the train ``WIDTH`` steps later minus that ``WIDTH`` steps
earlier, divided by ``2 WIDTH``. This derivative is our choice, not from a paper; Hammouamri,
Khalfaoui-Hassani, Masquelier 2024 learn delays with kernels that narrow during training.
"""

from __future__ import annotations

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.learning import Dense, Network

Array = jax.Array

#: Half the width of the box that smooths a train for its derivative, and the change of a delay per
#: unit of the learned value, both in steps.
WIDTH, SCALE = 2, 10.0


def shifted(x: Array, delay: Array) -> Array:
    """Return trains (time, batch, n) that are shifted by whole steps, a number for each of the n
    trains.

    Positive numbers shift a train to later times. Steps into which nothing is shifted are zero.
    """
    steps = jnp.arange(len(x))[:, None] - delay[None, :]
    moved = jnp.take_along_axis(x, jnp.clip(steps, 0, len(x) - 1)[:, None, :], axis=0)
    return moved * ((steps >= 0) & (steps < len(x)))[:, None, :]


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def delayed(x: Array, delay: Array, longest: int) -> Array:
    """Return trains delayed by their delays, which are rounded and clipped to zero and
    ``longest``."""
    return shifted(x, whole(delay, longest))


def whole(delay: Array, longest: int) -> Array:
    """Return the delays in whole steps."""
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
    """All-to-all connection with a learned delay of every input.

    Parameters
    ----------
    n_in, n_out : int
    longest : int
        Longest delay in steps; initial delays are uniform between zero and half of it.
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
        """Whole delays in steps with which the network runs."""
        return tuple(int(step) for step in np.asarray(whole(SCALE * self.place, self.longest)))

    def __call__(self, x: Array) -> Array:
        """Weighted sums of delayed inputs (time, batch, n_in)."""
        return delayed(x, SCALE * self.place, self.longest) @ self.weight + self.bias

    def settled(self) -> Dense:
        """Return the same connection with its current delays fixed."""
        dense = Dense(self.n_in, self.n_out, delay=self.steps, key=jax.random.key(0))
        return eqx.tree_at(lambda part: (part.weight, part.bias), dense, (self.weight, self.bias))


def settled(network: Network) -> Network:
    """Return the network with fixed delays, which Brian2 can run and a file can store."""
    return jax.tree.map(
        lambda part: part.settled() if isinstance(part, DelayedDense) else part,
        network,
        is_leaf=lambda part: isinstance(part, DelayedDense),
    )
