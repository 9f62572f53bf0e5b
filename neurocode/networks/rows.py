"""Synapses of a pathway in the order in which spikes reach them: by delay, source and number."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neurocode.networks.captured import Pathway

#: Most synapses that are reached in one pass; longer rows take several.
LONGEST_ROW = 256

#: Most rows in one pass.
MOST_ROWS = 4


@dataclass(frozen=True)
class Rows:
    """Synapses sorted so that those of one source and delay stand together.

    Attributes
    ----------
    delays : tuple of int
        Delays in steps, the longest first: older spikes come first.
    order : numpy.ndarray of int
        Synapses, sorted.
    starts, lengths : numpy.ndarray of int, shape (delays, sources + 1)
        Where the row of a delay and source begins in ``order``, and its length; the last source
        stands for no spike.
    width, rows : int
        Synapses per row, and rows, in one pass.
    several : bool
        Whether some rows take several passes.
    """

    delays: tuple[int, ...]
    order: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    width: int
    rows: int
    several: bool


def rows_of(pathway: Pathway, n_sources: int, one_by_one: bool) -> Rows:
    """Sort the synapses of a pathway; ``one_by_one`` lets each pass reach a single synapse."""
    delays = np.unique(pathway.delays)[::-1]
    number = np.searchsorted(-delays, -pathway.delays)
    row = number * n_sources + pathway.sources
    order = np.argsort(row, kind="stable")
    lengths = np.bincount(row, minlength=len(delays) * n_sources).reshape(len(delays), n_sources)
    starts = (np.cumsum(lengths) - lengths.ravel()).reshape(lengths.shape)
    lengths, starts = (np.pad(table, ((0, 0), (0, 1))) for table in (lengths, starts))
    width = 1 if one_by_one else int(min(lengths.max(initial=1), LONGEST_ROW))
    several = one_by_one or bool(lengths.max(initial=0) > width)
    rows = 1 if several else MOST_ROWS
    return Rows(tuple(int(d) for d in delays), order, starts, lengths, width, rows, several)
