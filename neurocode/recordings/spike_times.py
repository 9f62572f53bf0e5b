"""Reading plain spike times of one train from NumPy arrays and text."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings.columns import unit_of_header
from neurocode.recordings.npy import read_npy
from neurocode.recordings.plausible import LATEST, as_times
from neurocode.recordings.spike_table import require_no_samples
from neurocode.recordings.text import read_numbers, require_header
from neurocode.recordings.time_units import SECONDS, require_time_unit


def read_spike_times(path: Path, time_unit: str | None = None) -> neo.Block:
    """Read one spike train from an ``.npy`` array or one line or column of a text file.

    Parameters
    ----------
    path : pathlib.Path
    time_unit : {"s", "ms", "us"}, optional
        Unit of the times; by default that of a heading such as ``time_ms``, else seconds.

    Raises
    ------
    DataError
        If the unit is unknown, an array of whole numbers comes without a unit, there are several
        columns, or a time is not finite, negative, out of order or given twice.
    """
    times, time_unit = _load(path, time_unit)
    require_time_unit(time_unit)
    _require_spike_times(path, times, SECONDS[time_unit])
    stop = float(times[-1]) if times.size else 0.0
    segment = neo.Segment(name=path.stem)
    segment.spiketrains.append(
        neo.SpikeTrain(
            times * pq.Quantity(1, time_unit),
            t_stop=stop * pq.Quantity(1, time_unit),
            name=path.stem,
        )
    )
    block = neo.Block(name=path.stem)
    block.segments.append(segment)
    return block


def _load(path: Path, time_unit: str | None) -> tuple[np.ndarray, str]:
    """Times and their unit: the requested one, else that of a heading, else seconds."""
    if path.suffix.lower() == ".npy":
        content = read_npy(path)
        if time_unit is None:
            require_no_samples(path, "the array", content)
        times = as_times(path, np.atleast_1d(np.squeeze(content)))
        if times.ndim != 1:
            raise DataError(
                f"{path}: the array has shape {times.shape}, expected one column of spike times."
            )
        return times, time_unit or "s"
    table = read_numbers(path)
    time_unit = time_unit or unit_of_header(table.header) or "s"
    require_header(path, table.header, ("time",), time_unit)
    times = table.column()
    if times is None:
        raise DataError(
            f"{path}: the text has {len(table.rows)} lines of {table.n_columns} columns, expected "
            f"one column of spike times."
        )
    return times, time_unit


def _require_spike_times(path: Path, times: np.ndarray, scale: float) -> None:
    """Refuse times (in ``scale`` seconds) that are not a spike train; the error names the first."""
    steps = np.diff(times, prepend=times[:1] - 1)
    for wrong, says in (
        (~np.isfinite(times), "is not finite"),
        (times < 0, "is negative"),
        (times * scale > LATEST, f"is later than {LATEST:g} s"),
        (steps < 0, "comes after a later one"),
        (steps == 0, "is given twice"),
    ):
        if np.any(wrong):
            first = int(np.argmax(wrong))
            raise DataError(
                f"{path}: spike time {times[first]:g} (number {first + 1}) {says}; they must be "
                f"finite and increasing."
            )
