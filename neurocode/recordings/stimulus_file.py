"""Stimuli of populations in files: features at times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from neurocode.errors import DataError
from neurocode.recordings.guard import require_file
from neurocode.recordings.npz import read_npz
from neurocode.recordings.nwb import opened
from neurocode.recordings.nwb_samples import in_unit_of_series, stored_samples
from neurocode.recordings.nwb_timing import stated_times, timing_of
from neurocode.recordings.text import TEXT_SUFFIXES, read_numbers

Stimulus = tuple[NDArray[np.float64], NDArray[np.float64]]


def read_stimulus(source: str | Path, recording: str | Path | None = None) -> Stimulus:
    """Read samples of a stimulus and their times.

    Parameters
    ----------
    source : str or path
        An NPZ file with the arrays ``times`` and ``values``; a text file whose first column holds
        times in seconds and the others features; or the name of a series of the recording, an NWB
        file.
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
        table = read_numbers(path).array()
        if table is None or table.ndim != 2 or table.shape[1] < 2:
            raise DataError(f"{path}: expected a column of times and at least one of a feature.")
        return table[:, 1:], table[:, 0]
    raise DataError(
        f"{path}: a stimulus is read from .npz, from text, or from a series of an NWB recording, "
        f"not from '{path.suffix}'."
    )


def _of_archive(path: Path) -> Stimulus:
    arrays = read_npz(path)
    if not {"times", "values"} <= set(arrays):
        raise DataError(
            f"{path}: expected the arrays 'times' and 'values', the archive holds "
            f"{', '.join(arrays)}."
        )
    return _with_times(path, arrays["values"], np.asarray(arrays["times"], float))


def _of_series(path: Path, name: str) -> Stimulus:
    with opened(path) as file:
        named = [
            held
            for held in file.objects.values()
            if held.name == name and getattr(held, "data", None) is not None
        ]
        if len(named) != 1:
            known = sorted(
                held.name
                for held in file.objects.values()
                if hasattr(held, "timestamps") and hasattr(held, "data")
            )
            raise DataError(
                f"{path}: {len(named)} series are called '{name}', expected one; the file holds "
                f"{', '.join(known) or 'none'}."
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
    samples = np.asarray(values, float)
    if samples.ndim == 0 or times.shape != samples.shape[:1]:
        raise DataError(
            f"{path}: the stimulus has values of shape {samples.shape} at {times.size} times."
        )
    return samples.reshape(len(samples), -1), times
