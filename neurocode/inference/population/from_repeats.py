"""Couplings and history from repeats of one stimulus (two-step inference, Mahuas et al. 2020).

The drive of each cell is a free function of time, the same in all repeats, so that what the
stimulus does to two cells alike cannot be taken for a coupling between them. The stimulus itself is
not needed.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurocode.inference.population.chunks import Chunks
from neurocode.inference.population.climb import Climb, Schedule, Tell
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.knots import KNOT_BINS, between_knots, roughness
from neurocode.inference.population.likelihood import PopulationLikelihood, baseline
from neurocode.recordings.population import PopulationRepeats

Array = jax.Array

#: Weight of the squared jumps in nats: of couplings, and of the history.
COUPLING_RIDGE, HISTORY_RIDGE = 1.0, 0.05
#: Bins at the start of a repeat that do not count, since spikes before it are not known.
UNKNOWN_HISTORY_BINS = 100
UPDATES, RATE = 250, 0.15
#: Cells times bins of the repeats that one update sees, and least number of repeats of an update.
SEEN_PER_UPDATE, LEAST_REPEATS = 2_000_000, 4


@dataclass(frozen=True)
class FreeDrive:
    """The drive as a function of time in a repeat, linear between knots.

    Attributes
    ----------
    n_bins : int
        Length of a repeat.
    """

    n_bins: int

    @property
    def n_knots(self) -> int:
        """Number of knots."""
        return -(-self.n_bins // KNOT_BINS) + 1

    def __call__(self, knots: Array, n_bins: int) -> Array:
        """Return the drive in each bin, (cells, bins), constant after the last knot."""
        times = np.minimum(np.arange(n_bins) / KNOT_BINS, self.n_knots - 1)
        return between_knots(knots, jnp.asarray(times))


def field_of_rates(
    likelihood: PopulationLikelihood, repeats: PopulationRepeats
) -> NDArray[np.float32]:
    """Return knots at which cells without history fire as the repeats do, minus the drive of their
    mean rates, (cells, knots).

    A fit that begins with a constant drive is far from a strong drive when it ends, and what is
    left of a drive that cells share looks like a coupling. Half a spike at the mean rate is added
    to each knot, since the logarithm of no spike has no end.
    """
    n_bins, n_repeats = repeats.spikes.shape[1:]
    n_knots = FreeDrive(n_bins).n_knots
    knot = np.minimum(np.round(np.arange(n_bins) / KNOT_BINS).astype(int), n_knots - 1)
    counts = repeats.spikes.sum(axis=2, dtype=float)
    spikes = np.stack([np.bincount(knot, of_cell, n_knots) for of_cell in counts])
    mean = np.maximum(counts.mean(axis=1) / n_repeats, 1e-6)[:, None]
    seen = np.bincount(knot, minlength=n_knots) * n_repeats
    rates = (spikes + 0.5) / (seen + 0.5 / mean) / likelihood.neuron.dt
    drive = likelihood.neuron.drive_of_rate
    return (drive(rates) - drive(mean / likelihood.neuron.dt)).astype(np.float32)


def repeats_as_chunks(repeats: PopulationRepeats, likelihood: PopulationLikelihood) -> Chunks:
    """Return one chunk per repeat, without its stimulus."""
    unsettled = max(UNKNOWN_HISTORY_BINS, likelihood.settling_bins)
    return likelihood.cut_repeats(repeats, None, bins_per_frame=1, unsettled_bins=unsettled)


class RepeatsFit:
    """Fits ``jumps``, ``neuron`` and ``drift`` to repeats, and the free drive as ``field``.

    Parameters
    ----------
    likelihood : PopulationLikelihood
    repeats : PopulationRepeats
    """

    def __init__(self, likelihood: PopulationLikelihood, repeats: PopulationRepeats) -> None:
        self.chunks = chunks = repeats_as_chunks(repeats, likelihood)
        self._first_field = field_of_rates(likelihood, repeats)
        self._n_cells, self._n_bins = likelihood.n_cells, chunks.spikes.shape[-1]
        self._free_drive = FreeDrive(repeats.spikes.shape[1])
        self._seen = max(LEAST_REPEATS, SEEN_PER_UPDATE // (self._n_cells * self._n_bins))

        def losses(free: Weights, fixed: Weights, some: Chunks) -> Array:
            now = {**free, "jumps": free["jumps"] * fixed["allowed"]}
            lost = -likelihood.of_drive(now, self.drives(now, some.presentations), some)
            penalty = roughness(now["field"]) + jumps_penalty(now["jumps"])
            return lost * (chunks.n_chunks / some.spikes.shape[0]) + penalty

        self._climb = Climb(losses, chunks)

    def drives(self, weights: Weights, presentations: Array) -> Array:
        """Return the drive of each cell in repeats, (presentations, cells, bins)."""
        field = self._free_drive(weights["field"], self._n_bins)
        return baseline(weights, presentations, self._n_cells, self._n_bins) + field

    def __call__(
        self,
        start: Weights,
        allowed: ArrayLike,
        *,
        seed: int,
        updates: int = UPDATES,
        tell: Tell | None = None,
    ) -> Weights:
        """Return fitted weights.

        Parameters
        ----------
        start : dict
            With ``offset``, ``drift``, ``neuron`` and ``jumps``; with ``field`` where a fit goes
            on.
        allowed : array (receivers, senders, 1)
            One where a pair may be coupled, else zero.
        seed : int
        updates : int
        tell : callable, optional
        """
        mask = jnp.asarray(allowed, jnp.float32)
        free = {"field": self._first_field, **start, "jumps": start["jumps"] * mask}
        schedule = Schedule(updates=updates, rate=RATE, chunks_per_update=self._seen)
        return self._climb(free, {"allowed": mask}, schedule, seed=seed, tell=tell)


def jumps_penalty(jumps: Array) -> Array:
    """Return the ridge penalty of the jumps of each cell, in nats."""
    n_cells = jumps.shape[0]
    ridge = jnp.where(jnp.eye(n_cells, dtype=bool), HISTORY_RIDGE, COUPLING_RIDGE)
    return jnp.einsum("csk,cs->c", jumps**2, ridge)
