"""The climb: Adam on random chunks, with a rate that decays, each cell by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.extras import require
from neurocode.inference.population.chunks import Chunks
from neurocode.inference.population.front_end import Weights

Array = jax.Array

#: Loss of each cell in nats, of free and fixed weights and some chunks.
CellLosses = Callable[[Weights, Weights, Chunks], Array]
#: What is told of an update: its number and the number of updates.
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to climb.

    Attributes
    ----------
    updates : int
    rate : float
        Highest learning rate.
    chunks_per_update : int
    """

    updates: int = 700
    rate: float = 0.02
    chunks_per_update: int = 3


class Climb:
    """Lowers the losses of all cells; its program is compiled once for all climbs.

    The losses of some random chunks stand for those of all. The gradient of each cell, per spike,
    is clipped to norm one, so that the path of a cell does not depend on which other cells are
    fitted with it.

    Parameters
    ----------
    losses : callable
        Negative log-likelihood with penalty, per cell. The first axis of all free weights is that
        of the cells.
    chunks : Chunks
    """

    def __init__(self, losses: CellLosses, chunks: Chunks) -> None:
        self.chunks = chunks
        self._adam = require("optax").scale_by_adam()
        per_spike = jnp.asarray(1.0 / np.maximum(chunks.n_spikes, 1.0), jnp.float32)

        def update(
            free: Weights, moments: Any, fixed: Weights, some: Chunks, rate: Array
        ) -> tuple[Weights, Any]:
            def loss(free: Weights) -> Array:
                return jnp.sum(losses(free, fixed, some) * per_spike)

            steps, moments = self._adam.update(_clipped(jax.grad(loss)(free)), moments, free)
            return jax.tree.map(lambda value, step: value - rate * step, free, steps), moments

        self._update = jax.jit(update)

    def __call__(
        self,
        free: Weights,
        fixed: Weights,
        schedule: Schedule,
        *,
        seed: int,
        tell: Tell | None = None,
    ) -> Weights:
        """Return free weights with lower losses.

        Parameters
        ----------
        free, fixed : dict
        schedule : Schedule
        seed : int
        tell : callable, optional

        Returns
        -------
        dict
        """
        rate = require("optax").warmup_cosine_decay_schedule(
            schedule.rate / 10,
            schedule.rate,
            min(20, schedule.updates // 4),
            schedule.updates,
            schedule.rate / 50,
        )
        free = jax.tree.map(jnp.asarray, free)
        moments = self._adam.init(free)
        random = np.random.default_rng(seed)
        taken = min(schedule.chunks_per_update, self.chunks.n_chunks)
        for number in range(schedule.updates):
            some = self.chunks.take(random.choice(self.chunks.n_chunks, taken, replace=False))
            free, moments = self._update(free, moments, fixed, some, rate(number))
            if tell is not None:
                tell(number + 1, schedule.updates)
        return free


def _clipped(gradient: Weights) -> Weights:
    """Return the gradient with that of each cell clipped to norm one."""
    squares = [
        jnp.sum(leaf.reshape(leaf.shape[0], -1) ** 2, axis=1) for leaf in jax.tree.leaves(gradient)
    ]
    factor = 1 / jnp.maximum(1.0, jnp.sqrt(sum(squares)))
    return jax.tree.map(lambda leaf: leaf * factor.reshape(-1, *(1,) * (leaf.ndim - 1)), gradient)
