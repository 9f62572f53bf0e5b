"""A declarative reader: a layout describes in words where in a file the spike times are."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Real
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.columns import SAMPLES, Columns, find_columns, unit_of_header
from neurocode.recordings.guard import require_file
from neurocode.recordings.hdf5 import no_variable, read_array
from neurocode.recordings.mat import read_mat
from neurocode.recordings.npy import read_npy
from neurocode.recordings.npz import read_npz
from neurocode.recordings.parquet import headings_of_parquet, read_parquet
from neurocode.recordings.plausible import as_times
from neurocode.recordings.saved_archive import require_not_saved
from neurocode.recordings.sizes import MOST_BYTES
from neurocode.recordings.spike_table import (
    Cells,
    cells_of_rows,
    last_time,
    read_spike_table,
    require_no_samples,
    samples_in_seconds,
    times_of_column,
)
from neurocode.recordings.text import (
    TEXT_SUFFIXES,
    CellTable,
    NumberTable,
    numbers_of,
    read_cells,
    require_header,
)
from neurocode.recordings.time_units import SECONDS, require_time_unit
from neurocode.recordings.trains import Trains

AXES = ("unit", "trial", "stimulus", "time", "bin", "spike")
SINGLE = "spike"
LAYOUT_SUFFIXES = (".mat", ".h5", ".hdf5", ".npy", ".npz", ".parquet", *TEXT_SUFFIXES)


@dataclass(frozen=True)
class Layout:
    """Description of where a file holds its spike times.

    Attributes
    ----------
    variable : str
        Name in a MAT or NPZ file, path in an HDF5 file; unused for NPY, Parquet and text.
    axes : str
        Comma-separated names of the axes. Cell arrays: what the cells stand for, ``"unit,trial"``,
        ``"unit"``, ``"stimulus,unit,trial"``. Numeric arrays: ``"spike"`` (times), ``"bin"``,
        ``"trial,bin"`` (counts in bins), or the columns of a table with one row per spike,
        ``"unit,time"`` or ``"unit,trial,time"``; a unit without a row is taken as silent in trials
        in which another unit fired and in trials whose number lies between two others. Text:
        ``"trial"`` (one line per trial), or numbers in lines and columns as in an array. With the
        default, ``"spike"``, the columns of text, Parquet and NPZ are found by their headings.
    time_unit : {"s", "ms", "us"}, optional
        Unit of the times; by default that of a heading such as ``time_ms``, else seconds.
    counts : str
        Variable with the number of spikes of each unit, where one array holds the trains of all
        units in succession.
    bin_size : float
        Width of the bins of counts, in the unit of time.
    t_start, t_stop : float, optional
        Start and end of every train, in the unit of time; spikes outside are left out. The defaults
        are zero, and the last spike of the file or the end of its last bin. The first bin of counts
        begins at ``t_start``, and bins from ``t_stop`` on are left out.
    time_column, unit_column : str
        Headings of the columns of times and units, where several columns of a table would fit.
    sampling_rate : float, optional
        Sampling rate in hertz of times that are counted in samples.
    labels : str
        Labels of the clusters of a Phy folder that are read; see
        :func:`~neurocode.recordings.phy.read_phy`.

    Raises
    ------
    DataError
        If an axis or the unit of time is unknown, an entry has the wrong type, the bin size is not
        positive, or the end is not after the start.
    """

    variable: str = ""
    axes: str = "spike"
    time_unit: str | None = None
    counts: str = ""
    bin_size: float = 1.0
    t_start: float | None = None
    t_stop: float | None = None
    time_column: str = ""
    unit_column: str = ""
    sampling_rate: float | None = None
    labels: str = ""

    def __post_init__(self) -> None:
        for name in (
            "variable",
            "axes",
            "time_unit",
            "counts",
            "time_column",
            "unit_column",
            "labels",
        ):
            value = getattr(self, name)
            if not (isinstance(value, str) or (value is None and name == "time_unit")):
                raise DataError(f"The layout's {name} is {value!r}, expected text.")
        for name in ("bin_size", "t_start", "t_stop", "sampling_rate"):
            value = getattr(self, name)
            if not (_is_number(value) or (value is None and name != "bin_size")):
                raise DataError(f"The layout's {name} is {value!r}, expected a finite number.")
        _require_one_unit(self.time_unit, self.sampling_rate)
        for number, name in enumerate(self.names):
            if name not in AXES:
                raise DataError(
                    f"'{name}' is not an axis of a layout; known are {', '.join(AXES)}."
                )
            if name in self.names[:number]:
                raise DataError(f"The layout has the axis '{name}' twice.")
        if self.bin_size <= 0:
            raise DataError(
                f"The layout's bin_size is {self.bin_size:g} {self.unit_of_time}, expected a "
                f"positive time."
            )
        if self.t_stop is not None and self.t_stop <= self.start:
            raise DataError(
                f"The layout ends at {self.t_stop:g} {self.unit_of_time}, not after its start at "
                f"{self.start:g}."
            )

    @property
    def unit_of_time(self) -> str:
        """Unit of time where no heading states another."""
        return "s" if self.time_unit is None else self.time_unit

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
            If the file is not TOML, or has an entry that a layout does not have.
        """
        try:
            table = tomllib.loads(require_file(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{path}: the file is not TOML ({error}).") from None
        known = {field.name for field in fields(cls)}
        if set(table) - known:
            raise DataError(
                f"{path}: a layout has no '{sorted(set(table) - known)[0]}'; it has "
                f"{', '.join(sorted(known))}."
            )
        try:
            return cls(**table)
        except DataError as error:
            raise DataError(f"{path}: {error}") from None


def read_layout(path: str | Path, layout: Layout) -> Trains:
    """Read spike trains from a MAT, HDF5, NPY, NPZ, Parquet or text file.

    Parameters
    ----------
    path : path
    layout : Layout

    Returns
    -------
    Trains
        Units are named after the file and their number, or after their name in a table.

    Raises
    ------
    DataError
        If the file does not fit the layout; the message names the file, and the variable or axes.

    Notes
    -----
    Counts have no exact times: a bin ``k`` (from 0) with ``n`` spikes becomes ``n`` spikes at its
    left edge, ``t_start + k * bin_size``, and a train of ``K`` bins ends at
    ``t_start + K * bin_size``. Where ``counts`` holds the numbers ``n[0], n[1], ...`` of spikes of
    the units, unit ``u`` has the times ``variable[m[u]:m[u + 1]]`` with
    ``m[u] = n[0] + ... + n[u - 1]``. Times in samples are divided by ``sampling_rate``; all others
    are multiplied by the unit of time in seconds.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.txt"
    >>> _ = file.write_text("1.5 2.0\\n0.3 0.4 0.9\\n")
    >>> read_layout(file, Layout(axes="trial", time_unit="ms")).counts.tolist()
    [2, 3]
    """
    path = require_file(path)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return _table(
            path,
            layout,
            headings_of_parquet(path),
            lambda columns: read_parquet(path, [*columns.by_axis.values()]),
        )
    if suffix == ".npz":
        require_not_saved(path, "spike trains")
        return _named_arrays(path, layout, read_npz(path))
    if suffix in TEXT_SUFFIXES and not layout.counts:
        return _text(path, layout, read_cells(path))
    content, counts = _open(path, layout)
    return _described(path, layout, content, counts)


def _described(
    path: Path, layout: Layout, content: np.ndarray | NumberTable, counts: np.ndarray | None = None
) -> Trains:
    """Trains of an array or a text whose axes the layout describes."""
    try:
        cells, end = _cells(path, layout, content, counts)
        if layout.sampling_rate is not None and end is None:
            cells = {
                key: samples_in_seconds(path, "the file", times, layout.sampling_rate)
                for key, times in cells.items()
            }
    except (ValueError, TypeError, IndexError, MemoryError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(
            f"{path}: the file does not fit the layout ({(str(error).splitlines() or [''])[0]})."
        ) from None
    return _trains(path, layout, cells, end)


def _text(path: Path, layout: Layout, table: CellTable) -> Trains:
    """Trains of columns that are found by their headings, else of numbers in lines and columns."""
    columns = (
        _columns(path, layout, table.header) if layout.axes == SINGLE and table.header else None
    )
    rows = any(cells for _, cells in table.lines)
    if rows and columns and (len(table.header) > 1 or columns.time_unit == SAMPLES):
        return _table(
            path,
            layout,
            table.header,
            lambda chosen: table.columns(path, [*chosen.by_axis.values()], chosen.time),
        )
    if layout.time_unit is None and layout.sampling_rate is None:
        layout = replace(layout, time_unit=unit_of_header(table.header))
    return _described(path, layout, numbers_of(path, table))


def _named_arrays(path: Path, layout: Layout, arrays: dict[str, np.ndarray]) -> Trains:
    """Trains of one named array, of arrays of times and units, or of one array per unit."""
    for name in filter(None, (layout.variable, layout.counts)):
        if name not in arrays:
            raise no_variable(path, name, list(arrays))
    if layout.variable:
        return _described(path, layout, arrays[layout.variable], arrays.get(layout.counts))
    columns = _columns(path, layout, list(arrays))
    if columns and (columns.unit or len(arrays) == 1):
        return _table(
            path,
            layout,
            list(arrays),
            lambda _: {name: np.squeeze(array) for name, array in arrays.items()},
        )
    if columns or not arrays:
        raise DataError(
            f"{path}: the arrays are {', '.join(arrays) or 'none'}; expected one array per unit, "
            f"or times and units; say which one holds the spikes by variable (--variable)."
        )
    read = [
        times_of_column(path, name, array, layout.time_unit, layout.sampling_rate)
        for name, array in arrays.items()
    ]
    units = {unit for _, unit in read}
    if len(units) > 1:
        raise DataError(
            f"{path}: the names of the arrays say {' and '.join(sorted(units))}, expected one "
            f"unit of time."
        )
    layout = replace(layout, time_unit=units.pop(), sampling_rate=None)
    cells = {(unit, 0, 0): times for unit, (times, _) in enumerate(read)}
    return _trains(path, layout, cells, None, tuple(arrays))


def _columns(path: Path, layout: Layout, headings: Sequence[str]) -> Columns | None:
    return find_columns(path, headings, time=layout.time_column, unit=layout.unit_column)


def _table(
    path: Path,
    layout: Layout,
    headings: Sequence[str],
    content: Callable[[Columns], Mapping[str, np.ndarray]],
) -> Trains:
    """Trains of a table with one row per spike."""
    columns = _columns(path, layout, headings)
    if columns is None:
        raise DataError(
            f"{path}: no column has a name of spike times (time, spike_times, t); the columns are "
            f"{', '.join(headings) or 'none'}; say which one holds them by time_column "
            f"(--time-column)."
        )
    table = read_spike_table(
        path,
        columns,
        content(columns),
        time_unit=layout.time_unit,
        sampling_rate=layout.sampling_rate,
    )
    return _trains(
        path,
        replace(layout, time_unit=table.time_unit, sampling_rate=None),
        table.cells,
        None,
        table.names,
    )


def _require_one_unit(time_unit: str | None, sampling_rate: float | None) -> None:
    if time_unit is not None:
        require_time_unit(time_unit)
        if sampling_rate is not None:
            raise DataError(
                f"The layout's sampling_rate is {sampling_rate:g} Hz and its time_unit "
                f"{time_unit}, expected only one of them: times either count samples or have a "
                f"unit."
            )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _open(path: Path, layout: Layout) -> tuple[np.ndarray | NumberTable, np.ndarray | None]:
    suffix = path.suffix.lower()
    variables = [layout.variable, layout.counts] if layout.counts else [layout.variable]
    if layout.counts and suffix in (".npy", *TEXT_SUFFIXES):
        raise DataError(
            f"{path}: '{layout.counts}' would name a variable with counts, which '{suffix}' files "
            f"do not have."
        )
    if suffix == ".npy":
        return read_npy(path), None
    if suffix == ".mat":
        arrays = read_mat(path, variables)
    elif suffix in (".h5", ".hdf5"):
        arrays = [read_array(path, name) for name in variables]
    else:
        raise DataError(f"{path}: a layout reads {', '.join(LAYOUT_SUFFIXES)}, not '{suffix}'.")
    return arrays[0], arrays[1] if layout.counts else None


def _cells(
    path: Path, layout: Layout, content: np.ndarray | NumberTable, counts: np.ndarray | None
) -> tuple[Cells, float | None]:
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
            raise DataError(
                f"{path}: the axes of cells are unit, stimulus and trial; not '{inside[0]}': a "
                f"cell holds spike times."
            )
        return _nested(path, array, names), None
    if "time" in names:
        return cells_of_rows(path, array, names), None
    if "bin" in names:
        return _binned(path, array, layout)
    if names != [SINGLE] or max(array.shape, default=0) != array.size:
        raise DataError(f"{path}: an array of shape {array.shape} has no axes '{layout.axes}'.")
    if (
        path.suffix.lower() in (".npy", ".npz")
        and layout.time_unit is None
        and layout.sampling_rate is None
    ):
        require_no_samples(path, "the array", array)
    return {(0, 0, 0): as_times(path, np.ravel(array))}, None


def _array_of_text(path: Path, layout: Layout, table: NumberTable) -> np.ndarray:
    """Numbers of a text file as a vector for one axis, and as lines by columns for two axes."""
    require_header(path, table.header, layout.names, layout.unit_of_time)
    array = table.column() if len(layout.names) == 1 else table.array()
    if array is None:
        called = f" ({', '.join(table.header)})" if table.header else ""
        raise DataError(
            f"{path}: the text has {len(table.rows)} lines of up to {table.n_columns} "
            f"columns{called}, which do not fit the axes '{layout.axes}'; say what they are, for "
            f"example 'unit,time', or 'trial' for one train per line."
        )
    return array


def _one_after_another(path: Path, layout: Layout, array: np.ndarray, counts: np.ndarray) -> Cells:
    """Trains of units that follow one another in one array, with numbers of spikes ``counts``."""
    counts, times = np.ravel(counts), np.ravel(array)
    if array.dtype == object or counts.dtype == object:
        raise DataError(
            f"{path}: '{layout.variable}' or '{layout.counts}' holds cells, expected numbers."
        )
    _require_counts(path, f"'{layout.counts}'", counts)
    if int(counts.sum()) != times.size:
        raise DataError(
            f"{path}: '{layout.counts}' adds up to {int(counts.sum())} spikes, "
            f"'{layout.variable}' has {times.size}."
        )
    parts = np.split(as_times(path, times), np.cumsum(counts.astype(int))[:-1])
    return {(unit, 0, 0): part for unit, part in enumerate(parts[: counts.size])}


def _require_counts(path: Path, what: str, counts: np.ndarray) -> None:
    """Refuse counts of spikes that are negative, not whole, or more than fit into memory."""
    wrong = (
        counts < 0
        if counts.dtype.kind in "biu"
        else ~((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts))
    )
    if np.any(wrong):
        raise DataError(
            f"{path}: {what} holds {counts[wrong].flat[0]:g}, expected counts of spikes: whole "
            f"numbers, none negative."
        )
    total = counts.sum(dtype=float)
    if total * np.dtype(float).itemsize > MOST_BYTES:
        raise DataError(
            f"{path}: {what} adds up to {total:.3g} spikes, more than {MOST_BYTES / 8:.3g}."
        )


def _nested(path: Path, array: np.ndarray, names: list[str]) -> Cells:
    """Spike times of nested cells.

    A level of cells with as many dimensions as axes remain stands for all of them. Any other level
    stands for one axis per dimension longer than one, in order, and leaves the rest to its cells.
    """
    cells: Cells = {}

    def walk(level: np.ndarray, known: dict[str, int], remaining: list[str]) -> None:
        squeezed = level if level.ndim == len(remaining) else np.squeeze(level)
        level_axes = remaining[: squeezed.ndim]
        if level.dtype == object and squeezed.ndim > len(remaining):
            raise DataError(
                f"{path}: cells of shape {level.shape} are more than the axes {', '.join(names)}."
            )
        for index in np.ndindex(squeezed.shape):
            place = known | dict(zip(level_axes, index, strict=True))
            entry = np.asarray(squeezed[index])
            if entry.dtype == object:
                walk(entry, place, remaining[squeezed.ndim :])
            else:
                unit, stimulus, trial = (
                    place.get(name, 0) for name in ("unit", "stimulus", "trial")
                )
                cells[unit, stimulus, trial] = np.ravel(entry).astype(float)

    walk(array, {}, names)
    return cells


def _binned(path: Path, array: np.ndarray, layout: Layout) -> tuple[Cells, float]:
    """Spike times at the left edges of bins from counts, and the end of the last bin."""
    names = layout.names
    array = array if array.ndim == len(names) else np.squeeze(array)
    if array.ndim != len(names) or names[-1] != "bin":
        raise DataError(
            f"{path}: an array of shape {array.shape} has no axes '{layout.axes}'; bins come last."
        )
    array = array[..., : _bins_before_the_end(path, layout, array.shape[-1])]
    _require_counts(path, "the array", array)
    cells = {}
    for index in np.ndindex(array.shape[:-1]):
        place = dict(zip(names, index, strict=False))
        times = (
            layout.start
            + np.repeat(np.arange(array.shape[-1]), array[index].astype(int)) * layout.bin_size
        )
        cells[tuple(place.get(name, 0) for name in ("unit", "stimulus", "trial"))] = times
    return cells, layout.start + array.shape[-1] * layout.bin_size


def _bins_before_the_end(path: Path, layout: Layout, n_bins: int) -> int:
    """Number of bins before ``t_stop``, which must be an edge between two bins."""
    if layout.t_stop is None:
        return n_bins
    wanted = (layout.t_stop - layout.start) / layout.bin_size
    if abs(wanted - round(wanted)) > 1e-6:
        raise DataError(
            f"{path}: {wanted:g} bins of {layout.bin_size:g} {layout.unit_of_time} lie between "
            f"{layout.start:g} and {layout.t_stop:g}, expected a whole number of bins."
        )
    return min(n_bins, round(wanted))


def _trains(
    path: Path, layout: Layout, cells: Cells, end: float | None, unit_names: Sequence[str] = ()
) -> Trains:
    scale = SECONDS[layout.unit_of_time]
    known = end if layout.t_stop is None else layout.t_stop
    stop = last_time(cells, scale) if known is None else known * scale
    numbers = sorted({unit for unit, _, _ in cells})
    units: list[list[tuple[np.ndarray, float, float]]] = [[] for _ in numbers]
    conditions: list[list[int]] = [[] for _ in numbers]
    place = {unit: number for number, unit in enumerate(numbers)}
    for unit, stimulus, trial in sorted(cells):
        units[place[unit]].append(
            (cells[unit, stimulus, trial] * scale, layout.start * scale, stop)
        )
        conditions[place[unit]].append(stimulus)
    label = "/".join(part for part in (path.parent.name, path.stem) if part)
    called = dict(enumerate(unit_names)) if any(unit_names) else {}
    names = (
        [label]
        if len(numbers) == 1 and not called
        else [f"{label}/{called.get(unit, unit)}" for unit in numbers]
    )
    window = (None if limit is None else limit * scale for limit in (layout.t_start, layout.t_stop))
    return Trains.of_arrays(units, names, conditions).window(*window)
