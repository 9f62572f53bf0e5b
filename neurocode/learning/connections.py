"""Connections between layers: how the spikes of one become the input of the next."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.learning.timeloop import Recurrence, late

Array = jax.Array


def uniform_weights(key: Array, shape: tuple[int, ...], fan_in: int) -> Array:
    """Weights uniform between plus and minus one over the root of the number of inputs."""
    bound = 1.0 / np.sqrt(fan_in)
    return jax.random.uniform(key, shape, minval=-bound, maxval=bound)


class Dense(eqx.Module):
    """All to all.

    Parameters
    ----------
    n_in, n_out : int
    bias : bool
    delay : sequence of int, optional
        Steps by which each input arrives late.
    key : jax.Array
        Weights are uniform within ``1/sqrt(n_in)``; biases start at zero.

    Raises
    ------
    ModelError
        For delays that are negative or not one for each input.
    """

    weight: Array
    bias: Array | None
    delay: tuple[int, ...] | None = eqx.field(static=True)

    def __init__(self, n_in: int, n_out: int, *, bias: bool = True, delay: tuple[int, ...] | None = None, key: Array) -> None:
        self.weight = uniform_weights(key, (n_in, n_out), n_in)
        self.bias = jnp.zeros(n_out) if bias else None
        self.delay = None if delay is None else _checked(delay, n_in, 0)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.weight.shape[0]

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.weight.shape[1]

    def __call__(self, x: Array) -> Array:
        """Weighted sums of inputs (time, batch, n_in)."""
        product = (x if self.delay is None else late(x, self.delay)) @ self.weight
        return product if self.bias is None else product + self.bias


class Convolution(eqx.Module):
    """Two-dimensional convolution of every time step, followed by average pooling.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of the input, which arrives flattened in this order.
    channels, size : int
        Of the output, and of the square kernel; the border is padded with zeros to keep the size.
    pool : int
        Side of the squares that are averaged.
    key : jax.Array

    Raises
    ------
    ModelError
        If the side of the pooling does not divide height and width.
    """

    weight: Array
    bias: Array
    shape: tuple[int, int, int] = eqx.field(static=True)
    pool: int = eqx.field(static=True)

    def __init__(self, shape: tuple[int, int, int], channels: int, size: int = 3, *, pool: int = 1, key: Array) -> None:
        if shape[1] % pool or shape[2] % pool:
            raise ModelError(f"Squares of {pool} do not tile an image of {shape[1]} by {shape[2]}.")
        self.weight = uniform_weights(key, (channels, shape[0], size, size), shape[0] * size**2)
        self.bias = jnp.zeros(channels)
        self.shape, self.pool = shape, pool

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(np.prod(self.shape))

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the output."""
        return self.weight.shape[0], self.shape[1] // self.pool, self.shape[2] // self.pool

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(np.prod(self.out_shape))

    def __call__(self, x: Array) -> Array:
        """Outputs (time, batch, n_out) of inputs (time, batch, n_in)."""
        images = x.reshape(-1, *self.shape)
        found = jax.lax.conv_general_dilated(images, self.weight, (1, 1), "SAME") + self.bias[:, None, None]
        channels, height, width = self.out_shape
        found = found.reshape(-1, channels, height, self.pool, width, self.pool).mean(axis=(3, 5))
        return found.reshape(*x.shape[:2], self.n_out)


class Recurrent(eqx.Module):
    """All to all inside a layer, self-connections included.

    Parameters
    ----------
    n : int
    delay : sequence of int, optional
        Steps from a spike of each neuron to its effect; one where not given.
    gradient : bool
        Whether gradients flow back through the connections; their weights learn in any case.
    orthogonal : bool
        Orthogonal weights instead of uniform ones.
    key : jax.Array

    Raises
    ------
    ModelError
        For delays below one or not one for each neuron.
    """

    weight: Array
    delay: tuple[int, ...] = eqx.field(static=True)
    gradient: bool = eqx.field(static=True)

    def __init__(
        self, n: int, *, delay: tuple[int, ...] | None = None, gradient: bool = True, orthogonal: bool = False, key: Array
    ) -> None:
        self.weight = jax.nn.initializers.orthogonal()(key, (n, n)) if orthogonal else uniform_weights(key, (n, n), n)
        self.delay = (1,) * n if delay is None else _checked(delay, n, 1)
        self.gradient = gradient

    @property
    def recurrence(self) -> Recurrence:
        """As the time loop takes it."""
        return Recurrence(self.weight, self.delay, self.gradient)


def _checked(delay: tuple[int, ...], n: int, least: int) -> tuple[int, ...]:
    steps = tuple(int(d) for d in delay)
    if len(steps) != n or min(steps) < least:
        raise ModelError(f"Delays must be {n} whole numbers of at least {least} steps.")
    return steps
