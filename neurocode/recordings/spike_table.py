"""Tables with one row per spike: its time and, where it has them, its unit, stimulus and trial."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurocode.errors import DataError
from neurocode.recordings.columns import SAMPLES, Columns, unit_of_heading
from neurocode.recordings.plausible import FASTEST, LATEST, SLOWEST, as_times
from neurocode.recordings.time_units import SECONDS

#: Beyond this the number of a unit or trial is no number of one; trials of which so few fire are
#: not numbered in a row.
LARGEST_LABEL, SPARSEST = 2**53, 100

#: Spike times by unit, stimulus and trial.
Cells = dict[tuple[int, int, int], np.ndarray]


@dataclass(frozen=True)
class SpikeTable:
    """Spikes of several units in one table.

    Attributes
    ----------
    cells : dict
        Spike times by the number of the unit, stimulus and trial.
    names : tuple of str
        Of the units by their number; one empty name where the table tells no units apart.
    time_unit : str
        Of the times: ``"s"``, ``"ms"`` or ``"us"``.
    """

    cells: Cells
    names: tuple[str, ...]
    time_unit: str

    @property
    def end(self) -> float:
        """Latest spike in the unit of time."""
        return last_time(self.cells, SECONDS[self.time_unit]) / SECONDS[self.time_unit]


def read_spike_table(
    where: object,
    columns: Columns,
    content: Mapping[str, np.ndarray],
    *,
    time_unit: str | None = None,
    sampling_rate: float | None = None,
) -> SpikeTable:
    """Sort the rows of a table into units.

    Parameters
    ----------
    where : path or str
        What a message begins with.
    columns : Columns
    content : mapping of str to numpy.ndarray
        At least the columns that ``columns`` names: times as numbers or spans of time, units as
        numbers or words.
    time_unit : {"s", "ms", "us"}, optional
        Of the times where the heading says none; seconds by default.
    sampling_rate : float, optional
        In hertz, of times that are counted in samples.

    Returns
    -------
    SpikeTable

    Raises
    ------
    DataError
        If the heading and ``time_unit`` differ, samples come without a rate, whole numbers without
        a unit of time, or a column holds what is no time or no unit.

    Examples
    --------
    >>> table = read_spike_table("x.csv", Columns("t", "unit"), {"t": np.array([0.5, 0.25]), "unit": np.array(["b", "a"])})
    >>> table.names, table.cells[0, 0, 0].tolist()
    (('a', 'b'), [0.25])
    """
    lengths = {heading: len(content[heading]) for heading in columns.by_axis.values()}
    if len(set(lengths.values())) > 1:
        raise DataError(
            f"{where}: the columns differ in length: "
            f"{', '.join(f'{n} in {name!r}' for name, n in lengths.items())}."
        )
    times, unit = times_of_column(
        where, columns.time, content[columns.time], time_unit, sampling_rate
    )
    arrays, names = {"time": times}, ("",)
    if columns.unit:
        arrays["unit"], names = _units_of_column(where, columns.unit, content[columns.unit])
    for axis in ("stimulus", "trial"):
        if axis in columns.by_axis:
            arrays[axis] = _units_of_column(
                where, columns.by_axis[axis], content[columns.by_axis[axis]], keep_numbers=True
            )[0]
    return SpikeTable(
        cells_of_rows(where, np.stack(list(arrays.values()), axis=1), list(arrays)), names, unit
    )


def times_of_column(
    where: object,
    heading: str,
    values: np.ndarray,
    time_unit: str | None,
    sampling_rate: float | None,
) -> tuple[np.ndarray, str]:
    """Times of a column and their unit, which the heading, the reader's options or the type of the
    values must say.

    Raises
    ------
    DataError
        See :func:`read_spike_table`.

    Examples
    --------
    >>> times_of_column("x.npz", "spike_sample", np.array([15000, 30000]), None, 30000.0)
    (array([0.5, 1. ]), 's')
    """
    values = np.asarray(values)
    said = unit_of_heading(heading)
    if values.dtype.kind == "m":
        return values / np.timedelta64(1, "s"), "s"
    if values.dtype.kind not in "iuf":
        raise DataError(
            f"{where}: '{heading}' holds {_kind(values)}, expected spike times as numbers."
        )
    if values.ndim != 1:
        raise DataError(
            f"{where}: '{heading}' has the shape {values.shape}, expected one row of spike times."
        )
    asked = time_unit if sampling_rate is None else SAMPLES
    if said and asked and said != asked and not (said == SAMPLES and sampling_rate is None):
        raise DataError(
            f"{where}: the column '{heading}' says {said}, the unit of time is {asked}."
        )
    if SAMPLES in (said, asked):
        return samples_in_seconds(where, heading, values, sampling_rate), "s"
    if not said and time_unit is None:
        require_no_samples(where, f"'{heading}'", values)
    return as_times(where, values), said or time_unit or "s"


def require_no_samples(where: object, what: str, values: np.ndarray) -> None:
    """Refuse whole numbers of which nobody said the unit: sorters store samples, which seconds
    would stretch by thousands.

    Raises
    ------
    DataError
    """
    if values.dtype.kind in "iu" and values.size:
        raise DataError(
            f"{where}: {what} holds whole numbers, which may be samples; say their unit "
            f"(--time-unit, or a heading such as "
            "time_ms) or their sampling rate (--sampling-rate)."
        )


def samples_in_seconds(
    where: object, what: str, counted: np.ndarray, sampling_rate: float | None
) -> np.ndarray:
    """Times counted in samples, in seconds.

    Raises
    ------
    DataError
        Without a sampling rate, for one that no recording has, or numbers that are no samples.

    Examples
    --------
    >>> samples_in_seconds("spike_times.npy", "the array", np.array([3]), 2.0)
    array([1.5])
    """
    if sampling_rate is None:
        raise DataError(
            f"{where}: '{what}' counts samples; say how many there are in a second by "
            f"sampling_rate (--sampling-rate)."
        )
    if not SLOWEST <= sampling_rate <= FASTEST:
        raise DataError(
            f"{where}: the sampling rate is {sampling_rate:g} Hz, expected {SLOWEST:g} to "
            f"{FASTEST:g} Hz."
        )
    wrong = (
        np.zeros(counted.shape, bool)
        if counted.dtype.kind in "iu"
        else counted != np.floor(counted)
    )
    if np.any(wrong):
        raise DataError(
            f"{where}: '{what}' holds {counted[wrong].flat[0]:g}, expected whole numbers of "
            f"samples."
        )
    return counted / sampling_rate


def last_time(cells: Cells, scale: float) -> float:
    """Latest spike in seconds among those that a recording can have: one impossible time must not
    end all other trains.

    Examples
    --------
    >>> last_time({(0, 0, 0): np.array([500.0, np.nan])}, 1e-3)
    0.5
    """
    times = np.concatenate([*cells.values(), np.zeros(1)]) * scale
    return float(np.max(times[np.isfinite(times) & (times <= LATEST)]))


def _units_of_column(
    where: object, heading: str, values: np.ndarray, *, keep_numbers: bool = False
) -> tuple[np.ndarray, tuple[str, ...]]:
    """A number for the unit of each row, and the names of the units by that number."""
    values = np.asarray(values)
    if values.ndim != 1:
        raise DataError(
            f"{where}: '{heading}' has the shape {values.shape}, expected one name or number a "
            f"spike."
        )
    try:
        codes, known = pd.factorize(values)
    except TypeError:
        raise DataError(
            f"{where}: '{heading}' holds lists, expected a name or number a spike."
        ) from None
    if np.any(codes < 0):
        raise DataError(
            f"{where}: '{heading}' is empty in row {int(np.argmax(codes < 0)) + 1}, expected a "
            f"name or number."
        )
    known = _as_numbers_or_words(where, heading, np.asarray(known))
    if keep_numbers and known.dtype.kind in "iu":
        return known[codes], ()
    names, ranks = np.unique(known, return_inverse=True)
    return ranks[codes], tuple(map(str, names.tolist()))


def _as_numbers_or_words(where: object, heading: str, values: np.ndarray) -> np.ndarray:
    """Whole numbers where all values are, words elsewhere."""
    if values.dtype.kind in "iu":
        return values
    if any(isinstance(value, (bool, np.bool_)) for value in values.tolist()):
        raise DataError(
            f"{where}: '{heading}' holds truth values, expected names or whole numbers."
        )
    try:
        numbers = np.array([float(value) for value in values])
    except (TypeError, ValueError):
        words = [str(value).strip() for value in values]
        if "" in words:
            raise DataError(
                f"{where}: '{heading}' holds an empty name, expected a name or number in each row."
            ) from None
        return np.array(words)
    wrong = ~(np.isfinite(numbers) & (np.abs(numbers) < LARGEST_LABEL)) | (
        numbers != np.floor(numbers)
    )
    if np.any(wrong):
        raise DataError(
            f"{where}: '{heading}' holds {numbers[wrong][0]:g}, expected names or whole numbers."
        )
    return numbers.astype(np.int64)


def _kind(values: np.ndarray) -> str:
    return {
        "O": "objects",
        "U": "text",
        "b": "truth values",
        "M": "dates",
        "c": "complex numbers",
    }.get(values.dtype.kind, f"values of type {values.dtype}")


def cells_of_rows(path: object, array: np.ndarray, names: list[str]) -> Cells:
    """Spike times of each unit, stimulus and trial, sorted.

    Parameters
    ----------
    path : path or str
        What a message begins with.
    array : numpy.ndarray, shape (spikes, columns)
    names : list of str
        Of the columns: ``"unit"``, ``"stimulus"``, ``"trial"`` and ``"time"`` in any order.

    Raises
    ------
    DataError
        For another number of columns, no row, or numbers of units and trials that are not finite.

    Warns
    -----
    UserWarning
        Where trials have no row and are taken for silent ones.

    Examples
    --------
    >>> cells_of_rows("cells.csv", np.array([[1, 0.5], [0, 0.75], [1, 0.25]]), ["unit", "time"])
    {(0, 0, 0): array([0.75]), (1, 0, 0): array([0.25, 0.5 ])}
    """
    if array.ndim != 2 or array.shape[1] != len(names):
        raise DataError(
            f"{path}: a table of shape {array.shape} has no columns {', '.join(names)}."
        )
    if not len(array):
        raise DataError(f"{path}: the table has columns {', '.join(names)} and no row.")
    columns = dict(zip(names, as_times(path, array.T), strict=True))
    for name in [name for name in names if name not in ("time", "spike", "bin")]:
        wrong = columns[name][~np.isfinite(columns[name])]
        if wrong.size:
            raise DataError(
                f"{path}: the column '{name}' holds {wrong[0]:g}, expected the number of a {name}."
            )
    ranks = {
        name: np.unique(columns[name], return_inverse=True)[1] for name in columns if name != "time"
    }
    labels = ranks | {
        name: _whole_labels(columns[name], ranks[name])
        for name in ("unit", "trial")
        if name in ranks
    }
    zero = np.zeros(len(array), int)
    keys = np.stack([labels.get(name, zero) for name in ("unit", "stimulus", "trial")], axis=1)
    order = np.lexsort((columns["time"], *keys.T[::-1]))
    keys, times = keys[order], columns["time"][order]
    edges = np.flatnonzero(np.any(np.diff(keys, axis=0), axis=1)) + 1
    firing = {
        tuple(int(k) for k in keys[start]): part
        for start, part in zip([0, *edges], np.split(times, edges), strict=True)
    }
    return _with_silent_trials(path, firing, names)


def _whole_labels(column: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The numbers of a column themselves where they are whole, else their ranks."""
    whole = np.all(column == np.floor(column)) and np.all(np.abs(column) < LARGEST_LABEL)
    return column.astype(np.int64) if whole else ranks


def _with_silent_trials(path: object, firing: Cells, names: list[str]) -> Cells:
    """Besides the trains with spikes, those without: a trial in which another unit fired, and a
    number that was passed over."""
    units = sorted({unit for unit, _, _ in firing})
    trials: dict[int, set[int]] = {}
    for _, stimulus, trial in firing:
        trials.setdefault(stimulus, set()).add(trial)
    if "trial" in names and "stimulus" not in names:
        first, last = min(trials[0]), max(trials[0])
        if last - first >= SPARSEST * len(trials[0]):
            raise DataError(
                f"{path}: trials are numbered from {first} to {last} and {len(trials[0])} of them "
                f"hold a spike, expected numbers "
                "in a row."
            )
        trials[0] = set(range(first, last + 1))
    count = len(units) * sum(map(len, trials.values()))
    if count >= SPARSEST * len(firing):
        raise DataError(
            f"{path}: {len(firing)} of {count} trials of the units hold a spike, expected units "
            f"that share their trials."
        )
    cells = {
        (unit, stimulus, trial): firing.get((unit, stimulus, trial), np.empty(0))
        for unit in units
        for stimulus in sorted(trials)
        for trial in sorted(trials[stimulus])
    }
    silent = len(cells) - len(firing)
    if silent:
        warnings.warn(
            f"{path}: {silent} of {len(cells)} trials have no row; they are taken for silent "
            f"ones, since another unit fired in "
            "them or their number was passed over. Where they were not recorded, describe each "
            "unit by itself.",
            stacklevel=3,
        )
    return cells
