"""Many spike trains as arrays: what statistics of thousands of units run on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def require_time_unit(unit: str) -> None:
    """Refuse a unit that spike times in a file do not come in.

    Raises
    ------
    DataError
    """
    if unit not in SECONDS:
        raise DataError(f"'{unit}' is no unit of spike times; known are {', '.join(SECONDS)}.")


@dataclass(frozen=True)
class Trains:
    """Spike trains of units, one or more repeats each, one after another.

    Attributes
    ----------
    times : numpy.ndarray
        Spike times in seconds, train after train.
    offsets : numpy.ndarray of int
        Train ``k`` holds ``times[offsets[k]:offsets[k + 1]]``.
    unit : numpy.ndarray of int
        Unit of each train, not decreasing.
    condition : numpy.ndarray of int
        Stimulus of each train; trains of one unit and condition are repeats.
    t_start, t_stop : numpy.ndarray
        Of each train in seconds.
    names : tuple of str
        Of the units.
    """

    times: np.ndarray
    offsets: np.ndarray
    unit: np.ndarray
    condition: np.ndarray
    t_start: np.ndarray
    t_stop: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def of(cls, spiketrains: object) -> Trains:
        """Trains from whatever holds them.

        Parameters
        ----------
        spiketrains : neo.SpikeTrain, neo.Block, Trains, or a sequence
            A sequence of trains (:class:`neo.SpikeTrain`, or arrays of seconds) is one unit each; a sequence of
            sequences is units of repeats. Trains of one name over the segments of a block are repeats; within a segment they
            are units.

        Raises
        ------
        DataError
            For anything else, or times in another unit than of time.
        """
        if isinstance(spiketrains, Trains):
            return spiketrains
        if isinstance(spiketrains, neo.Block):
            return cls._of_block(spiketrains)
        if _is_train(spiketrains) and len(spiketrains):
            spiketrains = [spiketrains]
        units = [[entry] if _is_train(entry) else list(entry) for entry in spiketrains]
        names = [
            getattr(repeats[0], "name", None) or str(number) if repeats else str(number) for number, repeats in enumerate(units)
        ]
        return cls.of_arrays([[_arrays(train) for train in repeats] for repeats in units], names)

    @classmethod
    def of_arrays(
        cls, units: Sequence[Sequence[tuple[np.ndarray, float, float]]], names: Iterable[str], conditions: Sequence | None = None
    ) -> Trains:
        """Trains from arrays: for each unit its repeats as (times, t_start, t_stop), all in seconds."""
        flat = [train for repeats in units for train in repeats]
        counts = [len(times) for times, _, _ in flat]
        return cls(
            times=np.concatenate([np.asarray(times, float) for times, _, _ in flat]) if flat else np.empty(0),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            unit=np.repeat(np.arange(len(units)), [len(repeats) for repeats in units]),
            condition=np.zeros(len(flat), np.int64) if conditions is None else np.concatenate(conditions).astype(np.int64),
            t_start=np.array([start for _, start, _ in flat], float),
            t_stop=np.array([stop for _, _, stop in flat], float),
            names=tuple(names),
        )

    @classmethod
    def of_rasters(cls, rasters: np.ndarray, dt: float) -> Trains:
        """Trains from spikes of zero or one, (units, repeats, steps) of ``dt`` seconds; spikes lie in the middle of their steps.

        Examples
        --------
        >>> Trains.of_rasters(np.array([[[0, 1, 0, 1]]]), 1e-3).times
        array([0.0015, 0.0035])
        """
        stop = rasters.shape[2] * dt
        units = [[((np.flatnonzero(train) + 0.5) * dt, 0.0, stop) for train in unit] for unit in rasters]
        return cls.of_arrays(units, [str(number) for number in range(len(units))])

    @classmethod
    def _of_block(cls, block: neo.Block) -> Trains:
        units: dict[str, list[neo.SpikeTrain]] = {}
        for segment in block.segments:
            seen: Counter[str] = Counter()
            for number, train in enumerate(segment.spiketrains):
                name = train.name or str(number)
                seen[name] += 1
                units.setdefault(name if seen[name] == 1 else f"{name} ({seen[name]})", []).append(train)
        return cls.of_arrays([[_arrays(train) for train in trains] for trains in units.values()], units)

    @property
    def n_units(self) -> int:
        """Number of units."""
        return len(self.names)

    @cached_property
    def first_train(self) -> np.ndarray:
        """Unit ``u`` holds trains ``first_train[u]`` up to ``first_train[u + 1]``."""
        return np.searchsorted(self.unit, np.arange(self.n_units + 1))

    def trains_of(self, unit: int) -> range:
        """Numbers of the trains of a unit."""
        return range(self.first_train[unit], self.first_train[unit + 1])

    @property
    def counts(self) -> np.ndarray:
        """Spikes of each train."""
        return np.diff(self.offsets)

    def train(self, number: int) -> np.ndarray:
        """Spike times of one train in seconds."""
        return self.times[self.offsets[number] : self.offsets[number + 1]]

    def window(self, t_start: float | None = None, t_stop: float | None = None) -> Trains:
        """The part of every train between two times in seconds, either left open by None.

        Times that are not finite lie nowhere and are kept, so that they are found.

        Examples
        --------
        >>> part = Trains.of([[0.5, 1.5, 2.5]]).window(1.0, 2.0)
        >>> part.times.tolist(), part.t_start.tolist(), part.t_stop.tolist()
        ([1.5], [1.0], [2.0])
        """
        first, last = -np.inf if t_start is None else t_start, np.inf if t_stop is None else t_stop
        kept = ((self.times >= first) & (self.times <= last)) | ~np.isfinite(self.times)
        counts = np.bincount(np.repeat(np.arange(self.n_trains), self.counts)[kept], minlength=self.n_trains)
        start = np.maximum(self.t_start, first)
        return replace(
            self, times=self.times[kept], offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            t_start=start, t_stop=np.maximum(start, np.minimum(self.t_stop, last)),
        )  # fmt: skip

    @property
    def n_trains(self) -> int:
        """Number of trains, repeats of all units."""
        return len(self.unit)

    def select(self, unit: int) -> Trains:
        """One unit with its repeats."""
        rows = np.array(self.trains_of(unit), dtype=int)
        part = slice(self.offsets[rows[0]], self.offsets[rows[-1] + 1]) if len(rows) else slice(0, 0)
        return Trains(
            times=self.times[part], offsets=np.concatenate([[0], np.cumsum(self.counts[rows])]).astype(np.int64),
            unit=np.zeros(len(rows), np.int64), condition=self.condition[rows], t_start=self.t_start[rows],
            t_stop=self.t_stop[rows], names=(self.names[unit],),
        )  # fmt: skip

    def to_neo(self) -> list[list[neo.SpikeTrain]]:
        """Units of repeats as Neo objects."""
        return [
            [
                neo.SpikeTrain(self.train(k) * pq.s, t_start=self.t_start[k] * pq.s, t_stop=self.t_stop[k] * pq.s, name=name)
                for k in self.trains_of(u)
            ]
            for u, name in enumerate(self.names)
        ]


def join(parts: Sequence[Trains]) -> Trains:
    """Units of several sets one after another."""
    shifts = np.cumsum([0, *(part.n_units for part in parts[:-1])])
    offsets = np.cumsum(np.concatenate([[0], *(part.counts for part in parts)]))
    stacked = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in ("times", "condition", "t_start", "t_stop")
    }
    unit = np.concatenate([part.unit + shift for part, shift in zip(parts, shifts, strict=True)])
    return Trains(**stacked, offsets=offsets.astype(np.int64), unit=unit, names=tuple(n for part in parts for n in part.names))


def _is_train(entry: object) -> bool:
    if isinstance(entry, (neo.SpikeTrain, pq.Quantity)):
        return True
    if isinstance(entry, np.ndarray):
        return entry.dtype != object
    return isinstance(entry, (list, tuple)) and all(np.isscalar(value) for value in entry)


def _arrays(train: object) -> tuple[np.ndarray, float, float]:
    """Times, start and stop of a train in seconds; arrays begin at zero and end at their last spike."""
    if isinstance(train, neo.SpikeTrain):
        scale = _scale(train.dimensionality.string)
        start, stop = (float(t.magnitude) * _scale(t.dimensionality.string) for t in (train.t_start, train.t_stop))
        times = train.magnitude
        return (times if scale == 1.0 else times * scale), start, stop
    scale = _scale(train.dimensionality.string) if isinstance(train, pq.Quantity) else 1.0
    times = np.asarray(train, float) * scale
    if times.ndim != 1:
        raise DataError(f"A spike train has one dimension, not {times.ndim}.")
    finite = times[np.isfinite(times)]
    return times, min(0.0, float(finite.min())) if finite.size else 0.0, float(finite.max()) if finite.size else 0.0


def _scale(unit: str) -> float:
    if unit in SECONDS:
        return SECONDS[unit]
    try:
        return float(pq.Quantity(1, unit).rescale("s"))
    except ValueError:
        raise DataError(f"Spike times are in '{unit}', expected a unit of time.") from None
