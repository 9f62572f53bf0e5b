"""Interspike intervals as the data of a likelihood."""

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
#: Spike times closer than this, in seconds, are duplicates of one spike.
DUPLICATE = 1e-6


@dataclass(frozen=True)
class Intervals:
    """Intervals of one unit, in order, repeats one after another.

    Attributes
    ----------
    start : numpy.ndarray
        Time of the spike that begins each interval, in seconds.
    duration : numpy.ndarray
        Length of each interval in seconds. The last interval of a repeat lasts from its last spike
        to the end of the repeat.
    observed : numpy.ndarray of bool
        Whether a spike ends the interval; False for the last interval of a repeat.
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
            Spike times of the unit; several trains are repeats.
        fewest : int
            Smallest number of intervals that is accepted.

        Raises
        ------
        DataError
            For times that are not finite, not sorted, or repeated.
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
        """Return the first intervals, at most ``most``."""
        return Intervals(
            *(array[:most] for array in (self.start, self.duration, self.observed, self.first))
        )

    @property
    def repeats(self) -> list[slice]:
        """Slices of the arrays that hold the intervals of each repeat with a spike."""
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
        spike = int(np.argmax(gaps < 0)) + 1
        raise DataError(
            f"Train {number} is not sorted: spike {spike} is earlier than spike {spike - 1}."
        )
    if np.any(gaps < DUPLICATE):
        where = times[int(np.argmax(gaps < DUPLICATE))]
        raise DataError(
            f"Train {number} holds {int(np.sum(gaps < DUPLICATE))} intervals of zero length, the "
            f"first at {where:.6f} s: "
            "remove duplicates."
        )
    if not len(times):
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    silence = stop - times[-1]
    durations = np.append(gaps, silence) if silence > 0 else gaps
    observed = np.ones(len(durations), bool)
    if silence > 0:
        observed[-1] = False
    first = np.zeros(len(durations), bool)
    first[:1] = True
    return times[: len(durations)], durations, observed, first
