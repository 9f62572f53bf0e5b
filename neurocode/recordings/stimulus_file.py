"""Stimuli of populations in files: features at times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurocode.errors import DataError
from neurocode.extras import Library
from neurocode.recordings.columns import is_time_heading, unit_of_heading
from neurocode.recordings.guard import require_file
from neurocode.recordings.npz import read_npz
from neurocode.recordings.nwb import opened
from neurocode.recordings.nwb_samples import in_unit_of_series, stored_samples
from neurocode.recordings.nwb_timing import stated_times, timing_of
from neurocode.recordings.text import TEXT_SUFFIXES, read_numbers
from neurocode.recordings.time_units import SECONDS

pynwb = Library("pynwb")

Stimulus = tuple[NDArray[np.float64], NDArray[np.float64]]


def read_stimulus(source: str | Path, recording: str | Path | None = None) -> Stimulus:
    """Read samples of a stimulus and their times.

    Parameters
    ----------
    source : str or path
        An NPZ file with the arrays ``times`` (in seconds) and ``values``; a text file whose first
        column holds times, in seconds if its heading states no other unit, and the others features;
        or the name of a series of the recording, an NWB file.
    recording : path, optional
        The recording.

    Returns
    -------
    samples : numpy.ndarray (samples, features)
    times : numpy.ndarray (samples,)
        In seconds.

    Raises
    ------
    DataError
        If there is no such file or series, or it does not hold numbers at times.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "position.csv"
    >>> _ = file.write_text("time,x,y\\n0.0,1.0,2.0\\n0.1,1.5,2.5\\n")
    >>> samples, times = read_stimulus(file)
    >>> samples.tolist(), times.tolist()
    ([[1.0, 2.0], [1.5, 2.5]], [0.0, 0.1])
    """
    path = Path(source)
    if not path.is_file() and recording is not None and Path(recording).suffix.lower() == ".nwb":
        return _of_series(Path(recording), str(source))
    path = require_file(path)
    if path.suffix.lower() == ".npz":
        return _of_archive(path)
    if path.suffix.lower() in TEXT_SUFFIXES:
        return _of_text(path)
    raise DataError(
        f"{path}: a stimulus is read from .npz, from text, or from a series of an NWB recording, "
        f"not from '{path.suffix}'."
    )


def _of_text(path: Path) -> Stimulus:
    numbers = read_numbers(path)
    table = numbers.array()
    if table is None or table.ndim != 2 or table.shape[1] < 2:
        raise DataError(f"{path}: expected a column of times and at least one of a feature.")
    if numbers.header and not is_time_heading(numbers.header[0]):
        raise DataError(
            f"{path}: the first column is called '{numbers.header[0]}', expected times: 'time', or "
            f"with a unit such as 'time_ms' ({', '.join(SECONDS)})."
        )
    unit = unit_of_heading(numbers.header[0]) if numbers.header else ""
    return table[:, 1:], table[:, 0] * SECONDS[unit or "s"]


def _of_archive(path: Path) -> Stimulus:
    arrays = read_npz(path)
    if not {"times", "values"} <= set(arrays):
        raise DataError(
            f"{path}: expected the arrays 'times' and 'values', the archive holds "
            f"{', '.join(arrays)}."
        )
    return _with_times(path, arrays["values"], arrays["times"])


def _of_series(path: Path, name: str) -> Stimulus:
    with opened(path) as file:
        series_of_file = [
            held
            for held in file.objects.values()
            if isinstance(held, pynwb.TimeSeries) and held.data is not None
        ]
        named = [series for series in series_of_file if series.name == name]
        if len(named) != 1:
            known = ", ".join(sorted(series.name for series in series_of_file)) or "none"
            raise DataError(
                f"{path}: {len(named)} series are called '{name}', expected one; the file holds "
                f"{known}."
            )
        (series,) = named
        values = in_unit_of_series(stored_samples(path, series), series)
        if series.rate is None:
            times = stated_times(path, series)
        else:
            rate, start = timing_of(path, series)
            times = start + np.arange(len(values)) / rate
    return _with_times(path, values, times)


def _with_times(path: Path, values: NDArray, times: NDArray) -> Stimulus:
    for array, what in ((values, "values"), (times, "times")):
        if array.dtype.kind not in "biuf":
            raise DataError(
                f"{path}: the {what} of the stimulus are of the type '{array.dtype}', expected "
                f"numbers."
            )
    if values.ndim == 0 or times.shape != values.shape[:1]:
        raise DataError(
            f"{path}: the stimulus has values of shape {values.shape} at times of shape "
            f"{times.shape}, expected one time for each row of values."
        )
    if len(times) < 2:
        raise DataError(f"{path}: the stimulus has {len(times)} samples, expected two at least.")
    return values.astype(float).reshape(len(values), -1), times.astype(float)
