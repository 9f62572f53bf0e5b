"""Interspike intervals as data of a likelihood."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import neo
import numpy as np

from neurocode.errors import DataError, FitError
from neurocode.inference.one_unit import one_unit
from neurocode.recordings.trains import Trains

FEWEST_INTERVALS = 40
#: Spike times closer than this are one spike twice.
DUPLICATE = 1e-6


@dataclass(frozen=True)
class Intervals:
    """Intervals of one unit, in order, repeats one after another.

    Attributes
    ----------
    start : numpy.ndarray
        Time of the spike that begins each interval, in seconds.
    duration : numpy.ndarray
        In seconds; of the last of each repeat, the time from its last spike to its end.
    observed : numpy.ndarray of bool
        False for that last one, which no spike ends.
    first : numpy.ndarray of bool
        Whether the interval is the first of a repeat.
    """

    start: np.ndarray
    duration: np.ndarray
    observed: np.ndarray
    first: np.ndarray

    @classmethod
    def of(
        cls,
        spiketrains: neo.SpikeTrain | Sequence[neo.SpikeTrain] | Trains | np.ndarray,
        *,
        fewest: int = FEWEST_INTERVALS,
    ) -> Intervals:
        """Intervals of one unit.

        Parameters
        ----------
        spiketrains : neo.SpikeTrain, a sequence of them, Trains of one unit, or sorted times in
        seconds
            Several trains are repeats.
        fewest : int
            Intervals that are needed.

        Raises
        ------
        DataError
            For times that are not finite, not sorted, or twice the same.
        FitError
            For fewer intervals than are needed.
        """
        trains = one_unit(spiketrains)
        pieces = [_pieces(trains.train(k), stop, k) for k, stop in enumerate(trains.t_stop)]
        start, duration, observed, first = (
            np.concatenate([np.empty(0), *column]) for column in zip(*pieces, strict=True)
        )
        intervals = cls(start, duration, observed.astype(bool), first.astype(bool))
        if intervals.n_observed < fewest:
            raise FitError(
                f"The data hold {intervals.n_observed} interspike intervals, at least {fewest} "
                f"are needed."
            )
        return intervals

    @property
    def n_observed(self) -> int:
        """Number of intervals between two spikes."""
        return int(np.sum(self.observed))

    def part(self, most: int) -> Intervals:
        """The first intervals, at most so many."""
        return Intervals(
            *(array[:most] for array in (self.start, self.duration, self.observed, self.first))
        )

    @property
    def repeats(self) -> list[slice]:
        """The intervals of each repeat that holds a spike."""
        edges = [*np.flatnonzero(self.first).tolist(), len(self.start)]
        return [slice(begin, end) for begin, end in itertools.pairwise(edges)]

    @property
    def trains(self) -> list[np.ndarray]:
        """Spike times of each repeat that holds a spike, in seconds."""
        ends = self.start + self.duration
        return [
            np.append(self.start[part], ends[part][-1:][self.observed[part][-1:]])
            for part in self.repeats
        ]

    @property
    def stops(self) -> list[float]:
        """End of each repeat that holds a spike, in seconds."""
        return [float((self.start + self.duration)[part][-1]) for part in self.repeats]

    @property
    def lengths(self) -> np.ndarray:
        """The intervals between two spikes, in seconds."""
        return self.duration[self.observed]


def _pieces(
    times: np.ndarray, stop: float, number: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    if not np.all(np.isfinite(times)):
        raise DataError(
            f"Train {number} holds {np.sum(~np.isfinite(times))} spike times that are not finite."
        )
    gaps = np.diff(times)
    if np.any(gaps < 0):
        raise DataError(
            f"Train {number} is not sorted: spike {int(np.argmax(gaps < 0)) + 1} comes before the "
            f"one ahead of it."
        )
    if np.any(gaps < DUPLICATE):
        where = times[int(np.argmax(gaps < DUPLICATE))]
        raise DataError(
            f"Train {number} holds {int(np.sum(gaps < DUPLICATE))} intervals of zero length, the "
            f"first at {where:.6f} s: "
            "remove duplicates."
        )
    if not len(times):
        return (np.empty(0),) * 4
    rest = stop - times[-1]
    durations = np.append(gaps, rest) if rest > 0 else gaps
    observed = np.ones(len(durations), bool)
    if rest > 0:
        observed[-1] = False
    first = np.zeros(len(durations), bool)
    first[:1] = True
    return times[: len(durations)], durations, observed, first
