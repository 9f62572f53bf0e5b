"""A declarative reader: where in a file the spike times are, said in words instead of code."""

from __future__ import annotations

import math
import tomllib
import warnings
from dataclasses import dataclass, fields
from numbers import Real
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import require_file
from neurocode.recordings.hdf5 import read_array
from neurocode.recordings.mat import read_mat
from neurocode.recordings.npy import read_npy
from neurocode.recordings.plausible import LATEST, as_times
from neurocode.recordings.sizes import MOST_BYTES
from neurocode.recordings.text import TEXT_SUFFIXES, NumberTable, read_numbers, require_header
from neurocode.recordings.trains import SECONDS, Trains, require_time_unit

AXES = ("unit", "trial", "stimulus", "time", "bin", "spike")
LAYOUT_SUFFIXES = (".mat", ".h5", ".hdf5", ".npy", *TEXT_SUFFIXES)

#: Beyond this the number of a unit or trial is no number of one; trials of which so few fire are not numbered in a row.
LARGEST_LABEL, SPARSEST = 2**53, 100

#: Spike times (in the layout's unit) by unit, stimulus and trial.
Cells = dict[tuple[int, int, int], np.ndarray]


@dataclass(frozen=True)
class Layout:
    """Where the spikes are.

    Attributes
    ----------
    variable : str
        Name in a MAT file, path in an HDF5 file; unused for NPY and text.
    axes : str
        Comma-separated names of the axes. Cell arrays: what the cells stand for, ``"unit,trial"``, ``"unit"``,
        ``"stimulus,unit,trial"``. Numeric arrays: ``"spike"`` (times), ``"bin"``, ``"trial,bin"`` (counts in bins), or the
        columns of a table with one row per spike, ``"unit,time"`` or ``"unit,trial,time"``; trials in which another unit fired,
        and numbers between two trials, are silent ones. Text: ``"trial"`` (a line each), or numbers in lines and columns as in
        an array.
    time_unit : {"s", "ms", "us"}
    counts : str
        Variable with the number of spikes of each unit, where trains stand one after another.
    bin_size : float
        Of binned counts, in the unit of time.
    t_start, t_stop : float, optional
        Of every train, in the unit of time; spikes outside are left out. Where not given: zero, and the last spike of the
        file or the end of its last bin. The first bin of counts begins at ``t_start``, and bins from ``t_stop`` on are left out.

    Raises
    ------
    DataError
        For an axis or a unit of time that is not known, text where a number belongs or the reverse, a bin that is not positive,
        or an end that is not after the start.
    """

    variable: str = ""
    axes: str = "spike"
    time_unit: str = "s"
    counts: str = ""
    bin_size: float = 1.0
    t_start: float | None = None
    t_stop: float | None = None

    def __post_init__(self) -> None:
        for name in ("variable", "axes", "time_unit", "counts"):
            if not isinstance(getattr(self, name), str):
                raise DataError(f"The layout's {name} is {getattr(self, name)!r}, expected text.")
        for name in ("bin_size", "t_start", "t_stop"):
            value = getattr(self, name)
            if not (_is_number(value) or (value is None and name != "bin_size")):
                raise DataError(f"The layout's {name} is {value!r}, expected a finite number.")
        require_time_unit(self.time_unit)
        for number, name in enumerate(self.names):
            if name not in AXES:
                raise DataError(f"'{name}' is no axis of a layout; known are {', '.join(AXES)}.")
            if name in self.names[:number]:
                raise DataError(f"The layout has the axis '{name}' twice.")
        if self.bin_size <= 0:
            raise DataError(f"The layout's bin_size is {self.bin_size:g} {self.time_unit}, expected a positive time.")
        if self.t_stop is not None and self.t_stop <= self.start:
            raise DataError(f"The layout ends at {self.t_stop:g} {self.time_unit}, not after its start at {self.start:g}.")

    @property
    def start(self) -> float:
        """Start of every train, in the unit of time."""
        return 0.0 if self.t_start is None else self.t_start

    @property
    def names(self) -> list[str]:
        """Names of the axes."""
        return [name.strip() for name in self.axes.split(",")]

    @classmethod
    def load(cls, path: str | Path) -> Layout:
        """Read a layout from TOML.

        Raises
        ------
        DataError
            For a file that is no TOML or an entry that a layout does not have.
        """
        try:
            table = tomllib.loads(require_file(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{path}: the file is no TOML ({error}).") from None
        known = {field.name for field in fields(cls)}
        if set(table) - known:
            raise DataError(f"{path}: a layout has no '{sorted(set(table) - known)[0]}'; it has {', '.join(sorted(known))}.")
        try:
            return cls(**table)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None


def read_layout(path: str | Path, layout: Layout) -> Trains:
    """Read spike trains from a MAT, HDF5, NPY or text file.

    Parameters
    ----------
    path : path
    layout : Layout

    Returns
    -------
    Trains
        Units are named after the file and their number, in tables the one that stands there.

    Raises
    ------
    DataError
        That names the file, and the variable or axes that do not fit.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.txt"
    >>> _ = file.write_text("1.5 2.0\\n0.3 0.4 0.9\\n")
    >>> read_layout(file, Layout(axes="trial", time_unit="ms")).counts.tolist()
    [2, 3]
    """
    path = require_file(path)
    content, counts = _open(path, layout)
    try:
        cells, end = _cells(path, layout, content, counts)
    except (ValueError, TypeError, IndexError, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: the file does not fit the layout ({(str(error).splitlines() or [''])[0]}).") from None
    return _trains(path, layout, cells, end)


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _open(path: Path, layout: Layout) -> tuple[np.ndarray | NumberTable, np.ndarray | None]:
    suffix = path.suffix.lower()
    variables = [layout.variable, layout.counts] if layout.counts else [layout.variable]
    if layout.counts and suffix in (".npy", *TEXT_SUFFIXES):
        raise DataError(f"{path}: '{layout.counts}' would name a variable with counts, which '{suffix}' files do not have.")
    if suffix == ".npy":
        return read_npy(path), None
    if suffix in TEXT_SUFFIXES:
        return read_numbers(path), None
    if suffix == ".mat":
        arrays = read_mat(path, variables)
    elif suffix in (".h5", ".hdf5"):
        arrays = [read_array(path, name) for name in variables]
    else:
        raise DataError(f"{path}: a layout reads {', '.join(LAYOUT_SUFFIXES)}, not '{suffix}'.")
    return arrays[0], arrays[1] if layout.counts else None


def _cells(path: Path, layout: Layout, content: np.ndarray | NumberTable, counts: np.ndarray | None) -> tuple[Cells, float | None]:
    """Spike times, and the end of the last bin where they come from counts."""
    names = layout.names
    if isinstance(content, NumberTable):
        if names == ["trial"]:
            return {(0, 0, trial): times for trial, times in enumerate(content.rows)}, None
        array = _array_of_text(path, layout, content)
    else:
        array = np.asarray(content)
    if counts is not None:
        return _one_after_another(path, layout, array, counts), None
    if array.dtype == object:
        inside = [name for name in names if name not in ("unit", "stimulus", "trial")]
        if inside:
            raise DataError(f"{path}: the axes of cells are unit, stimulus and trial; not '{inside[0]}': a cell holds spike times.")
        return _nested(path, array, names), None
    if "time" in names:
        return _rows(path, array, names), None
    if "bin" in names:
        return _binned(path, array, layout)
    if names != ["spike"] or max(array.shape, default=0) != array.size:
        raise DataError(f"{path}: an array of shape {array.shape} has no axes '{layout.axes}'.")
    return {(0, 0, 0): as_times(path, np.ravel(array))}, None


def _array_of_text(path: Path, layout: Layout, table: NumberTable) -> np.ndarray:
    """Numbers of a text file as a vector where one axis is asked for, as lines by columns for two."""
    require_header(path, table.header, layout.names, layout.time_unit)
    array = table.column() if len(layout.names) == 1 else table.array()
    if array is None:
        called = f" ({', '.join(table.header)})" if table.header else ""
        raise DataError(
            f"{path}: the text has {len(table.rows)} lines of up to {table.n_columns} columns{called}, which are no axes "
            f"'{layout.axes}'; say what they are, for example 'unit,time', or 'trial' for a train in each line."
        )
    return array


def _one_after_another(path: Path, layout: Layout, array: np.ndarray, counts: np.ndarray) -> Cells:
    """Trains of units that follow one another, as many spikes each as ``counts`` says."""
    counts, times = np.ravel(counts), np.ravel(array)
    if array.dtype == object or counts.dtype == object:
        raise DataError(f"{path}: '{layout.variable}' or '{layout.counts}' holds cells, expected numbers.")
    _require_counts(path, f"'{layout.counts}'", counts)
    if int(counts.sum()) != times.size:
        raise DataError(f"{path}: '{layout.counts}' adds up to {int(counts.sum())} spikes, '{layout.variable}' has {times.size}.")
    parts = np.split(as_times(path, times), np.cumsum(counts.astype(int))[:-1])
    return {(unit, 0, 0): part for unit, part in enumerate(parts[: counts.size])}


def _require_counts(path: Path, what: str, counts: np.ndarray) -> None:
    """Refuse counts of spikes that are negative, no whole numbers, or more than fit into memory."""
    wrong = counts < 0 if counts.dtype.kind in "biu" else ~((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts))
    if np.any(wrong):
        raise DataError(f"{path}: {what} holds {counts[wrong].flat[0]:g}, expected counts of spikes: whole numbers, none negative.")
    total = counts.sum(dtype=float)
    if total * np.dtype(float).itemsize > MOST_BYTES:
        raise DataError(f"{path}: {what} adds up to {total:.3g} spikes, more than {MOST_BYTES / 8:.3g}.")


def _nested(path: Path, array: np.ndarray, names: list[str]) -> Cells:
    """Cells inside cells: every level takes as many axes as it has of more than one entry, the last all that remain."""
    cells: Cells = {}

    def walk(level: np.ndarray, known: dict[str, int], left: list[str]) -> None:
        squeezed = level if level.ndim == len(left) else np.squeeze(level)
        here = left[: squeezed.ndim]
        if level.dtype == object and squeezed.ndim > len(left):
            raise DataError(f"{path}: cells of shape {level.shape} are more than the axes {', '.join(names)}.")
        for index in np.ndindex(squeezed.shape):
            place = known | dict(zip(here, index, strict=True))
            entry = np.asarray(squeezed[index])
            if entry.dtype == object:
                walk(entry, place, left[squeezed.ndim :])
            else:
                key = tuple(place.get(name, 0) for name in ("unit", "stimulus", "trial"))
                cells[key] = np.ravel(entry).astype(float)

    walk(array, {}, names)
    return cells


def _rows(path: Path, array: np.ndarray, names: list[str]) -> Cells:
    if array.ndim != 2 or array.shape[1] != len(names):
        raise DataError(f"{path}: a table of shape {array.shape} has no columns {', '.join(names)}.")
    if not len(array):
        raise DataError(f"{path}: the table has columns {', '.join(names)} and no row.")
    columns = dict(zip(names, as_times(path, array.T), strict=True))
    for name in [name for name in names if name not in ("time", "spike", "bin")]:
        wrong = columns[name][~np.isfinite(columns[name])]
        if wrong.size:
            raise DataError(f"{path}: the column '{name}' holds {wrong[0]:g}, expected the number of a {name}.")
    ranks = {name: np.unique(columns[name], return_inverse=True)[1] for name in columns if name != "time"}
    labels = ranks | {name: _whole_labels(columns[name], ranks[name]) for name in ("unit", "trial") if name in ranks}
    zero = np.zeros(len(array), int)
    keys = np.stack([labels.get(name, zero) for name in ("unit", "stimulus", "trial")], axis=1)
    order = np.lexsort((columns["time"], *keys.T[::-1]))
    keys, times = keys[order], columns["time"][order]
    edges = np.flatnonzero(np.any(np.diff(keys, axis=0), axis=1)) + 1
    firing = {tuple(int(k) for k in keys[start]): part for start, part in zip([0, *edges], np.split(times, edges), strict=True)}
    return _with_silent_trials(path, firing, names)


def _whole_labels(column: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """The numbers of a column themselves where they are whole, else their ranks."""
    whole = np.all(column == np.floor(column)) and np.all(np.abs(column) < LARGEST_LABEL)
    return column.astype(np.int64) if whole else ranks


def _with_silent_trials(path: Path, firing: Cells, names: list[str]) -> Cells:
    """Besides the trains with spikes, those without: a trial in which another unit fired, and a number that was passed over."""
    units = sorted({unit for unit, _, _ in firing})
    trials: dict[int, set[int]] = {}
    for _, stimulus, trial in firing:
        trials.setdefault(stimulus, set()).add(trial)
    if "trial" in names and "stimulus" not in names:
        first, last = min(trials[0]), max(trials[0])
        if last - first >= SPARSEST * len(trials[0]):
            raise DataError(
                f"{path}: trials are numbered from {first} to {last} and {len(trials[0])} of them hold a spike, expected numbers "
                "in a row."
            )
        trials[0] = set(range(first, last + 1))
    count = len(units) * sum(map(len, trials.values()))
    if count >= SPARSEST * len(firing):
        raise DataError(
            f"{path}: {len(firing)} of {count} trials of the units hold a spike, expected units that share their trials."
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
            f"{path}: {silent} of {len(cells)} trials have no row; they are taken for silent ones, since another unit fired in "
            "them or their number was passed over. Where they were not recorded, describe each unit by itself.",
            stacklevel=2,
        )
    return cells


def _binned(path: Path, array: np.ndarray, layout: Layout) -> tuple[Cells, float]:
    names = layout.names
    array = array if array.ndim == len(names) else np.squeeze(array)
    if array.ndim != len(names) or names[-1] != "bin":
        raise DataError(f"{path}: an array of shape {array.shape} has no axes '{layout.axes}'; bins come last.")
    array = array[..., : _bins_before_the_end(path, layout, array.shape[-1])]
    _require_counts(path, "the array", array)
    cells = {}
    for index in np.ndindex(array.shape[:-1]):
        place = dict(zip(names, index, strict=False))
        times = layout.start + np.repeat(np.arange(array.shape[-1]), array[index].astype(int)) * layout.bin_size
        cells[tuple(place.get(name, 0) for name in ("unit", "stimulus", "trial"))] = times
    return cells, layout.start + array.shape[-1] * layout.bin_size


def _bins_before_the_end(path: Path, layout: Layout, n_bins: int) -> int:
    """How many bins lie before ``t_stop``, which stands between two."""
    if layout.t_stop is None:
        return n_bins
    wanted = (layout.t_stop - layout.start) / layout.bin_size
    if abs(wanted - round(wanted)) > 1e-6:
        raise DataError(
            f"{path}: {wanted:g} bins of {layout.bin_size:g} {layout.time_unit} lie between {layout.start:g} and "
            f"{layout.t_stop:g}, expected a whole number of bins."
        )
    return min(n_bins, round(wanted))


def _trains(path: Path, layout: Layout, cells: Cells, end: float | None) -> Trains:
    scale = SECONDS[layout.time_unit]
    known = end if layout.t_stop is None else layout.t_stop
    stop = _last_time(cells, scale) if known is None else known * scale
    numbers = sorted({unit for unit, _, _ in cells})
    units: list[list[tuple[np.ndarray, float, float]]] = [[] for _ in numbers]
    conditions: list[list[int]] = [[] for _ in numbers]
    place = {unit: number for number, unit in enumerate(numbers)}
    for unit, stimulus, trial in sorted(cells):
        units[place[unit]].append((cells[unit, stimulus, trial] * scale, layout.start * scale, stop))
        conditions[place[unit]].append(stimulus)
    label = "/".join(part for part in (path.parent.name, path.stem) if part)
    names = [label] if len(numbers) == 1 else [f"{label}/{unit}" for unit in numbers]
    window = (None if limit is None else limit * scale for limit in (layout.t_start, layout.t_stop))
    return Trains.of_arrays(units, names, conditions).window(*window)


def _last_time(cells: Cells, scale: float) -> float:
    """Latest spike in seconds among those that a recording can have: one impossible time must not end all other trains."""
    times = np.concatenate([*cells.values(), np.zeros(1)]) * scale
    return float(np.max(times[np.isfinite(times) & (times <= LATEST)]))
