"""When the samples of an NWB series were taken: at a stated rate, or at times of their own that are
as good as even."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.sizes import require_memory

if TYPE_CHECKING:
    import pynwb

#: How far times of samples may stray from even ones, in sampling intervals. A sample that is
#: missing moves some of them by a fifth of one or more.
STRAY = 0.1


def timing_of(
    path: Path, series: pynwb.TimeSeries, start: int = 0, stop: int | None = None
) -> tuple[float, float]:
    """Sampling rate of a part of a series in hertz, and the time of its first sample in seconds.

    Parameters
    ----------
    path : pathlib.Path
        Used in the message.
    series : pynwb.TimeSeries
    start, stop : int
        Samples of the part; the whole series where they are not given.

    Raises
    ------
    DataError
        For times of samples that are not even, or more than memory holds.
    """
    if series.rate is not None:
        begin = float(series.starting_time or 0.0)
        return float(series.rate), begin + start / float(series.rate) if start else begin
    times = _times(path, series, start, stop)
    rate = even_rate(times)
    if rate is None:
        raise DataError(
            f"{path}: '{series.name}' has a time for each sample, and these are not even; "
            f"expected one sampling rate."
        )
    return rate, float(times[0])


def is_even(path: Path, series: pynwb.TimeSeries) -> bool:
    """Whether a series was sampled at a rate, stated or not.

    Raises
    ------
    DataError
        For more times than memory holds.
    """
    return series.rate is not None or even_rate(_times(path, series)) is not None


def _times(
    path: Path, series: pynwb.TimeSeries, start: int = 0, stop: int | None = None
) -> np.ndarray:
    stop = len(series.timestamps) if stop is None else stop
    require_memory(path, (stop - start) * np.dtype(float).itemsize, f"the times of '{series.name}'")
    return np.asarray(series.timestamps[start:stop], float)


def even_rate(times: np.ndarray) -> float | None:
    """Rate in hertz of times in seconds that are even, None for others; the nearest whole rate
    where it fits as well.

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
