"""Windows of a recording in which a population runs freely, to be compared with repeats."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neurocode.inference.population.chunks import Chunks
from neurocode.inference.population.free_run import run_freely
from neurocode.inference.population.front_end import Weights
from neurocode.inference.population.likelihood import PopulationLikelihood, baseline
from neurocode.statistics.population_scores import WINDOW_BINS

Array = jax.Array

#: Longest window in bins, chunks that are read at most, and cells times bins times trials that are
#: simulated at a time.
LONGEST_WINDOW, MOST_CHUNKS, SIMULATED = 2500, 30, 8_000_000
#: Free runs of each window: enough for a variance, so that the stimulus is as long as can be.
TRIALS = 3


@dataclass(frozen=True, eq=False)
class Windows:
    """Windows of some chunks, spread over the recording.

    Attributes
    ----------
    chunks : Chunks
        Those that hold the windows.
    drive, response : numpy.ndarray of float32 (windows, cells, bins)
        The drive, and the part of it that comes from the front end minus its mean.
    response_mean : numpy.ndarray (cells,)
        Mean of the front end over the windows.
    spikes : numpy.ndarray (windows, cells, bins)
    counted : numpy.ndarray of bool (windows, bins)
        Bins in which free runs have settled and spikes were recorded.
    """

    chunks: Chunks
    drive: NDArray[np.float32]
    response: NDArray[np.float32]
    response_mean: NDArray[np.float32]
    spikes: NDArray[np.float32]
    counted: NDArray[np.bool_]

    @cached_property
    def counted_windows(self) -> NDArray[np.bool_]:
        """Which windows of counts hold counted bins alone, (windows, windows of counts)."""
        n_windows, n_bins = self.counted.shape
        whole = n_bins // WINDOW_BINS * WINDOW_BINS
        return self.counted[:, :whole].reshape(n_windows, -1, WINDOW_BINS).all(axis=2)

    @cached_property
    def recorded_counts(self) -> NDArray[np.float64]:
        """Recorded spikes in counted windows of counts, (cells, windows of counts, 1)."""
        return self.counts_of(np.moveaxis(self.spikes, 0, 2))

    def with_more_drive(self, offset: NDArray) -> Windows:
        """Return the windows with a constant (cells,) added to the drive."""
        return replace(self, drive=self.drive + offset[:, None])

    def free_counts(
        self, likelihood: PopulationLikelihood, weights: Weights, drive: NDArray, seed: int
    ) -> NDArray[np.float64]:
        """Return counts of three free runs of each window with a drive (windows, cells, bins), as
        :meth:`counts_of` does."""
        drives = jnp.asarray(np.repeat(drive, TRIALS, axis=0), jnp.float32)
        return self.counts_of(run_freely(likelihood, weights, drives, jax.random.PRNGKey(seed)))

    def summed(self, counts: NDArray) -> NDArray[np.float64]:
        """Return counts of :meth:`counts_of` summed over each window, (cells, windows, trials);
        windows without counted bins are left out."""
        window_of_counts = np.nonzero(self.counted_windows)[0]
        starts = np.flatnonzero(np.diff(window_of_counts, prepend=-1))
        return np.add.reduceat(counts, starts, axis=1)

    def counts_of(self, spikes: NDArray) -> NDArray[np.float64]:
        """Return counts of spikes (cells, bins, windows * trials) in counted windows of counts,
        (cells, windows of counts, trials)."""
        n_windows, n_counts = self.counted_windows.shape
        whole = spikes[:, : n_counts * WINDOW_BINS]
        counts = whole.reshape(len(whole), n_counts, WINDOW_BINS, n_windows, -1).sum(axis=2)
        return np.moveaxis(counts, 2, 1)[:, self.counted_windows].astype(float)


def windows_of(likelihood: PopulationLikelihood, weights: Weights, chunks: Chunks) -> Windows:
    """Return windows of at most 30 chunks that are spread over the recording."""
    n_chunks, n_cells, n_bins = chunks.spikes.shape
    picked = np.unique(np.linspace(0, n_chunks - 1, MOST_CHUNKS).round().astype(int))
    some = chunks.take(picked)
    length = min(LONGEST_WINDOW, n_bins)
    starts = np.arange(n_bins // length) * (n_bins // (n_bins // length))
    places = [(chunk, start) for chunk in range(len(picked)) for start in starts]
    most = max(4, SIMULATED // (n_cells * length * TRIALS))
    places = [places[k] for k in _spread(len(places), most)]
    drive, response = _drives(likelihood, weights, some)
    # Free runs settle as long as chunks do.
    unsettled = int(np.max(np.argmax(some.counted > 0, axis=1)))

    def cut(values: NDArray) -> NDArray:
        return np.stack([values[chunk, ..., start : start + length] for chunk, start in places])

    counted = cut(some.counted) > 0
    counted[:, :unsettled] = False
    windows = cut(response)
    mean = windows.mean(axis=(0, 2)).astype(np.float32)
    return Windows(
        chunks=some,
        drive=cut(drive),
        response=(windows - mean[:, None]).astype(np.float32),
        response_mean=mean,
        spikes=cut(some.spikes),
        counted=counted,
    )


def _spread(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def drive_and_response(
    likelihood: PopulationLikelihood, weights: Weights, chunks: Chunks
) -> tuple[Array, Array]:
    """Return the drive, and the part of it that comes from the front end, (chunks, cells, bins)."""
    drive = likelihood.drive(weights, chunks)
    rest = baseline(weights, jnp.asarray(chunks.presentations), *drive.shape[1:])
    return drive, drive - rest


def _drives(
    likelihood: PopulationLikelihood, weights: Weights, chunks: Chunks
) -> tuple[NDArray, NDArray]:
    """Return what :func:`drive_and_response` does, in the memory of one chunk at a time."""
    parts = jax.jit(partial(drive_and_response, likelihood))
    pairs = [parts(weights, chunks.take(np.array([n]))) for n in range(chunks.n_chunks)]
    drive, response = (np.concatenate([np.asarray(pair[k]) for pair in pairs]) for k in (0, 1))
    return drive, response


def scaled_jumps(jumps: NDArray | Array, factor: Array | float) -> Array:
    """Return jumps with all couplings, but not the history, times a factor."""
    history = np.eye(jumps.shape[0], dtype=bool)[..., None]
    return jnp.asarray(jumps, jnp.float32) * jnp.where(history, 1.0, factor)
