"""Plain spike times: NumPy arrays and comma-separated text."""

from __future__ import annotations

import warnings
from pathlib import Path

import neo
import numpy as np
import quantities as pq

from neurocode.errors import DataError
from neurocode.recordings.trains import require_time_unit


def read_spike_times(path: Path, time_unit: str = "s") -> neo.Block:
    """Read one spike train from an ``.npy`` array or one column of a ``.csv`` or ``.txt`` file.

    Parameters
    ----------
    path : pathlib.Path
    time_unit : {"s", "ms", "us"}

    Raises
    ------
    DataError
        For another unit, times that are not finite, negative or unsorted, or more than one column.
    """
    require_time_unit(time_unit)
    times = _load(path)
    if times.ndim != 1:
        raise DataError(f"{path}: the array has shape {times.shape}, expected one column of spike times.")
    if not np.all(np.isfinite(times)) or np.any(times < 0) or np.any(np.diff(times) < 0):
        raise DataError(f"{path}: spike times must be finite, not negative and increasing.")
    stop = float(times[-1]) if times.size else 0.0
    segment = neo.Segment(name=path.stem)
    segment.spiketrains.append(
        neo.SpikeTrain(times * pq.Quantity(1, time_unit), t_stop=stop * pq.Quantity(1, time_unit), name=path.stem)
    )
    block = neo.Block(name=path.stem)
    block.segments.append(segment)
    return block


def _load(path: Path) -> np.ndarray:
    try:
        if path.suffix.lower() == ".npy":
            return np.atleast_1d(np.squeeze(np.load(path, allow_pickle=False).astype(float)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            values = np.genfromtxt(path, delimiter=",", comments="#", dtype=float)
        values = np.atleast_1d(values)
        headed = values.ndim == 1 and values.size and np.isnan(values[0])
        return values[1:] if headed else values
    except (ValueError, OSError) as error:
        raise DataError(f"{path}: the file is damaged or holds no numbers ({str(error).splitlines()[0]}).") from None
