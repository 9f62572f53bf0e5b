"""Times of the samples of an NWB series: from a stated rate, or from explicit times that are evenly
spaced within a tolerance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.nwb_types import Series
from neurocode.recordings.sizes import require_memory

#: Largest deviation of the times of samples from even ones, in sampling intervals. A missing sample
#: moves some of them by a fifth of an interval or more.
STRAY = 0.1


def timing_of(
    path: Path, series: Series, start: int = 0, stop: int | None = None
) -> tuple[float, float]:
    """Sampling rate of a part of a series in hertz, and the time of its first sample in seconds.

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
        If times of samples are not even, or more than fit into memory.
    """
    if series.rate is not None:
        begin = float(series.starting_time or 0.0)
        return float(series.rate), begin + start / float(series.rate) if start else begin
    times = stated_times(path, series, start, stop)
    rate = even_rate(times)
    if rate is None:
        raise DataError(
            f"{path}: '{series.name}' has a time for each sample, and these are not even; "
            f"expected one sampling rate."
        )
    return rate, float(times[0])


def is_even(path: Path, series: Series) -> bool:
    """Whether a series was sampled evenly, with or without a stated rate.

    Raises
    ------
    DataError
        If there are more times than fit into memory.
    """
    return series.rate is not None or even_rate(stated_times(path, series)) is not None


def stated_times(path: Path, series: Series, start: int = 0, stop: int | None = None) -> np.ndarray:
    """Read the times that a series states for each of its samples, in seconds.

    Raises
    ------
    DataError
        If they do not fit into memory.
    """
    stop = len(series.timestamps) if stop is None else stop
    require_memory(path, (stop - start) * np.dtype(float).itemsize, f"the times of '{series.name}'")
    return np.asarray(series.timestamps[start:stop], float)


def even_rate(times: np.ndarray) -> float | None:
    """Sampling rate in hertz of even times in seconds, or None for other times; the nearest whole
    number is preferred where it fits as well.

    Examples
    --------
    >>> even_rate(np.array([0.5, 0.501, 0.502])), even_rate(np.array([0.0, 1.0, 3.0]))
    (1000.0, None)
    """
    if len(times) < 2 or not np.all(np.isfinite(times)) or np.any(np.diff(times) <= 0):
        return None
    numbers, seconds = np.arange(len(times)) - 0.5 * (len(times) - 1), times - np.mean(times)
    fitted = float(numbers @ numbers / (numbers @ seconds))
    for rate in (float(round(fitted)), fitted):
        if np.max(np.abs(seconds * rate - numbers)) <= STRAY:
            return rate
    return None
