"""Containers of spike trains from other packages, recognised without importing the packages.

Each kind of container is one row of ``CONTAINERS``. It is recognised by the methods that its
package documents, and read as the names of its units and their trains; what it then holds has the
type ``Any``, as no type of a package that is not imported can be named. Times are not checked here:
:class:`~neurocode.recordings.trains.Trains` checks them for all containers.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import neo
import numpy as np
import pandas as pd

from neurocode.errors import DataError, MissingRepeatWarning
from neurocode.recordings.columns import find_columns
from neurocode.recordings.spike_table import read_spike_table
from neurocode.recordings.time_units import SECONDS


class Stretch(NamedTuple):
    """A spike train in seconds between two times."""

    times: np.ndarray
    t_start: float
    t_stop: float


class Units(NamedTuple):
    """Names of units, and for each its repeats and their stimuli.

    A repeat is a :class:`Stretch` or whatever a single train may be.
    """

    names: list[str]
    repeats: list[list[Any]]
    conditions: list[list[int]] | None = None


class Container(NamedTuple):
    """One kind of container: how it is recognised, and how its units are read."""

    is_one: Callable[[object], bool]
    units: Callable[[Any], Units]


def units_in(holder: object) -> Units | None:
    """Units of a container of spike trains, or None for anything that is not such a container.

    Raises
    ------
    DataError
        If the trains of the container cannot be read.

    Examples
    --------
    >>> units_in({"a": [0.5], "b": [0.25, 0.75]}).names
    ['a', 'b']
    >>> units_in([0.5, 0.75]) is None
    True
    """
    container = next((row for row in CONTAINERS if row.is_one(holder)), None)
    return None if container is None else container.units(holder)


def holds_units(holder: object) -> bool:
    """Whether something is a container of spike trains that this module can read.

    Examples
    --------
    >>> holds_units(neo.Segment()), holds_units(np.array([0.5]))
    (True, False)
    """
    return any(row.is_one(holder) for row in CONTAINERS)


def is_stretch(entry: object) -> bool:
    """Whether something is one train of another package (pynapple's ``Ts``).

    Examples
    --------
    >>> is_stretch([0.5])
    False
    """
    return _has(entry, "time_support", "t") and not isinstance(entry, Mapping)


def stretch_of(train: Any) -> Stretch:
    """A pynapple ``Ts`` in seconds; it begins and ends with the epoch in which it is defined.

    Raises
    ------
    DataError
        If there are several epochs, or the object is a series of values.
    """
    _require_no_values(train)
    return Stretch(np.asarray(train.t, float), *_epoch(train.time_support))


def distinct(names: Iterable[object]) -> list[str]:
    """Names as text, made distinct: the second occurrence of a name becomes ``name (2)``.

    Examples
    --------
    >>> distinct(["a", "a", 1])
    ['a', 'a (2)', '1']
    """
    seen: Counter[str] = Counter()
    unique = []
    for name in map(str, names):
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def units_of_segments(segments: Iterable[Iterable[tuple[str, object]]]) -> Units:
    """Units of named trains, segment by segment: trains of the same name are repeats of a unit.

    Warns
    -----
    MissingRepeatWarning
        If a unit with several repeats has no train in a segment that holds trains of others.

    Examples
    --------
    >>> units_of_segments([[("a", [0.5]), ("a", [1.5])], [("a", [2.5])]])
    Units(names=['a', 'a (2)'], repeats=[[[0.5], [2.5]], [[1.5]]], conditions=None)
    """
    units: dict[str, list[object]] = {}
    n_filled = 0
    for segment in segments:
        named = list(segment)
        n_filled += bool(named)
        for name, (_, train) in zip(distinct(name for name, _ in named), named, strict=True):
            units.setdefault(name, []).append(train)
    lacking = [name for name, repeats in units.items() if 1 < len(repeats) < n_filled]
    if lacking:
        warnings.warn(
            f"Unit '{lacking[0]}' has trains in {len(units[lacking[0]])} of {n_filled} segments; "
            f"its repeats are counted without the others.",
            MissingRepeatWarning,
            stacklevel=3,
        )
    return Units(list(units), list(units.values()))


def _of_block(block: neo.Block) -> Units:
    return units_of_segments(
        [(train.name or str(number), train) for number, train in enumerate(segment.spiketrains)]
        for segment in block.segments
    )


def _of_segment(segment: neo.Segment) -> Units:
    return units_of_segments(
        [[(train.name or str(number), train) for number, train in enumerate(segment.spiketrains)]]
    )


def _of_mapping(mapping: Any) -> Units:
    """One unit per key: its train, or a sequence of its repeats; or all spikes under one key and
    their units under another."""
    if _has(mapping, "time_support"):
        return Units(
            distinct(mapping),
            [
                [Stretch(stretch_of(mapping[key]).times, *_epoch(mapping.time_support))]
                for key in mapping
            ],
        )
    columns = find_columns("The mapping", [key for key in mapping if isinstance(key, str)])
    if columns is not None and columns.unit:
        return _of_table(
            "The mapping", {heading: mapping[heading] for heading in columns.by_axis.values()}
        )
    for key, train in mapping.items():
        _require_seconds(f"The unit '{key}'", train)
    return Units(distinct(mapping), [_repeats(train) for train in mapping.values()])


def _repeats(entry: object) -> list[Any]:
    if isinstance(entry, (list, tuple)) and not all(np.isscalar(value) for value in entry):
        return list(entry)
    return [entry]


def _of_frame(frame: pd.DataFrame) -> Units:
    """One row per spike: a column of times and perhaps one of units."""
    return _of_table("The data frame", frame)


def _of_table(where: str, table: Mapping | pd.DataFrame) -> Units:
    headings = [str(heading) for heading in table]
    columns = find_columns(where, headings)
    if columns is None:
        raise DataError(
            f"{where} has the columns {', '.join(headings) or 'none'}, expected one of spike "
            f"times (time, spike_times, t) and, for several units, one of units (unit, cluster, "
            f"neuron); a mapping of arrays holds one unit per key."
        )
    rows = read_spike_table(
        where,
        columns,
        {heading: np.asarray(table[heading]) for heading in columns.by_axis.values()},
    )
    scale = SECONDS[rows.time_unit]
    names = list(rows.names) if any(rows.names) else ["0"]
    repeats: list[list[object]] = [[] for _ in names]
    conditions: list[list[int]] = [[] for _ in names]
    for unit, stimulus, trial in sorted(rows.cells):
        times = rows.cells[unit, stimulus, trial] * scale
        repeats[unit].append(
            Stretch(times, min(0.0, float(np.min(times, initial=0.0))), rows.end * scale)
        )
        conditions[unit].append(stimulus)
    return Units(names, repeats, conditions)


def _of_series(series: pd.Series) -> Units:
    return Units(distinct(series.index), [_repeats(train) for train in series])


def _of_sorting(sorting: Any) -> Units:
    """A SpikeInterface sorting: samples over its sampling frequency, or the times of its recording;
    segments are repeats."""
    rate, units = float(sorting.get_sampling_frequency()), list(sorting.get_unit_ids())
    if not rate > 0:
        raise DataError(
            f"The sorting states a sampling frequency of {rate:g} Hz, expected a positive one."
        )
    segments = range(int(sorting.get_num_segments()))
    trains = [
        [
            np.asarray(
                sorting.get_unit_spike_train(unit_id=unit, segment_index=k, return_times=True),
                float,
            )
            for k in segments
        ]
        for unit in units
    ]
    spans = [
        _span_of_segment(sorting, k, rate, [repeats[k] for repeats in trains]) for k in segments
    ]
    return Units(
        distinct(units),
        [[Stretch(times, *spans[k]) for k, times in enumerate(repeats)] for repeats in trains],
    )


def _span_of_segment(
    sorting: Any, number: int, rate: float, trains: Sequence[np.ndarray]
) -> tuple[float, float]:
    """Start and end of a segment in seconds: those of its recording where one is registered, else
    its start and the last spike."""
    first = (
        float(sorting.sample_index_to_time(0, segment_index=number))
        if _has(sorting, "sample_index_to_time")
        else 0.0
    )
    last = max((float(times.max(initial=first)) for times in trains), default=first)
    if _has(sorting, "has_recording") and sorting.has_recording():
        samples = int(sorting.get_num_samples(segment_index=number))
        last = max(
            last, float(sorting.sample_index_to_time(samples - 1, segment_index=number)) + 1 / rate
        )
    return min(first, *(float(times.min(initial=first)) for times in trains), first), last


def _is_series_of_trains(entry: object) -> bool:
    return (
        isinstance(entry, pd.Series)
        and entry.dtype == object
        and len(entry) > 0
        and all(isinstance(train, (np.ndarray, list, tuple, pd.Series)) for train in entry)
    )


def _has(entry: object, *names: str) -> bool:
    return all(hasattr(entry, name) for name in names)


def _require_no_values(series: object) -> None:
    """Refuse pynapple's series of values, whose times are those of samples, not of spikes."""
    if _has(series, "values"):
        raise DataError(
            f"A {type(series).__name__} holds values at its times, expected spike trains (Ts or "
            f"TsGroup)."
        )


def _epoch(support: Any) -> tuple[float, float]:
    """Start and end of the single epoch of a time support; both are zero for an empty one."""
    starts, ends = np.ravel(support.start), np.ravel(support.end)
    if len(starts) > 1:
        raise DataError(
            f"The time support has {len(starts)} epochs from {starts[0]:g} to {ends[-1]:g} s, "
            f"expected one; restrict the trains to one of them (.restrict)."
        )
    return (float(starts[0]), float(ends[0])) if len(starts) else (0.0, 0.0)


def _require_seconds(what: str, train: object) -> None:
    """Refuse arrays of whole numbers, because spike sorters store samples in such arrays."""
    if (
        isinstance(train, np.ndarray)
        and not _has(train, "units")
        and train.dtype.kind in "iu"
        and train.size
    ):
        raise DataError(
            f"{what} holds whole numbers, which may be samples; divide them by the sampling rate, "
            f"or convert them to float if they are seconds."
        )


#: Kinds of containers; the first that fits is used. A new kind takes one function and one row.
CONTAINERS = (
    Container(lambda entry: isinstance(entry, neo.Block), _of_block),
    Container(lambda entry: isinstance(entry, neo.Segment), _of_segment),
    Container(lambda entry: isinstance(entry, pd.DataFrame), _of_frame),
    Container(lambda entry: isinstance(entry, Mapping), _of_mapping),
    Container(_is_series_of_trains, _of_series),
    Container(
        lambda entry: _has(entry, "get_unit_ids", "get_unit_spike_train", "get_sampling_frequency"),
        _of_sorting,
    ),
)
