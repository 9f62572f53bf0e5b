"""Samples of an NWB series: as stored, and in the unit of the series."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.nwb_types import Series
from neurocode.recordings.sizes import require_memory


def stored_samples(
    path: Path, series: Series, start: int = 0, stop: int | None = None
) -> np.ndarray:
    """Read samples of a part of a series as they are stored.

    Parameters
    ----------
    path : pathlib.Path
        Path that the message names.
    series : pynwb.TimeSeries
    start, stop : int
        First sample of the part, and the one after its last; by default the whole series.

    Raises
    ------
    DataError
        If they do not fit into memory or are not numbers.
    """
    stop = len(series.data) if stop is None else stop
    size = (stop - start) * math.prod(series.data.shape[1:]) * np.dtype(float).itemsize
    require_memory(path, size, f"'{series.name}'")
    stored = np.asarray(series.data[start:stop])
    if stored.dtype.kind not in "biuf":
        raise DataError(
            f"{path}: '{series.name}' holds values of type {stored.dtype}, expected numbers."
        )
    return stored


def in_unit_of_series(stored: np.ndarray, series: Series) -> np.ndarray:
    """Return stored samples in the unit of the series."""
    return stored * series.conversion + (series.offset or 0.0)
