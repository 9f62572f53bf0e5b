"""Tables with one row per spike: its time and, if stated, its unit, stimulus and trial."""

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

#: Limit for the number of a unit or trial; and the ratio of all trials to trials with spikes from
#: which on a table is refused.
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
        Names of the units by their number; one empty name where the table does not name units.
    time_unit : str
        Unit of the times: ``"s"``, ``"ms"`` or ``"us"``.
    """

    cells: Cells
    names: tuple[str, ...]
    time_unit: str

    @property
    def end(self) -> float:
        """Time of the latest spike in the unit of time."""
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
        Beginning of error messages.
    columns : Columns
    content : mapping of str to numpy.ndarray
        At least the columns that ``columns`` names: times as numbers or time differences, units as
        numbers or words.
    time_unit : {"s", "ms", "us"}, optional
        Unit of the times where the heading states none; seconds by default.
    sampling_rate : float, optional
        Sampling rate in hertz of times that are counted in samples.

    Returns
    -------
    SpikeTable

    Raises
    ------
    DataError
        If the heading and ``time_unit`` differ, samples come without a rate or whole numbers
        without a unit of time, or a column holds values that are not times or not units.

    Examples
    --------
    >>> content = {"t": np.array([0.5, 0.25]), "unit": np.array(["b", "a"])}
    >>> table = read_spike_table("x.csv", Columns("t", "unit"), content)
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
    """Times of a column and their unit, which the heading, the options of the reader or the type of
    the values states.

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
    stated = unit_of_heading(heading)
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
    chosen = time_unit if sampling_rate is None else SAMPLES
    if stated and chosen and stated != chosen and not (stated == SAMPLES and sampling_rate is None):
        raise DataError(
            f"{where}: the column '{heading}' says {stated}, the unit of time is {chosen}."
        )
    if SAMPLES in (stated, chosen):
        return samples_in_seconds(where, heading, values, sampling_rate), "s"
    if not stated and time_unit is None:
        require_no_samples(where, f"'{heading}'", values)
    return as_times(where, values), stated or time_unit or "s"


def require_no_samples(where: object, what: str, values: np.ndarray) -> None:
    """Refuse whole numbers without a stated unit: sorters store samples, and reading these as
    seconds would stretch time by a factor of thousands.

    Raises
    ------
    DataError
    """
    if values.dtype.kind in "iu" and values.size:
        raise DataError(
            f"{where}: {what} holds whole numbers, which may be samples; say their unit "
            f"(--time-unit, or a heading such as time_ms) or their sampling rate (--sampling-rate)."
        )


def samples_in_seconds(
    where: object, what: str, counted: np.ndarray, sampling_rate: float | None
) -> np.ndarray:
    """Times counted in samples, in seconds.

    Raises
    ------
    DataError
        If the sampling rate is missing or implausible, or a number of samples is not whole.

    Examples
    --------
    >>> samples_in_seconds("spike_times.npy", "the array", np.array([3]), 2.0)
    array([1.5])
    """
    if sampling_rate is None:
        raise DataError(
            f"{where}: '{what}' counts samples; say how many there are per second by "
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
    """Latest plausible spike time in seconds: one impossible time must not set the end of all other
    trains.

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
            f"{where}: '{heading}' has the shape {values.shape}, expected one name or number "
            f"per spike."
        )
    try:
        codes, known = pd.factorize(values)
    except TypeError:
        raise DataError(
            f"{where}: '{heading}' holds lists, expected one name or number per spike."
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
    """The values as whole numbers where all of them are whole numbers, else as words."""
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
        Beginning of error messages.
    array : numpy.ndarray, shape (spikes, columns)
    names : list of str
        Names of the columns: ``"unit"``, ``"stimulus"``, ``"trial"`` and ``"time"`` in any order.

    Raises
    ------
    DataError
        If the number of columns differs, there is no row, or numbers of units or trials are not
        finite.

    Warns
    -----
    UserWarning
        If trials have no row and are taken as silent.

    Examples
    --------
    >>> cells_of_rows("cells.csv", np.array([[1, 0.5], [0, 0.75], [1, 0.25]]), ["unit", "time"])
    {(0, 0, 0): array([0.75]), (1, 0, 0): array([0.25, 0.5 ])}
    """
    if array.ndim != 2 or array.shape[1] != len(names):
        raise DataError(
            f"{path}: a table of shape {array.shape} does not have the columns {', '.join(names)}."
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
    firing: Cells = {}
    for start, part in zip([0, *edges], np.split(times, edges), strict=True):
        unit, stimulus, trial = (int(k) for k in keys[start])
        firing[unit, stimulus, trial] = part
    return _with_silent_trials(path, firing, names)


def _whole_labels(column: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The numbers of a column themselves where they are whole, else their ranks."""
    whole = np.all(column == np.floor(column)) and np.all(np.abs(column) < LARGEST_LABEL)
    return column.astype(np.int64) if whole else ranks


def _with_silent_trials(path: object, firing: Cells, names: list[str]) -> Cells:
    """Trains with spikes and added silent ones: for trials in which only another unit fired, and
    for trials whose number was skipped."""
    units = sorted({unit for unit, _, _ in firing})
    trials: dict[int, set[int]] = {}
    for _, stimulus, trial in firing:
        trials.setdefault(stimulus, set()).add(trial)
    if "trial" in names and "stimulus" not in names:
        first, last = min(trials[0]), max(trials[0])
        if last - first >= SPARSEST * len(trials[0]):
            raise DataError(
                f"{path}: trials are numbered from {first} to {last} and {len(trials[0])} of them "
                f"hold a spike, expected consecutive numbers."
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
            f"{path}: {silent} of {len(cells)} trials have no row; they are taken as silent, since "
            f"another unit fired in them or their number was skipped. If they were not recorded, "
            f"describe each unit by itself.",
            stacklevel=3,
        )
    return cells
