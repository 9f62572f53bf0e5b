"""Many spike trains as arrays, from which statistics of thousands of units are computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import neo
import numpy as np
import pandas as pd
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings.containers import (
    Stretch,
    holds_units,
    is_stretch,
    stretch_of,
    units_in,
    units_of_segments,
)
from neurocode.recordings.time_units import SECONDS
from neurocode.units import in_si, require_unmasked, seconds

#: Types that are iterable but are not sequences of trains.
NO_TRAINS = (str, bytes)

#: A spike train as public functions take it: a Neo train or a quantity in any unit of time, or an
#: array or list of seconds.
SpikeTrainLike = neo.SpikeTrain | pq.Quantity | np.ndarray | Sequence[float]
#: Spikes at most this far outside their train, in seconds, are outside it only by rounding.
ROUNDING = 1e-9


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
        Start and end of each train in seconds.
    names : tuple of str
        Names of the units.
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
        """Trains from a train, a sequence of trains, or a container of trains.

        Parameters
        ----------
        spiketrains : neo.SpikeTrain, Trains, a sequence, or a container
            In a sequence of trains (:class:`neo.SpikeTrain`, pynapple's ``Ts``, or arrays of
            seconds) each train is a unit; in a sequence of sequences each inner sequence holds the
            repeats of a unit. Trains with the same name in several segments of a
            :class:`neo.Block` are repeats; those within a segment are units. Further containers
            (:mod:`neurocode.recordings.containers`) are :class:`neo.Segment`, a
            mapping or :class:`pandas.Series` of trains by unit, a :class:`pandas.DataFrame` with
            one row per spike, pynapple's ``TsGroup`` (its one epoch begins and ends the trains),
            and a SpikeInterface sorting (its segments are repeats).

        Raises
        ------
        DataError
            For anything else, or if the unit of the times is not a unit of time.
        """
        if isinstance(spiketrains, Trains):
            return spiketrains
        held = units_in(spiketrains)
        if held is not None:
            return cls.of_arrays(
                [[in_seconds(train) for train in unit] for unit in held.repeats],
                held.names,
                held.conditions,
            )
        units = [[entry] if is_train(entry) else listed(entry) for entry in listed(spiketrains)]
        names = [
            getattr(repeats[0], "name", None) or str(number) if repeats else str(number)
            for number, repeats in enumerate(units)
        ]
        return cls.of_arrays([[in_seconds(train) for train in repeats] for repeats in units], names)

    @classmethod
    def of_arrays(
        cls,
        units: Sequence[Sequence[tuple[np.ndarray, float, float]]],
        names: Iterable[str],
        conditions: Sequence | None = None,
    ) -> Trains:
        """Trains from arrays: for each unit its repeats as (times, t_start, t_stop), all in
        seconds."""
        flat = [train for repeats in units for train in repeats]
        counts = [len(times) for times, _, _ in flat]
        return cls(
            times=np.concatenate([np.asarray(times, float) for times, _, _ in flat])
            if flat
            else np.empty(0),
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            unit=np.repeat(np.arange(len(units)), [len(repeats) for repeats in units]),
            condition=np.zeros(len(flat), np.int64)
            if conditions is None
            else np.concatenate(conditions).astype(np.int64),
            t_start=np.array([start for _, start, _ in flat], float),
            t_stop=np.array([stop for _, _, stop in flat], float),
            names=tuple(names),
        )

    @classmethod
    def of_rasters(cls, rasters: np.ndarray, dt: float) -> Trains:
        """Trains from spikes of zero or one, (units, repeats, steps) of ``dt`` seconds; spikes lie
        in the middle of their steps.

        Examples
        --------
        >>> Trains.of_rasters(np.array([[[0, 1, 0, 1]]]), 1e-3).times
        array([0.0015, 0.0035])
        """
        dt, rasters = seconds(dt, "The time step"), np.asarray(rasters)
        if rasters.ndim != 3 or not np.all((rasters == 0) | (rasters == 1)):
            raise DataError(
                f"Rasters hold zero or one in the shape (units, repeats, steps), not "
                f"{rasters.shape} of other values."
            )
        stop = rasters.shape[2] * dt
        units = [
            [((np.flatnonzero(train) + 0.5) * dt, 0.0, stop) for train in unit] for unit in rasters
        ]
        return cls.of_arrays(units, [str(number) for number in range(len(units))])

    @classmethod
    def of_segments(
        cls, segments: Iterable[Iterable[tuple[str, tuple[np.ndarray, float, float]]]]
    ) -> Trains:
        """Trains (times, t_start, t_stop) with names, segment by segment.

        Trains with the same name in several segments are repeats of a unit; those within a segment
        are units.

        Examples
        --------
        >>> train = (np.array([0.5]), 0.0, 1.0)
        >>> trains = Trains.of_segments([[("a", train), ("a", train)], [("a", train)]])
        >>> trains.names, trains.unit.tolist()
        (('a', 'a (2)'), [0, 0, 1])
        """
        units = units_of_segments(segments)
        return cls.of_arrays(units.repeats, units.names)

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
        """Number of spikes of each train."""
        return np.diff(self.offsets)

    def train(self, number: int) -> np.ndarray:
        """Spike times of one train in seconds."""
        return self.times[self.offsets[number] : self.offsets[number + 1]]

    def fault(self, number: int) -> str:
        """Why the times of one train are unusable; an empty text if they are usable."""
        return _fault(self.train(number), float(self.t_start[number]), float(self.t_stop[number]))

    def window(self, t_start: float | None = None, t_stop: float | None = None) -> Trains:
        """The part of every train between two times in seconds or quantities; None leaves a side
        open.

        Times that are not finite are kept, so that later checks can report them.

        Examples
        --------
        >>> part = Trains.of([[0.5, 1.5, 2.5]]).window(1.0, 2.0)
        >>> part.times.tolist(), part.t_start.tolist(), part.t_stop.tolist()
        ([1.5], [1.0], [2.0])
        """
        first = -np.inf if t_start is None else in_si(t_start, "second", "The start")
        last = np.inf if t_stop is None else in_si(t_stop, "second", "The stop")
        kept = ((self.times >= first) & (self.times <= last)) | ~np.isfinite(self.times)
        counts = np.bincount(
            np.repeat(np.arange(self.n_trains), self.counts)[kept], minlength=self.n_trains
        )
        start = np.maximum(self.t_start, first)
        return replace(
            self,
            times=self.times[kept],
            offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            t_start=start,
            t_stop=np.maximum(start, np.minimum(self.t_stop, last)),
        )

    def ending_at_last_spike(self) -> Trains:
        """The same trains without the silence after their last spikes; a train without spikes keeps
        its end."""
        spiking = self.counts > 0
        ends = np.array(self.t_stop, float)
        ends[spiking] = self.times[np.asarray(self.offsets)[1:][spiking] - 1]
        return replace(self, t_stop=ends)

    @property
    def n_trains(self) -> int:
        """Number of trains: the repeats of all units together."""
        return len(self.unit)

    def select(self, unit: int) -> Trains:
        """One unit with its repeats."""
        rows = np.array(self.trains_of(unit), dtype=int)
        part = (
            slice(self.offsets[rows[0]], self.offsets[rows[-1] + 1]) if len(rows) else slice(0, 0)
        )
        return Trains(
            times=self.times[part],
            offsets=np.concatenate([[0], np.cumsum(self.counts[rows])]).astype(np.int64),
            unit=np.zeros(len(rows), np.int64),
            condition=self.condition[rows],
            t_start=self.t_start[rows],
            t_stop=self.t_stop[rows],
            names=(self.names[unit],),
        )

    def to_neo(self) -> list[list[neo.SpikeTrain]]:
        """Units of repeats as Neo objects."""
        return [
            [
                neo.SpikeTrain(
                    self.train(k) * pq.s,
                    t_start=self.t_start[k] * pq.s,
                    t_stop=self.t_stop[k] * pq.s,
                    name=name,
                )
                for k in self.trains_of(u)
            ]
            for u, name in enumerate(self.names)
        ]


def join(parts: Sequence[Trains]) -> Trains:
    """The units of several sets of trains in succession."""
    shifts = np.cumsum([0, *(part.n_units for part in parts[:-1])])
    offsets = np.cumsum(np.concatenate([[0], *(part.counts for part in parts)]))
    stacked = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("times", "condition", "t_start", "t_stop")
    }
    unit = np.concatenate([part.unit + shift for part, shift in zip(parts, shifts, strict=True)])
    return Trains(
        **stacked,
        offsets=offsets.astype(np.int64),
        unit=unit,
        names=tuple(n for part in parts for n in part.names),
    )


def usable_trains(spiketrains: object) -> Trains:
    """Trains as by :meth:`Trains.of`, with every train checked.

    Raises
    ------
    DataError
        If times are not finite, not sorted, or outside their train; the message names the unit.

    Examples
    --------
    >>> usable_trains([np.array([0.1, 0.2]), [300.0, 400.0] * pq.ms]).times
    array([0.1, 0.2, 0.3, 0.4])
    """
    trains = Trains.of(spiketrains)
    for number, unit in enumerate(trains.unit):
        if fault := trains.fault(number):
            raise DataError(
                f"Unit '{trains.names[unit]}': {fault}; spike times must be finite and increasing."
            )
    return trains


def spike_times(train: SpikeTrainLike) -> np.ndarray:
    """Times of one spike train in seconds, checked; every function of a train calls this first.

    Parameters
    ----------
    train : neo.SpikeTrain, quantity, or array or list of seconds
        In any unit of time; the start of a Neo train is not subtracted.

    Raises
    ------
    DataError
        If times are not finite or not sorted, their unit is not a unit of time, or they have more
        than one dimension.

    Examples
    --------
    >>> spike_times(neo.SpikeTrain([100.0, 200.0] * pq.ms, t_stop=1 * pq.s))
    array([0.1, 0.2])
    """
    times = in_seconds(train)[0]
    if fault := _fault(times, -np.inf, np.inf):
        raise DataError(
            f"A spike train cannot be used, {fault}; spike times must be finite and increasing."
        )
    return times


def repeats_of(trains: Sequence[SpikeTrainLike]) -> list[np.ndarray]:
    """Times of every repeat of one unit as by :func:`spike_times`; a single train is one repeat.

    Parameters
    ----------
    trains : sequence of trains, a train, or Trains of one unit

    Raises
    ------
    DataError
        As by :func:`spike_times`, and if there is more than one unit.

    Examples
    --------
    >>> repeats_of([[0.1, 0.2], [300.0] * pq.ms])
    [array([0.1, 0.2]), array([0.3])]
    """
    if isinstance(trains, Trains):
        _require_one_unit(trains)
        return [spike_times(trains.train(number)) for number in range(trains.n_trains)]
    return [spike_times(train) for train in listed(trains)]


def _require_one_unit(trains: Trains) -> None:
    if trains.n_units > 1:
        raise DataError(f"The trains hold {trains.n_units} units, expected repeats of one.")


def listed(trains: object) -> list:
    """Entries of a sequence of trains; a single train is the only entry, and an empty list or array
    has no entries.

    The entries of a container of one unit are the repeats of the unit.

    Raises
    ------
    DataError
        If the argument is not a sequence, or is a container of several units.
    """
    if holds_units(trains):
        held = usable_trains(trains)
        _require_one_unit(held)
        return [train for unit in held.to_neo() for train in unit]
    if (
        isinstance(trains, neo.SpikeTrain)
        or is_stretch(trains)
        or (is_train(trains) and np.size(trains))
    ):
        return [_as_neo(trains)]
    if isinstance(trains, NO_TRAINS) or not np.iterable(trains):
        kind = type(trains).__name__
        raise DataError(
            f"Spike trains are given as {kind}, expected Neo trains, arrays of seconds, or "
            f"sequences of these."
        )
    return [_as_neo(entry) for entry in trains]


def _as_neo(entry: object) -> object:
    """A train of another package as a Neo train, which has a start and an end; anything else
    unchanged."""
    if not is_stretch(entry):
        return entry
    times, start, stop = stretch_of(entry)
    return neo.SpikeTrain(times, units="s", t_start=start, t_stop=stop)


def is_train(entry: object) -> bool:
    """Whether something is one spike train, not a sequence of them."""
    if isinstance(entry, (neo.SpikeTrain, pq.Quantity, pd.Series)) or is_stretch(entry):
        return True
    if isinstance(entry, np.ndarray):
        return entry.dtype != object
    return isinstance(entry, (list, tuple)) and all(np.isscalar(value) for value in entry)


def in_seconds(train: SpikeTrainLike) -> tuple[np.ndarray, float, float]:
    """Times, start and stop of a train in seconds, unchecked: the only place where units of trains
    are read.

    Arrays begin at zero, or at an earlier spike, and end at their last spike.

    Raises
    ------
    DataError
        If the unit is not a unit of time, there is more than one dimension, or values are not
        numbers.
    """
    if isinstance(train, Stretch):
        return train
    if is_stretch(train):
        return stretch_of(train)
    if isinstance(train, neo.SpikeTrain):
        start, stop = _time(train.t_start), _time(train.t_stop)
        return _scaled(train.magnitude, train.units), start, stop
    unit = train.units if isinstance(train, pq.Quantity) else str(getattr(train, "dim", "s"))
    require_unmasked(train, "A spike train")
    try:
        values = np.asarray(train)
    except ValueError:
        raise DataError(
            "A spike train is one row of times, not rows of different lengths."
        ) from None
    if values.ndim != 1:
        raise DataError(f"A spike train has one dimension, not {values.ndim}.")
    if values.size and values.dtype.kind not in "iuf":
        raise DataError(
            f"A spike train holds values of the type '{values.dtype}', expected times in seconds."
        )
    times = _scaled(values, unit)
    finite = times[np.isfinite(times)]
    return (
        times,
        min(0.0, float(finite.min())) if finite.size else 0.0,
        float(finite.max()) if finite.size else 0.0,
    )


def _fault(times: np.ndarray, start: float, stop: float) -> str:
    """Why the times of a train between two times are unusable; an empty text if they are usable."""
    finite = np.isfinite(times)
    if not finite.all():
        return f"{np.sum(~finite)} times are not finite"
    if np.any(times[1:] < times[:-1]):
        return "the times are not sorted"
    if times.size and (times[0] < start - ROUNDING or times[-1] > stop + ROUNDING):
        return f"times lie outside [{start:g}, {stop:g}] s"
    return ""


def _time(quantity: Any) -> float:
    """Start or end of a train in seconds; Neo annotates them as optional, though a train has
    both."""
    return float(_scaled(quantity.magnitude, quantity.units))


def _scaled(values: np.ndarray, unit: str | pq.Quantity) -> np.ndarray:
    """Times in seconds; where a second is a whole number of units, they are divided by this number,
    which gives the value nearest to the decimal."""
    values, scale = np.asarray(values, float), _scale(unit)
    per_second = round(1 / scale)
    return values / per_second if abs(per_second * scale - 1) < 1e-9 else values * scale


def _scale(unit: str | pq.Quantity) -> float:
    name = unit if isinstance(unit, str) else unit.dimensionality.string
    if name in SECONDS:
        return SECONDS[name]
    try:
        return float(
            pq.Quantity(1, unit).rescale("s") if isinstance(unit, str) else unit.rescale("s")
        )
    except (ValueError, LookupError, SyntaxError):
        raise DataError(f"Spike times are in '{name}', expected a unit of time.") from None
