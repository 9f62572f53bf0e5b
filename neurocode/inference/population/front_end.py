"""What turns a stimulus into the drive of each cell: the interface, and a start that all share."""

from __future__ import annotations

from typing import Any, Protocol

import jax

Array = jax.Array
#: Arrays by name, some of them in groups of their own.
Weights = dict[str, Any]


class FrontEnd(Protocol):
    """From frames of a stimulus to the drive of each cell, without its constant part.

    ``context_frames`` is the number of frames before the first response that a call needs.
    """

    @property
    def context_frames(self) -> int:
        """Frames that come before the first response."""
        ...

    def initial(self, key: Array, n_cells: int, n_features: int) -> Weights:
        """Return weights to start from; the first axis of each is that of the cells."""
        ...

    def drive(self, weights: Weights, stimulus: Array) -> Array:
        """Return the drive in units of the noise.

        Parameters
        ----------
        weights : dict of str to array
        stimulus : array (lanes, context_frames + frames, features)

        Returns
        -------
        array (lanes, cells, frames * bins per frame)
        """
        ...

    def scaled(self, weights: Weights, gain: Array) -> Weights:
        """Return weights whose drive is ``gain`` (cells,) times that of others."""
        ...

    def penalty(self, weights: Weights) -> Array:
        """Return what is added to the negative log-likelihood in nats, per cell."""
        ...
