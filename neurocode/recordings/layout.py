"""A declarative reader: where in a file the spike times are, said in words instead of code."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path

import h5py
import numpy as np
import scipy.io
from scipy.io.matlab import MatReadError

from neurocode.errors import DataError
from neurocode.recordings.trains import SECONDS, Trains, require_time_unit

AXES = ("unit", "trial", "stimulus", "time", "bin", "spike")


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
        columns of a table with a row a spike, ``"unit,time"`` or ``"trial,time"``. Text: ``"trial"`` (a line each) or ``"spike"``.
    time_unit : {"s", "ms", "us"}
    counts : str
        Variable with the number of spikes of each unit, where trains stand one after another.
    bin_size : float
        Of binned counts, in the unit of time.
    t_start, t_stop : float, optional
        Of every train, in the unit of time; zero and the last spike of the file where not given.

    Raises
    ------
    DataError
        For an axis or a unit of time that is not known.
    """

    variable: str = ""
    axes: str = "spike"
    time_unit: str = "s"
    counts: str = ""
    bin_size: float = 1.0
    t_start: float = 0.0
    t_stop: float | None = None

    def __post_init__(self) -> None:
        require_time_unit(self.time_unit)
        unknown = [name for name in self.names if name not in AXES]
        if unknown:
            raise DataError(f"'{unknown[0]}' is no axis of a layout; known are {', '.join(AXES)}.")

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
            table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise DataError(f"{path}: {error}") from None
        known = {field.name for field in fields(cls)}
        if set(table) - known:
            raise DataError(f"{path}: a layout has no '{sorted(set(table) - known)[0]}'; it has {', '.join(sorted(known))}.")
        return cls(**table)


def read_layout(path: str | Path, layout: Layout) -> Trains:
    """Read spike trains from a MAT, HDF5, NPY or text file.

    Parameters
    ----------
    path : path
    layout : Layout

    Returns
    -------
    Trains
        Units are named after the file and their number.

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
    path = Path(path)
    try:
        content, counts = _open(path, layout)
        cells = _cells(path, layout, content, counts)
    except DataError:
        raise
    except (MatReadError, NotImplementedError, OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise DataError(f"{path}: the file does not fit the layout ({str(error).splitlines()[0]}).") from None
    return _trains(path, layout, cells)


def _open(path: Path, layout: Layout) -> tuple[object, np.ndarray | None]:
    suffix = path.suffix.lower()
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    if suffix == ".npy":
        return np.load(path, allow_pickle=False), None
    if suffix in (".h5", ".hdf5", ".mat") and h5py.is_hdf5(path):
        with h5py.File(path) as file:
            return _named(path, layout.variable, file)[()], _named(path, layout.counts, file)[()] if layout.counts else None
    if suffix == ".mat":
        file = {name: value for name, value in scipy.io.loadmat(path).items() if not name.startswith("__")}
        return _named(path, layout.variable, file), np.ravel(_named(path, layout.counts, file)) if layout.counts else None
    lines = [line.split("#")[0].split() for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    if layout.names == ["trial"]:
        return [np.array(line, float) for line in lines], None
    return np.array([word for line in lines for word in line], float), None


def _named(path: Path, name: str, file: object) -> object:
    if name not in file:
        raise DataError(f"{path}: there is no variable '{name}'; the file has {', '.join(file)}.")
    return file[name]


def _cells(path: Path, layout: Layout, content: object, counts: np.ndarray | None) -> dict[tuple[int, int, int], np.ndarray]:
    """Spike times (in the layout's unit) by unit, stimulus and trial."""
    names = layout.names
    if isinstance(content, list):
        return {(0, 0, trial): times for trial, times in enumerate(content)}
    array = np.asarray(content)
    if counts is not None:
        parts = np.split(np.ravel(array), np.cumsum(counts)[:-1])
        if int(np.sum(counts)) != array.size:
            raise DataError(
                f"{path}: '{layout.counts}' adds up to {int(np.sum(counts))} spikes, '{layout.variable}' has {array.size}."
            )
        return {(unit, 0, 0): times for unit, times in enumerate(parts)}
    if array.dtype == object:
        inside = [name for name in names if name not in ("unit", "stimulus", "trial")]
        if inside:
            raise DataError(f"{path}: the axes of cells are unit, stimulus and trial; not '{inside[0]}': a cell holds spike times.")
        return _nested(path, array, names)
    if "time" in names:
        return _rows(path, array, names)
    if "bin" in names:
        return _binned(path, array, names, layout)
    if names != ["spike"] or max(array.shape, default=0) != array.size:
        raise DataError(f"{path}: an array of shape {array.shape} has no axes '{layout.axes}'.")
    return {(0, 0, 0): np.ravel(array).astype(float)}


def _nested(path: Path, array: np.ndarray, names: list[str]) -> dict[tuple[int, int, int], np.ndarray]:
    """Cells inside cells: every level takes as many axes as it has of more than one entry, the last all that remain."""
    cells: dict[tuple[int, int, int], np.ndarray] = {}

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


def _rows(path: Path, array: np.ndarray, names: list[str]) -> dict[tuple[int, int, int], np.ndarray]:
    if array.ndim != 2 or array.shape[1] != len(names):
        raise DataError(f"{path}: a table of shape {array.shape} has no columns {', '.join(names)}.")
    columns = dict(zip(names, array.T, strict=True))
    labels = {name: np.unique(columns[name], return_inverse=True)[1] for name in columns if name != "time"}
    zero = np.zeros(len(array), int)
    keys = np.stack([labels.get(name, zero) for name in ("unit", "stimulus", "trial")], axis=1)
    order = np.lexsort((columns["time"], *keys.T[::-1]))
    keys, times = keys[order], columns["time"][order]
    edges = np.flatnonzero(np.any(np.diff(keys, axis=0), axis=1)) + 1
    return {tuple(int(k) for k in keys[start]): part for start, part in zip([0, *edges], np.split(times, edges), strict=True)}


def _binned(path: Path, array: np.ndarray, names: list[str], layout: Layout) -> dict[tuple[int, int, int], np.ndarray]:
    array = array if array.ndim == len(names) else np.squeeze(array)
    if array.ndim != len(names) or names[-1] != "bin":
        raise DataError(f"{path}: an array of shape {array.shape} has no axes '{layout.axes}'; bins come last.")
    cells = {}
    for index in np.ndindex(array.shape[:-1]):
        place = dict(zip(names, index, strict=False))
        times = layout.t_start + np.repeat(np.arange(array.shape[-1]), array[index].astype(int)) * layout.bin_size
        cells[tuple(place.get(name, 0) for name in ("unit", "stimulus", "trial"))] = times
    return cells


def _trains(path: Path, layout: Layout, cells: dict[tuple[int, int, int], np.ndarray]) -> Trains:
    scale = SECONDS[layout.time_unit]
    last = max((float(np.max(times)) for times in cells.values() if times.size), default=0.0)
    start, stop = layout.t_start * scale, (last if layout.t_stop is None else layout.t_stop) * scale
    numbers = sorted({unit for unit, _, _ in cells})
    units: list[list[tuple[np.ndarray, float, float]]] = [[] for _ in numbers]
    conditions: list[list[int]] = [[] for _ in numbers]
    place = {unit: number for number, unit in enumerate(numbers)}
    for unit, stimulus, trial in sorted(cells):
        units[place[unit]].append((cells[unit, stimulus, trial] * scale, start, stop))
        conditions[place[unit]].append(stimulus)
    label = "/".join(part for part in (path.parent.name, path.stem) if part)
    names = [label] if len(numbers) == 1 else [f"{label}/{unit}" for unit in numbers]
    return Trains.of_arrays(units, names, conditions)
