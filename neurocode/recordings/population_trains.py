"""Spike trains of cells that were recorded together, in bins, as a population."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurocode.errors import DataError
from neurocode.recordings.binning import bin_numbers, whole_bins
from neurocode.recordings.population import LEAST_TEST, PopulationExperiment
from neurocode.recordings.trains import Trains, join, usable_trains
from neurocode.units import seconds

#: Share of the repeats that is held out, and least number of repeats of which any are: a test needs
#: four repeats, and as many must be left to fit.
HELD_OUT, LEAST_REPEATS = 0.2, 2 * LEAST_TEST


def population_of_trains(
    spiketrains: object,
    *,
    dt: float = 2e-3,
    stimulus: ArrayLike | None = None,
    stimulus_times: ArrayLike | None = None,
    least_spikes: int = 1,
    name: str = "",
) -> PopulationExperiment:
    """Return spike trains of cells that were recorded together as a population.

    One train per cell makes one piece, over the time in which all cells were recorded. Several
    trains per cell are repeats: of every stimulus every fifth repeat is held out as a test (four at
    least, if there are eight), and the only feature of the stimulus is time, from -1 to 1 through
    all stimuli one after another, for ``front_end="time"``.

    Parameters
    ----------
    spiketrains : neo.Block, neo.Segment, Trains, or another container of trains
        As :meth:`neurocode.recordings.Trains.of` takes them.
    dt : float or quantity
        Length of a bin, in seconds if it has no unit.
    stimulus : array (samples, features), optional
        For one train per cell.
    stimulus_times : array (samples,), optional
        Times of the samples in seconds, evenly spaced, on the clock of the spikes. Samples within a
        bin are averaged; slower ones last for several bins.
    least_spikes : int
        Cells with fewer spikes are left out, with a warning that names them.
    name : str
        Name of the recording.

    Raises
    ------
    DataError
        If times are not sorted or not finite, cells do not share their repeats, a stimulus comes
        with several trains per cell or without its times, or does not cover the spikes.

    Examples
    --------
    >>> trains = [np.arange(0.05, 10.0, 0.1), np.arange(0.08, 10.0, 0.25)]
    >>> population_of_trains(trains, dt=2e-3).n_cells
    2
    """
    width = seconds(dt, "The bin")
    trains = _with_spikes(usable_trains(spiketrains), least_spikes)
    if np.max(np.diff(trains.first_train)) > 1:
        if stimulus is not None:
            raise DataError(
                "A stimulus is taken with one train per cell; for repeats with a stimulus, "
                "construct a PopulationExperiment from arrays."
            )
        return _of_repeats(trains, width, name)
    return _of_one_piece(trains, width, stimulus, stimulus_times, name)


def _with_spikes(trains: Trains, least: int) -> Trains:
    """Return the cells with enough spikes."""
    counts = np.bincount(trains.unit, trains.counts, minlength=trains.n_units)
    few = [trains.names[unit] for unit in np.flatnonzero(counts < least)]
    if not few:
        return trains
    if len(few) == trains.n_units:
        raise DataError(f"No cell has {least} spikes.")
    more = f" and {len(few) - 5} more" if len(few) > 5 else ""
    warnings.warn(
        f"{len(few)} of {trains.n_units} cells have fewer than {least} spikes and are left out: "
        f"{', '.join(few[:5])}{more}.",
        stacklevel=3,
    )
    return join([trains.select(int(unit)) for unit in np.flatnonzero(counts >= least)])


def _of_one_piece(
    trains: Trains,
    dt: float,
    stimulus: ArrayLike | None,
    stimulus_times: ArrayLike | None,
    name: str,
) -> PopulationExperiment:
    start, stop = float(trains.t_start.max()), float(trains.t_stop.min())
    if stimulus is None:
        bins_per_frame, n_bins, frames = 1, whole_bins(stop - start, dt), None
    else:
        samples, times = _samples(stimulus, stimulus_times)
        spacing = float(np.median(np.diff(times)))
        start, stop = max(start, float(times[0])), min(stop, float(times[-1]) + spacing)
        bins_per_frame = max(1, round(spacing / dt))
        n_frames = whole_bins(stop - start, dt * bins_per_frame) if stop > start else 0
        n_bins = n_frames * bins_per_frame
        frames = [frames_of(samples, times, start, n_frames, dt * bins_per_frame)]
    if stop <= start or n_bins < 1:
        raise DataError(
            "Cells and stimulus share no time: their common recording would begin at "
            f"{start:g} s and end at {stop:g} s."
        )
    return PopulationExperiment(
        _binned([trains.train(k) for k in range(trains.n_trains)], start, n_bins, dt),
        None if frames is None else frames,
        dt=dt,
        bins_per_frame=bins_per_frame,
        names=trains.names,
        name=name,
    )


def _samples(
    stimulus: ArrayLike, stimulus_times: ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    samples = np.asarray(stimulus, float)
    samples = samples[:, None] if samples.ndim == 1 else samples.reshape(len(samples), -1)
    if stimulus_times is None:
        raise DataError("A stimulus needs the times of its samples.")
    times = np.asarray(stimulus_times, float)
    if times.shape != (len(samples),) or len(times) < 2:
        raise DataError(f"There are {times.size} times for {len(samples)} samples of the stimulus.")
    if not (np.all(np.isfinite(times)) and np.all(np.diff(times) > 0)):
        raise DataError("The times of the stimulus must be finite and increasing.")
    return samples, times


def frames_of(
    values: NDArray, times: NDArray, start: float, n_frames: int, frame_seconds: float
) -> NDArray[np.float64]:
    """Return the mean of the values in each frame; a frame without one holds the sample before.

    Examples
    --------
    >>> values, times = np.array([[1.0], [3.0], [5.0]]), np.array([0.0, 0.1, 0.2])
    >>> frames_of(values, times, 0.0, 2, 0.2)[:, 0].tolist()
    [2.0, 5.0]
    >>> frames_of(values, times, 0.0, 4, 0.05)[:, 0].tolist()
    [1.0, 1.0, 3.0, 3.0]
    """
    edges = start + frame_seconds * np.arange(n_frames + 1)
    first = np.searchsorted(times, edges - 1e-9)
    counts = np.diff(first)
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    means = (sums[first[1:]] - sums[first[:-1]]) / np.maximum(counts, 1)[:, None]
    held = values[np.clip(first[:-1] - 1, 0, None)]
    return np.where(counts[:, None] > 0, means, held)


def _of_repeats(trains: Trains, dt: float, name: str) -> PopulationExperiment:
    """Return repeats of one or more stimuli, with time as the stimulus."""
    stimuli = np.unique(trains.condition)
    arrays = [_repeats_of(trains, condition, dt) for condition in stimuli]
    lengths = [array.shape[1] for array in arrays]
    time = np.linspace(-1, 1, sum(lengths)) if sum(lengths) > 1 else np.zeros(1)
    times = np.split(time[:, None], np.cumsum(lengths)[:-1])
    kept, held = zip(*(_divided(array) for array in arrays), strict=True)
    test = _joined(held) if min(array.shape[2] for array in held) >= LEAST_TEST else None
    pieces = [
        (array[..., repeat], frames, repeat)
        for array, frames in zip(kept, times, strict=True)
        for repeat in range(array.shape[2])
    ]
    return PopulationExperiment(
        [piece for piece, _, _ in pieces],
        [frames for _, frames, _ in pieces],
        dt=dt,
        repeats=_joined(kept),
        test=test,
        test_stimulus=None if test is None else time[:, None],
        presentations=[repeat for _, _, repeat in pieces],
        names=trains.names,
        name=name,
    )


def _repeats_of(trains: Trains, condition: int, dt: float) -> NDArray[np.float64]:
    """Return counts of the repeats of one stimulus, (cells, bins, repeats)."""
    rows = [
        [k for k in trains.trains_of(unit) if trains.condition[k] == condition]
        for unit in range(trains.n_units)
    ]
    if len({len(row) for row in rows}) > 1:
        counts = sorted({len(row) for row in rows})
        raise DataError(
            f"Cells have between {counts[0]} and {counts[-1]} repeats of a stimulus, expected the "
            f"same repeats of every cell."
        )
    durations = trains.t_stop - trains.t_start
    n_bins = whole_bins(float(min(durations[k] for row in rows for k in row)), dt)
    return np.stack(
        [
            _binned(
                [trains.train(row[repeat]) - trains.t_start[row[repeat]] for row in rows],
                0.0,
                n_bins,
                dt,
            )
            for repeat in range(len(rows[0]))
        ],
        axis=2,
    )


def _divided(repeats: NDArray) -> tuple[NDArray, NDArray]:
    """Return the repeats to fit and those held out, which are spread evenly over the session."""
    count = repeats.shape[2]
    n_test = max(LEAST_TEST, round(HELD_OUT * count)) if count >= LEAST_REPEATS else 0
    chosen = np.zeros(count, bool)
    chosen[(2 * np.arange(n_test) + 1) * count // max(2 * n_test, 1)] = True
    return repeats[..., ~chosen], repeats[..., chosen]


def _joined(arrays: Sequence[NDArray]) -> NDArray:
    """Return repeats of several stimuli, one after another in each repeat."""
    count = min(array.shape[2] for array in arrays)
    return np.concatenate([array[..., :count] for array in arrays], axis=1)


def _binned(trains: Sequence[NDArray], start: float, n_bins: int, dt: float) -> NDArray:
    """Return counts of each train in bins from a start, (cells, bins)."""
    numbers = [bin_numbers(np.asarray(times) - start, dt) for times in trains]
    inside = [row[(row >= 0) & (row < n_bins)] for row in numbers]
    return np.stack([np.bincount(row, minlength=n_bins) for row in inside])
