"""Connections between layers: how the spikes of one become the input of the next."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.learning.timeloop import Recurrence, late

Array = jax.Array

#: Number added to a variance before its square root is taken.
VARIANCE_FLOOR = 1e-5


def uniform_weights(key: Array, shape: tuple[int, ...], fan_in: int) -> Array:
    """Return weights drawn uniformly between plus and minus one over the square root of the number
    of inputs.

    The number of values drawn is rounded up to a power of two, because compiling a draw of a new
    size takes longer than the draw itself.
    """
    bound, size = 1.0 / np.sqrt(fan_in), int(np.prod(shape))
    drawn = jax.random.uniform(
        key, (1 << max(size - 1, 0).bit_length(),), minval=-bound, maxval=bound
    )
    return drawn[:size].reshape(shape)


class Dense(eqx.Module):
    """All-to-all connection.

    Parameters
    ----------
    n_in, n_out : int
    bias : bool
    delay : sequence of int, optional
        Number of steps by which each input is delayed.
    key : jax.Array
        Weights are uniform within ``1/sqrt(n_in)``; biases start at zero.

    Raises
    ------
    ModelError
        For negative delays, or another number of delays than inputs.
    """

    weight: Array
    bias: Array | None
    delay: tuple[int, ...] | None = eqx.field(static=True)

    def __init__(
        self,
        n_in: int,
        n_out: int,
        *,
        bias: bool = True,
        delay: tuple[int, ...] | None = None,
        key: Array,
    ) -> None:
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

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step."""
        return self.weight.size

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
        Number of channels of the output, and side of the square kernel; the border is padded with
        zeros to keep the size.
    pool : int
        Side of the squares of pixels that are averaged.
    stride : int
        Distance in pixels from one position of the kernel to the next.
    bias : bool
    key : jax.Array

    Raises
    ------
    ModelError
        If the side of the pooling does not divide height and width.
    """

    weight: Array
    bias: Array | None
    shape: tuple[int, int, int] = eqx.field(static=True)
    pool: int = eqx.field(static=True)
    stride: int = eqx.field(static=True)

    def __init__(
        self,
        shape: tuple[int, int, int],
        channels: int,
        size: int = 3,
        *,
        pool: int = 1,
        stride: int = 1,
        bias: bool = True,
        key: Array,
    ) -> None:
        _require_tiles(shape, pool * stride)
        self.weight = uniform_weights(key, (channels, shape[0], size, size), shape[0] * size**2)
        self.bias = jnp.zeros(channels) if bias else None
        self.shape, self.pool, self.stride = shape, pool, stride

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(np.prod(self.shape))

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the output."""
        shrink = self.pool * self.stride
        return self.weight.shape[0], self.shape[1] // shrink, self.shape[2] // shrink

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(np.prod(self.out_shape))

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step."""
        return self.weight.size * self.n_out * self.pool**2 // self.weight.shape[0]

    def __call__(self, x: Array) -> Array:
        """Outputs (time, batch, n_out) of inputs (time, batch, n_in)."""
        images, border = x.reshape(-1, *self.shape), (self.weight.shape[-1] - 1) // 2
        after = self.weight.shape[-1] - 1 - border
        # channels come last: the gradient with respect to the weights then takes two thirds of the
        # time on CPUs
        outputs = jax.lax.conv_general_dilated(
            jnp.moveaxis(images, 1, -1),
            self.weight.transpose(2, 3, 1, 0),
            (self.stride,) * 2,
            [(border, after)] * 2,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )
        outputs = outputs if self.bias is None else outputs + self.bias
        channels, height, width = self.out_shape
        pools = outputs.reshape(-1, height, self.pool, width, self.pool, channels)
        return jnp.moveaxis(pools.mean(axis=(2, 4)), -1, 1).reshape(*x.shape[:2], self.n_out)


class Pool(eqx.Module):
    """Average or maximum pooling over squares of an image, in every time step.

    Parameters
    ----------
    shape : (int, int, int)
        Channels, height and width of the input, which arrives flattened in this order.
    side : int
        Side of the squares.
    highest : bool
        Whether to take the highest value instead of the mean.

    Raises
    ------
    ModelError
        If the side does not divide height and width.
    """

    shape: tuple[int, int, int] = eqx.field(static=True)
    side: int = eqx.field(static=True)
    highest: bool = eqx.field(static=True)

    def __init__(self, shape: tuple[int, int, int], side: int, *, highest: bool = False) -> None:
        _require_tiles(shape, side)
        self.shape, self.side, self.highest = shape, side, highest

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return int(np.prod(self.shape))

    @property
    def out_shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the output."""
        return self.shape[0], self.shape[1] // self.side, self.shape[2] // self.side

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return int(np.prod(self.out_shape))

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step: none."""
        return 0

    def __call__(self, x: Array) -> Array:
        """Outputs (time, batch, n_out) of inputs (time, batch, n_in)."""
        channels, height, width = self.out_shape
        squares = x.reshape(*x.shape[:2], channels, height, self.side, width, self.side)
        outputs = squares.max(axis=(4, 6)) if self.highest else squares.mean(axis=(4, 6))
        return outputs.reshape(*x.shape[:2], self.n_out)


class BatchNorm(eqx.Module):
    """Normalisation of every channel over batch and time (Ioffe & Szegedy 2015), then a learned
    scale and shift.

    In training the mean and variance are those of the batch. Otherwise they are those that
    :func:`calibrated` measured last.

    Parameters
    ----------
    n : int
        Number of inputs.
    channels : int, optional
        Number of channels into which the inputs divide, channel first; without it each input is a
        channel of its own.
    scale : float
        Initial value of the learned scale.
    """

    scale: Array
    shift: Array
    mean: Array
    variance: Array
    n: int = eqx.field(static=True)

    def __init__(self, n: int, channels: int | None = None, scale: float = 1.0) -> None:
        channels = channels or n
        if n % channels:
            raise ModelError(f"{n} inputs do not divide into {channels} channels.")
        self.n, self.scale, self.shift = n, jnp.full(channels, scale), jnp.zeros(channels)
        self.mean, self.variance = jnp.zeros(channels), jnp.ones(channels)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.n

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.n

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step: none, once merged into the weights before it."""
        return 0

    @property
    def learns(self) -> BatchNorm:
        """Which of the arrays are learned: scale and shift."""
        return eqx.tree_at(
            lambda b: (b.scale, b.shift, b.mean, b.variance), self, (True, True, False, False)
        )

    def measured(self, x: Array) -> BatchNorm:
        """Return a copy that holds the mean and variance of inputs (time, batch, n)."""
        x = x.reshape(*x.shape[:2], len(self.scale), -1)
        return eqx.tree_at(
            lambda b: (b.mean, b.variance), self, (x.mean(axis=(0, 1, 3)), x.var(axis=(0, 1, 3)))
        )

    def __call__(self, x: Array, training: bool = False) -> Array:
        """Normalised inputs (time, batch, n)."""
        norm = self.measured(x) if training else self
        gain = norm.scale * jax.lax.rsqrt(norm.variance + VARIANCE_FLOOR)
        size = self.n // len(self.scale)
        return x * jnp.repeat(gain, size) + jnp.repeat(norm.shift - gain * norm.mean, size)


class Chain(eqx.Module):
    """Connections applied one after another without neurons in between, such as pooling, a
    convolution and its normalisation.

    Parameters
    ----------
    parts : list of Dense, Convolution, Pool or BatchNorm

    Raises
    ------
    ModelError
        If the number of outputs of a part is not the number of inputs of the next.
    """

    parts: tuple[Dense | Convolution | Pool | BatchNorm, ...]

    def __init__(self, parts: Sequence[Dense | Convolution | Pool | BatchNorm]) -> None:
        for before, after in itertools.pairwise(parts):
            if before.n_out != after.n_in:
                raise ModelError(
                    f"{type(after).__name__} takes {after.n_in} inputs, {type(before).__name__} "
                    f"has {before.n_out}."
                )
        self.parts = tuple(parts)

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.parts[0].n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.parts[-1].n_out

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step."""
        return sum(part.operations for part in self.parts)

    def __call__(self, x: Array, training: bool = False) -> Array:
        """Outputs (time, batch, n_out) of inputs (time, batch, n_in)."""
        for part in self.parts:
            x = part(x, training) if isinstance(part, BatchNorm) else part(x)
        return x

    def measured(self, x: Array) -> Chain:
        """Return a copy whose normalisations hold the mean and variance of inputs (time, batch,
        n_in)."""
        parts = []
        for part in self.parts:
            parts.append(part.measured(x) if isinstance(part, BatchNorm) else part)
            x = parts[-1](x)
        return Chain(parts)


Connection = Dense | Convolution | Pool | Chain


def project(connection: Connection, x: Array, training: bool = False) -> Array:
    """Return the weighted sums of a connection; with ``training`` they are normalised by the mean
    and variance of the batch."""
    return connection(x, training) if isinstance(connection, Chain) else connection(x)


def measured(connection: Connection, x: Array) -> Connection:
    """Return a connection whose normalisations hold the mean and variance of inputs (time, batch,
    n_in)."""
    return connection.measured(x) if isinstance(connection, Chain) else connection


def as_dense(connection: Connection) -> Dense:
    """A connection that must be dense.

    Raises
    ------
    ModelError
        For any other connection.
    """
    if not isinstance(connection, Dense):
        raise ModelError(f"A dense connection is needed here, not a {type(connection).__name__}.")
    return connection


def weights_of(connection: Connection | Recurrent) -> list[Array]:
    """Weights of a connection, without biases."""
    parts = connection.parts if isinstance(connection, Chain) else (connection,)
    return [part.weight for part in parts if isinstance(part, Dense | Convolution | Recurrent)]


class Recurrent(eqx.Module):
    """All-to-all connection inside a layer, including self-connections.

    Parameters
    ----------
    n : int
    delay : sequence of int, optional
        Number of steps from a spike of each neuron to its effect; one step where not given.
    gradient : bool
        Whether gradients flow back through the connections; their weights learn in any case.
    orthogonal : bool
        Whether the weights start orthogonal instead of uniform.
    key : jax.Array

    Raises
    ------
    ModelError
        For delays below one, or another number of delays than neurons.
    """

    weight: Array
    delay: tuple[int, ...] = eqx.field(static=True)
    gradient: bool = eqx.field(static=True)

    def __init__(
        self,
        n: int,
        *,
        delay: tuple[int, ...] | None = None,
        gradient: bool = True,
        orthogonal: bool = False,
        key: Array,
    ) -> None:
        self.weight = (
            jax.nn.initializers.orthogonal()(key, (n, n))
            if orthogonal
            else uniform_weights(key, (n, n), n)
        )
        self.delay = (1,) * n if delay is None else _checked(delay, n, 1)
        self.gradient = gradient

    @property
    def operations(self) -> int:
        """Multiplications by a weight in one step."""
        return self.weight.size

    @property
    def recurrence(self) -> Recurrence:
        """The connection in the form that the time loop takes."""
        return Recurrence(self.weight, self.delay, self.gradient)


def _require_tiles(shape: tuple[int, int, int], side: int) -> None:
    if shape[1] % side or shape[2] % side:
        raise ModelError(f"Squares of {side} do not tile an image of {shape[1]} by {shape[2]}.")


def _checked(delay: tuple[int, ...], n: int, least: int) -> tuple[int, ...]:
    steps = tuple(int(d) for d in delay)
    if len(steps) != n or min(steps) < least:
        raise ModelError(f"Delays must be {n} whole numbers of at least {least} steps.")
    return steps
