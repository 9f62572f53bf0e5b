"""Pieces of a recording, cut into chunks of one length that a fit takes in random order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from neurocode.errors import DataError
from neurocode.inference.population.traces import spike_traces

#: Longest chunk in bins, and least number of chunks of a recording that is shorter than ten.
LONGEST_CHUNK, LEAST_CHUNKS = 20_000, 10


class Chunks(NamedTuple):
    """Chunks as leading axis of arrays, which are of NumPy between programs and of JAX inside them.

    Attributes
    ----------
    stimulus : array (chunks, context + frames, features), or None without a stimulus
    spikes : array (chunks, cells, bins)
    traces : array (chunks, cells, traces, bins)
    counted : array (chunks, bins)
        One where a bin enters the likelihood, else zero.
    presentations : array (chunks,)
        When a chunk was recorded, from -1 to 1 over the session.
    """

    stimulus: Any
    spikes: Any
    traces: Any
    counted: Any
    presentations: Any

    @property
    def n_chunks(self) -> int:
        """Number of chunks."""
        return self.spikes.shape[0]

    def take(self, numbers: NDArray) -> Chunks:
        """Return some of the chunks."""
        return jax.tree.map(lambda values: values[numbers], self)

    @property
    def n_spikes(self) -> NDArray[np.float64]:
        """Number of counted spikes of each cell."""
        return np.einsum("bct,bt->c", self.spikes, self.counted, dtype=float)


def chunk_bins(lengths: Sequence[int], lane_bins: int, bins_per_frame: int) -> int:
    """Return the length of chunks in bins: a multiple of lanes and of frames, at most 20 000, so
    that even a short recording has ten chunks.

    Examples
    --------
    >>> chunk_bins([21_600] * 50, 720, 10), chunk_bins([40_000], 720, 10)
    (20160, 4320)
    """
    unit = int(np.lcm(lane_bins, bins_per_frame))
    wanted = min(LONGEST_CHUNK, max(lengths), sum(lengths) / LEAST_CHUNKS)
    return unit * max(1, round(wanted / unit))


def cut_pieces(
    pieces: Sequence[NDArray],
    stimuli: Sequence[NDArray] | None,
    presentations: NDArray,
    *,
    decays: NDArray,
    n_bins: int,
    context_frames: int,
    bins_per_frame: int,
    unsettled_bins: int,
) -> Chunks:
    """Cut pieces into chunks of ``n_bins``; the last of each piece is filled up with bins that do
    not count.

    Frames before a piece are zero, the mean of a stimulus that was centred. The first
    ``unsettled_bins`` of each chunk do not count, since the state of the neurons is not known
    there; traces of spikes go on from the chunk before.

    Raises
    ------
    DataError
        If no piece is longer than the bins that do not count.
    """
    columns: list[list[Any]] = [[], [], [], [], []]
    for number, spikes in enumerate(pieces):
        traces = spike_traces(spikes, decays)
        for start in range(0, spikes.shape[1], n_bins):
            end = min(start + n_bins, spikes.shape[1])
            if end - start <= unsettled_bins:
                continue
            fill = (0, n_bins - (end - start))
            if stimuli is not None:
                columns[0].append(
                    _frames(
                        stimuli[number],
                        start // bins_per_frame,
                        n_bins // bins_per_frame,
                        context_frames,
                    )
                )
            columns[1].append(np.pad(spikes[:, start:end], ((0, 0), fill)))
            columns[2].append(np.pad(traces[..., start:end], ((0, 0), (0, 0), fill)))
            counted = np.zeros(n_bins, np.float32)
            counted[unsettled_bins : end - start] = 1.0
            columns[3].append(counted)
            columns[4].append(np.float32(presentations[number]))
    if not columns[1]:
        raise DataError(
            f"No piece is longer than {unsettled_bins} bins, in which the neurons settle and "
            f"spikes do not count."
        )
    stacked = [np.stack(column) if column else None for column in columns]
    return Chunks(*stacked)


def _frames(stimulus: NDArray, first: int, count: int, context: int) -> NDArray[np.float32]:
    """Return frames from ``first - context``, zero where the stimulus has none."""
    frames = np.zeros((context + count, stimulus.shape[1]), np.float32)
    begin, end = max(0, first - context), min(first + count, len(stimulus))
    frames[begin - (first - context) : end - (first - context)] = stimulus[begin:end]
    return frames
