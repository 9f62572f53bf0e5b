"""One table that describes many spike trains: one row per unit."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from neurocode.errors import DataError
from neurocode.recordings.files import trains_of
from neurocode.recordings.trains import Trains
from neurocode.statistics.unit_statistics import (
    COMPLEXITY,
    COMPLEXITY_COLUMNS,
    FIRST_COLUMNS,
    LAST_COLUMN,
    MOST_BINS,
    STATISTICS,
    Column,
    UnitStatistic,
    complexity_statistic,
    durations,
    spike_counts,
)
from neurocode.units import seconds

#: The longest train in seconds (116 days).
LONGEST_TRAIN = 1e7
#: Rates in hertz beyond which the unit of time was probably misread.
HIGHEST_RATE, LOWEST_RATE, ENOUGH_SPIKES = 1000.0, 0.02, 20
#: Names of the statistics that a table holds unless others are asked for.
ALL = (*STATISTICS, COMPLEXITY)


def describe(
    spiketrains: object,
    *,
    statistics: Sequence[str | UnitStatistic] | None = None,
    bin_size: float | None = None,
    n_surrogates: int = 200,
    seed: int = 0,
) -> pd.DataFrame:
    """Rate, variability and complexity of every unit, with significance.

    Parameters
    ----------
    spiketrains
        One train per unit, or a sequence of repeats per unit (:class:`neo.SpikeTrain` or arrays of
        seconds), a container of units (see :meth:`Trains.of <neurocode.recordings.Trains.of>`), or
        the path of a recording.
    statistics : sequence of str or UnitStatistic, optional
        What the table holds besides ``n_spikes``, ``n_trains``, ``duration`` and ``reason``: names
        of columns or of rows of :data:`~neurocode.statistics.unit_statistics.STATISTICS`,
        ``"complexity"``, and statistics of your own; by default all that are built in.
        ``[*ALL, statistic]`` adds one.
    bin_size : float or quantity, optional
        Bin of the Lempel-Ziv complexity in seconds; a fifth of each unit's mean interval, at least
        1 ms, by default.
    n_surrogates : int
        Number of surrogates per kind and unit; zero leaves complexity out.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per unit. ``n_spikes``, ``n_trains``, ``duration`` (s, all trains), ``rate`` (Hz).
        Intervals: ``mean_isi``, ``min_isi`` (s), ``cv``, ``cv2``, ``lv``, ``lvr``,
        ``serial_correlation``, ``burst_index``. Counts: ``allan_factor`` (adjacent windows of 1 s);
        over repeats ``fano_factor`` (unbiased variance), ``drift`` and ``drift_p`` (Spearman's
        correlation of count with repeat).
        Complexity: ``bin_size`` (s), ``lz76`` (words), ``entropy_rate`` (bits per bin, from
        ``lz_ratio``); against rate-matched surrogates ``lz_ratio``, ``lz_z``, ``lz_p``, ``lz_q`` (p
        adjusted for the number of units), against shuffled intervals the same with the prefix
        ``lz_isi``.
        ``reason``: why entries are NaN or doubtful; empty where none is.

    Raises
    ------
    DataError
        If there is no unit, the bin is not positive and finite, the surrogates or the seed are
        below zero, or a statistic is not known or gives another number of values than there are
        units.

    Warns
    -----
    UserWarning
        For rates above 1 kHz or below 0.02 Hz: the unit of time may have been misread.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> trains = [np.cumsum(random.exponential(0.1, 300)) for _ in range(3)]
    >>> table = describe(trains, n_surrogates=50)
    >>> bool(np.all(np.abs(table["lz_z"]) < 4))
    True
    """
    trains = trains_of(spiketrains)
    if not trains.n_units:
        raise DataError("There is no unit to describe.")
    bin_size = None if bin_size is None else seconds(bin_size, "The bin size")
    if n_surrogates < 0 or seed < 0:
        raise DataError(
            f"There are {n_surrogates} surrogates with seed {seed}, expected zero or more."
        )
    rows = _rows(ALL if statistics is None else statistics, bin_size, n_surrogates, seed)
    faults = _faults(trains)
    sound = _without_spikes(trains, np.array([bool(fault) for fault in faults]))
    table = pd.DataFrame(index=pd.Index(trains.names, name="unit"))
    table["n_spikes"], table["n_trains"] = (
        spike_counts(trains),
        np.bincount(trains.unit, minlength=trains.n_units),
    )
    table["duration"] = durations(trains)
    computed = [(row, names, _values(row, sound)) for row, names in rows]
    for row, names, values in computed:
        for name in names:
            table[name] = values[:, row.names.index(name)]
    broken = np.array([bool(fault) for fault in faults])
    table.loc[broken, table.columns.difference(["n_spikes", "n_trains", "duration"])] = np.nan
    rate, intervals = (
        _computed(STATISTICS[name], computed, sound) for name in ("rate", "intervals")
    )
    notes = _notes(table, rate[:, 0], intervals[:, 1])
    table["reason"] = [
        "; ".join(part for part in (fault, note) if part)
        for fault, note in zip(faults, notes, strict=True)
    ]
    return table


def columns_of(statistics: Sequence[UnitStatistic] = ()) -> list[Column]:
    """Columns that a table may hold, in their order, with what they mean.

    Parameters
    ----------
    statistics : sequence of UnitStatistic
        Statistics that were added to the built-in ones.

    Examples
    --------
    >>> [column.name for column in columns_of()][:4]
    ['unit', 'n_spikes', 'n_trains', 'duration']
    """
    built_in = [column for row in STATISTICS.values() for column in row.columns]
    return [
        *FIRST_COLUMNS,
        *built_in,
        *COMPLEXITY_COLUMNS,
        *(c for row in statistics for c in row.columns),
        LAST_COLUMN,
    ]


def _rows(
    statistics: Sequence[str | UnitStatistic], bin_size: float | None, n_surrogates: int, seed: int
) -> list[tuple[UnitStatistic, list[str]]]:
    """Return the statistics, each with the names of its requested columns."""
    if isinstance(statistics, (str, UnitStatistic)):
        raise DataError(
            f"The statistics are {statistics!r}, expected a sequence of names and statistics."
        )
    available = STATISTICS | {COMPLEXITY: complexity_statistic(bin_size, n_surrogates, seed)}
    requested: dict[str, list[str]] = {}
    added: list[tuple[UnitStatistic, list[str]]] = []
    used_names = {column.name for column in columns_of()}
    for statistic in statistics:
        if isinstance(statistic, UnitStatistic):
            if again := used_names & set(statistic.names):
                raise DataError(
                    f"The table has a column '{min(again)}' already, expected another name of a "
                    f"statistic."
                )
            used_names |= set(statistic.names)
            added.append((statistic, statistic.names))
            continue
        row = next(
            (
                name
                for name, row in available.items()
                if statistic == name or statistic in row.names
            ),
            None,
        )
        if row is None:
            raise DataError(
                f"'{statistic}' is not a statistic of a description; known are "
                f"{', '.join(available)} and their columns."
            )
        requested.setdefault(row, []).extend(
            available[row].names if statistic == row else [statistic]
        )
    if not n_surrogates:
        requested.pop(COMPLEXITY, None)
    return [
        (available[row], [name for name in available[row].names if name in requested[row]])
        for row in available
        if row in requested
    ] + added


def _computed(
    statistic: UnitStatistic,
    computed: Sequence[tuple[UnitStatistic, list[str], np.ndarray]],
    trains: Trains,
) -> np.ndarray:
    """Return the values of a statistic, from the table if it has them."""
    values = next((values for row, _, values in computed if row is statistic), None)
    return _values(statistic, trains) if values is None else values


def _values(row: UnitStatistic, trains: Trains) -> np.ndarray:
    """Return the values of a statistic, of shape (units, columns)."""
    values = np.asarray(row.values(trains))
    values = values[:, None] if values.ndim == 1 else values
    if values.shape != (trains.n_units, len(row.columns)):
        raise DataError(
            f"The statistic '{row.names[0]}' gives values of the shape {values.shape} for "
            f"{trains.n_units} units and {len(row.columns)} columns."
        )
    return values


def _without_spikes(trains: Trains, broken: np.ndarray) -> Trains:
    """Return the trains, with those of broken units emptied of spikes and of duration."""
    in_broken_unit = broken[trains.unit] if len(broken) else np.zeros(0, bool)
    counts = np.where(in_broken_unit, 0, trains.counts)
    return replace(
        trains,
        times=trains.times[~np.repeat(in_broken_unit, trains.counts)],
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        t_stop=np.where(in_broken_unit, trains.t_start, trains.t_stop),
    )


def _faults(trains: Trains) -> list[str]:
    """Return for each unit what makes its times unusable, or an empty text."""
    faults = [""] * trains.n_units
    for k, unit in enumerate(trains.unit):
        faults[unit] = (
            faults[unit] or trains.fault(k) or _overlong(trains.t_stop[k] - trains.t_start[k])
        )
    return faults


def _overlong(duration: float) -> str:
    if duration <= LONGEST_TRAIN:
        return ""
    return (
        f"the train lasts {duration:.3g} s, beyond {LONGEST_TRAIN:g} s: do its times count "
        f"from an epoch? Give the start"
    )


def _notes(table: pd.DataFrame, rates: np.ndarray, shortest_intervals: np.ndarray) -> list[str]:
    """Return remarks on usable units, and warn where the unit of time was probably misread."""
    widths = table["bin_size"] if "bin_size" in table else np.full(len(table), np.inf)
    notes = []
    for name, n_spikes, rate, min_isi, duration, width in zip(
        table.index,
        table["n_spikes"],
        rates,
        shortest_intervals,
        table["duration"],
        widths,
        strict=True,
    ):
        parts = []
        if n_spikes < 2:
            parts.append("no spike" if n_spikes == 0 else "one spike")
        if min_isi == 0:
            parts.append("two spikes at one time")
        if width * MOST_BINS < duration:
            parts.append(f"no complexity: more than {MOST_BINS:.0e} bins of {width:.2g} s")
        if rate > HIGHEST_RATE:
            parts.append(
                f"rate of {rate:.0f} Hz: are the times in seconds, read as milliseconds or smaller?"
            )
        if rate < LOWEST_RATE and n_spikes > ENOUGH_SPIKES:
            parts.append(
                f"rate of {rate:.2g} Hz: are the times in milliseconds or smaller, read as seconds?"
            )
        for part in parts:
            if "are the times" in part:
                warnings.warn(f"Unit {name}: {part}", stacklevel=3)
        notes.append("; ".join(parts))
    return notes
