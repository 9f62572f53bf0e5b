"""How the sequences of a task are shown to a network: as spikes that are drawn anew every time, or
shifted in training."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError

Array = jax.Array

#: Number folded into the key of a batch for its presentation, so that this key differs from that of
#: its noise.
PRESENTED = 4_000_037


class Presentation(ABC):
    """A function that turns the inputs of a batch into what the network receives, anew for every
    batch.

    A subclass is a frozen dataclass of plain values.

    Attributes
    ----------
    in_evaluation : bool
        Whether sequences are shown in this way in evaluation too, or only in training.
    """

    in_evaluation: ClassVar[bool]

    @abstractmethod
    def __call__(self, inputs: Array, key: Array) -> Array:
        """Return what is shown (time, batch, channels), given inputs of the same shape."""

    def complaint(self, inputs: np.ndarray) -> str | None:
        """Return what is wrong with the inputs (sequences, time, channels) of a part, or None if
        nothing is."""
        return None

    def shown(self, inputs: Array, key: Array, training: bool) -> Array:
        """Return what the network receives in training or in evaluation; ``key`` is that of the
        noise of the batch."""
        if not training and not self.in_evaluation:
            return inputs
        return self(inputs, jax.random.fold_in(key, PRESENTED))


@dataclass(frozen=True)
class RateCoding(Presentation):
    """Inputs between 0 and 1 as the probability of a spike in each step (Sun et al. 2023); spikes
    are drawn anew at every presentation.

    In the backward pass the derivative of a spike is that of its probability, so that inputs can be
    attacked.

    Examples
    --------
    >>> shown = RateCoding()(jnp.full((1000, 1, 1), 0.25), jax.random.key(0))
    >>> sorted(set(shown.ravel().tolist())), round(float(shown.mean()), 1)
    ([0.0, 1.0], 0.2)
    """

    in_evaluation: ClassVar[bool] = True

    def complaint(self, inputs: np.ndarray) -> str | None:
        """Return what is wrong if an input is not a probability, otherwise None."""
        low, high = float(inputs.min()), float(inputs.max())
        return (
            None
            if low >= 0 and high <= 1
            else f"inputs lie between {low:g} and {high:g}, but probabilities lie between 0 and 1."
        )

    def __call__(self, inputs: Array, key: Array) -> Array:
        """Return spikes (time, batch, channels) of 0 or 1."""
        spikes = (jax.random.uniform(key, inputs.shape) < inputs).astype(inputs.dtype)
        # the difference of the inputs is exactly zero, so that spikes are exactly 0 or 1
        return jax.lax.stop_gradient(spikes) + (inputs - jax.lax.stop_gradient(inputs))


@dataclass(frozen=True)
class Shifts(Presentation):
    """Images shifted in training by up to some pixels along both axes, in the same way in all
    steps, with zeros at the border.

    Attributes
    ----------
    shape : (int, int, int)
        Channels, height and width of the images, which arrive flattened in this order.
    pixels : int
        Largest shift in pixels.

    Raises
    ------
    DataError
        If the largest shift is less than one pixel.
    """

    shape: tuple[int, int, int]
    pixels: int

    in_evaluation: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.pixels < 1:
            raise DataError(f"Images are shifted by at least one pixel, not by {self.pixels}.")

    def complaint(self, inputs: np.ndarray) -> str | None:
        """Return what is wrong if the inputs are not images of the shape, otherwise None."""
        channels = int(np.prod(self.shape))
        return (
            None
            if inputs.shape[2] == channels
            else f"inputs have {inputs.shape[2]} channels, but images {self.shape} have {channels}."
        )

    def __call__(self, inputs: Array, key: Array) -> Array:
        """Return the shifted images (time, batch, channels)."""
        steps, batch, _ = inputs.shape
        images = jnp.pad(
            inputs.reshape(steps, batch, *self.shape), [(0, 0)] * 3 + [(self.pixels,) * 2] * 2
        )
        corner = jax.random.randint(key, (batch, 2), 0, 2 * self.pixels + 1)

        def cut(image: Array, place: Array) -> Array:
            return jax.lax.dynamic_slice(image, (0, 0, *place), (steps, *self.shape))

        return jax.vmap(cut, in_axes=(1, 0), out_axes=1)(images, corner).reshape(inputs.shape)
