"""Random numbers of a time step of a noisy layer: a counter mixed with the key of the step.

Each number is the index of its neuron passed through two rounds of a 32-bit mixing function; one of
the two words of the key enters before each round. Threefry, the generator of JAX, makes the key of
every step. Inside the step it would take most of the run time of a noisy network.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from neurocode.errors import ModelError
from neurocode.simulation.evaluate import Draw

Array = jax.Array

GOLDEN = 0x9E3779B9
#: Shifts and odd multipliers of the two rounds (mixing constants found by C. Wellons' search for
#: low avalanche bias).
ROUNDS = (((16, 0x21F0AAAD), (15, 0xD35A2D97), 15), ((17, 0xED5AD4BB), (11, 0xAC4C1B51), 15))
#: One bit less than the precision of a single-precision number, so that the numbers lie in the
#: middle of their cells and are never 0 or 1.
BITS = 23


def required(key: Array | None, what: str) -> Array:
    """A random key that must be given.

    Raises
    ------
    ModelError
        If there is none; ``what`` begins the sentence.
    """
    if key is None:
        raise ModelError(f"{what} needs a random key.")
    return key


def uniform(key: Array, stream: int, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return uniform numbers of 23 bits in the open interval from zero to one.

    Parameters
    ----------
    key : jax.Array
        Random key of the time step, from ``jax.random``.
    stream : int
        Numbers of different streams of one key are independent.
    shape : tuple of int
    dtype : dtype
    """
    return (_bits(key, stream, shape).astype(dtype) + 0.5) * 2.0**-BITS


def normal(key: Array, stream: int, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Return standard normal numbers by the inverse of the distribution function; their magnitude
    is at most 5.4."""
    return np.sqrt(2.0).astype(dtype) * jax.lax.erf_inv(
        2.0 * uniform(key, stream, shape, dtype) - 1.0
    )


class StepDraw(Draw):
    """Random numbers for one step of a layer, with one stream for each call in the equations."""

    def __call__(self, kind: str) -> Array:
        """Return the random numbers of one call."""
        key = required(self.key, "The step of a stochastic model")
        self.count += 1
        return (normal if kind == "randn" else uniform)(key, self.count, self.shape, self.dtype)


def _bits(key: Array, stream: int, shape: tuple[int, ...]) -> Array:
    first, second = jax.random.key_data(key)
    count = jax.lax.iota(jnp.uint32, int(np.prod(shape))) + jnp.uint32(stream * GOLDEN & 0xFFFFFFFF)
    mixed = _mixed(_mixed(count ^ first, ROUNDS[0]) ^ second, ROUNDS[1])
    return (mixed >> (32 - BITS)).reshape(shape)


def _mixed(x: Array, steps: tuple) -> Array:
    *products, last = steps
    for shift, multiplier in products:
        x = (x ^ (x >> shift)) * jnp.uint32(multiplier)
    return x ^ (x >> last)
