"""A sampled stimulus in frames of whole bins."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurocode.errors import DataError
from neurocode.recordings.binning import rounding_late, whole_bins
from neurocode.recordings.nwb_timing import even_rate

#: Longest time that a sample may be held, in spacings of samples: two in a row may be missing.
LONGEST_HELD = 3.0
#: Parts of a sample that a frame lasts at most, where samples do not last a whole number of bins.
PARTS_OF_A_SAMPLE = 4
#: Largest distance before the start, in spacings, at which a sample counts as at the start.
EARLY = 1e-6


class Frames(NamedTuple):
    """A stimulus in frames.

    Attributes
    ----------
    values : numpy.ndarray (frames, features)
    start : float
        Start of the first frame in seconds.
    bins_per_frame : int
    """

    values: NDArray[np.float64]
    start: float
    bins_per_frame: int


def frames_between(
    stimulus: ArrayLike, sample_times: ArrayLike, start: float, stop: float, dt: float
) -> Frames:
    """Return the mean of a stimulus in frames between two times; each sample lasts until the next.

    Where samples last a whole number of bins, frames are samples and the first one begins at the
    first sample after the start. Otherwise frames last a quarter of a sample at most, and a bin at
    least.

    Parameters
    ----------
    stimulus : array (samples,) or (samples, ...)
    sample_times : array (samples,)
        In seconds, increasing.
    start, stop : float
        In seconds.
    dt : float
        Length of a bin in seconds.

    Returns
    -------
    Frames
        Without any frame if the stimulus does not cover one between the times.

    Raises
    ------
    DataError
        If the stimulus is not numbers at increasing times, is not finite, or has a gap between the
        times.

    Examples
    --------
    >>> frames = frames_between([1.0, 3.0, 5.0], [0.0, 0.1, 0.2], 0.05, 0.3, dt=0.05)
    >>> frames.values[:, 0].tolist(), frames.start, frames.bins_per_frame
    ([3.0, 5.0], 0.1, 2)
    """
    samples, times = _checked(stimulus, sample_times)
    start = max(start, float(times[0]))
    used = slice(
        max(0, int(np.searchsorted(times, start, "right")) - 1), np.searchsorted(times, stop)
    )
    later = times[used.stop : used.stop + 1]
    samples, times = samples[used], times[used]
    if len(times) < 2 or stop <= start:
        return Frames(np.empty((0, samples.shape[1])), start, 1)
    spacing = float(np.median(np.diff(times)))
    ends = np.concatenate([times, later if len(later) else [times[-1] + spacing]])
    stop = min(stop, float(ends[-1]))
    bins_per_frame = _bins_per_sample(times, spacing, dt)
    if bins_per_frame:
        start = float(ends[np.searchsorted(ends, start - EARLY * spacing)])
    else:
        bins_per_frame = max(1, int(spacing / (dt * PARTS_OF_A_SAMPLE)))
    seconds = dt * bins_per_frame
    rounding = rounding_late(stop, seconds)
    n_frames = max(0, whole_bins(stop - start, seconds, rounding=rounding))
    if n_frames:
        _require_whole(samples, np.minimum(ends, stop), spacing)
    edges = start + seconds * np.arange(n_frames + 1)
    return Frames(_means(samples, ends, edges), start, bins_per_frame)


def _checked(
    stimulus: ArrayLike, sample_times: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    samples = _numbers(stimulus, "The stimulus")
    times = _numbers(sample_times, "The times of the stimulus")
    if samples.ndim == 0:
        raise DataError("The stimulus is a single number, expected samples at times.")
    if times.shape != (len(samples),) or len(times) < 2:
        raise DataError(
            f"There are {times.size} times for {len(samples)} samples of the stimulus, expected as "
            f"many, two at least."
        )
    if not (np.all(np.isfinite(times)) and np.all(np.diff(times) > 0)):
        raise DataError("The times of the stimulus must be finite and increasing.")
    return samples.reshape(len(samples), -1), times


def _numbers(values: ArrayLike, what: str) -> NDArray[np.float64]:
    array = np.asarray(values)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{what}: values of the type '{array.dtype}', expected numbers.")
    return array.astype(float)


def _bins_per_sample(times: NDArray, spacing: float, dt: float) -> int:
    """Return how many bins a sample lasts, zero if that is no whole number: bins and samples would
    drift apart by half a bin or more over the recording."""
    rate = even_rate(times)
    if rate is None or spacing < dt:
        return 0
    bins = round(1 / (rate * dt))
    drift = abs(1 / rate - bins * dt) * len(times)
    return bins if drift < dt / 2 else 0


def _require_whole(samples: NDArray, ends: NDArray, spacing: float) -> None:
    """Refuse values that are not finite, and gaps."""
    unknown = np.flatnonzero(~np.all(np.isfinite(samples), axis=1))
    if len(unknown):
        raise DataError(
            f"{len(unknown)} of {len(samples)} samples of the stimulus are not finite, the first "
            f"at {ends[unknown[0]]:g} s."
        )
    held = np.diff(ends)
    longest = int(np.argmax(held))
    if held[longest] > LONGEST_HELD * spacing:
        raise DataError(
            f"The stimulus has no sample from {ends[longest]:g} to {ends[longest + 1]:g} s, "
            f"while its samples are {spacing:g} s apart: cut the recording there, or interpolate."
        )


def _means(samples: NDArray, ends: NDArray, edges: NDArray) -> NDArray[np.float64]:
    """Return the mean between edges of a signal that has each sample's value up to its end.

    Parameters
    ----------
    samples : numpy.ndarray (samples, features)
    ends : numpy.ndarray (samples + 1,)
        Time of each sample, and the end of the last one.
    edges : numpy.ndarray (frames + 1,)
    """
    # without the mean, sums over long recordings keep their precision
    centre = samples.mean(axis=0)
    around = samples - centre
    sums = np.concatenate(
        [np.zeros((1, samples.shape[1])), np.cumsum(around * np.diff(ends)[:, None], axis=0)]
    )
    place = np.clip(np.searchsorted(ends, edges, "right") - 1, 0, len(samples) - 1)
    integral = sums[place] + around[place] * (edges - ends[place])[:, None]
    return np.diff(integral, axis=0) / np.diff(edges)[:, None] + centre
