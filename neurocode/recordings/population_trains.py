"""Spike trains of cells that were recorded together, in bins, as a population."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import neo
import numpy as np
from numpy.typing import ArrayLike, NDArray

from neurocode.errors import DataError, MissingRepeatWarning
from neurocode.recordings.binning import bin_numbers, rounding_late, whole_bins
from neurocode.recordings.population import LEAST_TEST, PopulationExperiment
from neurocode.recordings.sizes import MOST_BYTES
from neurocode.recordings.stimulus_frames import frames_between
from neurocode.recordings.trains import Trains, usable_trains
from neurocode.units import seconds

#: Share of the repeats that is held out, and least number of repeats of which any are: a test needs
#: four repeats, and as many must be left to fit.
HELD_OUT, LEAST_REPEATS = 0.2, 2 * LEAST_TEST
#: Share of the spikes that may lie outside the time that all trains share without a warning.
MOST_OUTSIDE = 0.01
#: Share of a window before the first spike without a warning, where no train states its start.
MOST_SILENT = 0.1


@dataclass(frozen=True)
class Window:
    """Time that trains share.

    Attributes
    ----------
    start, stop : float
        In seconds.
    is_open : bool
        Whether the window ends with the bin of the last spike, since no train states its end.
    late : float
        Time of the first spike in seconds where the window begins at zero and ends with a spike,
        else zero: perhaps nobody said when the recording began.
    """

    start: float
    stop: float
    is_open: bool
    late: float

    def n_bins(self, dt: float) -> int:
        """Return the number of bins of ``dt`` seconds."""
        rounding = rounding_late(self.stop, dt)
        n_whole = whole_bins(self.stop - self.start, dt, rounding=rounding)
        return n_whole + 1 if self.is_open else n_whole


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

    One train per cell makes one piece, over the time in which all cells were recorded; trains that
    do not state when they end, such as arrays, end at the latest spike of all. Several trains per
    cell are repeats of one stimulus: every fifth is held out as a test (four at least, if there are
    eight), and the only feature of the stimulus is time, from -1 to 1, for ``front_end="time"``.

    Parameters
    ----------
    spiketrains : neo.Block, neo.Segment, Trains, or another container of trains
        As :meth:`neurocode.recordings.Trains.of` takes them.
    dt : float or quantity
        Length of a bin, in seconds if it has no unit.
    stimulus : array (samples, features), optional
        For one train per cell.
    stimulus_times : array (samples,), optional
        Times of the samples in seconds, on the clock of the spikes. Each sample lasts until the
        next; see :func:`neurocode.recordings.stimulus_frames.frames_between`.
    least_spikes : int
        Cells with fewer spikes in the pieces to fit are left out, with a warning that names the
        first five.
    name : str
        Name of the recording.

    Raises
    ------
    DataError
        If times are not sorted or not finite, cells do not share their repeats or their time,
        repeats are of several stimuli, or a stimulus comes with several trains per cell, without
        its times, with gaps, or without covering the spikes.

    Warns
    -----
    UserWarning
        If cells have too few spikes, more than 1 % of the spikes lie outside the time that the
        trains share, or the first spike comes late in a recording that is taken to begin at zero.

    Examples
    --------
    >>> trains = [np.arange(0.05, 10.0, 0.1), np.arange(0.08, 10.0, 0.25)]
    >>> population_of_trains(trains, dt=2e-3).n_cells
    2
    """
    width = seconds(dt, "The bin")
    if (stimulus is None) != (stimulus_times is None):
        raise DataError("A stimulus needs the times of its samples, and times need a stimulus.")
    with no_missing_repeat():
        trains = usable_trains(spiketrains)
    states_windows = _holds_neo(spiketrains)
    if not trains.n_trains:
        raise DataError("There are no spike trains.")
    if np.max(np.bincount(trains.unit)) > 1:
        if stimulus is not None:
            raise DataError(
                "A stimulus is taken with one train per cell; for repeats with a stimulus, "
                "construct a PopulationExperiment from arrays."
            )
        return _of_repeats(trains, width, states_windows, least_spikes, name)
    return _of_one_piece(
        trains, width, states_windows, stimulus, stimulus_times, least_spikes, name
    )


def _holds_neo(entry: object) -> bool:
    """Whether trains are Neo's, which all state when they begin and end."""
    while isinstance(entry, (list, tuple)) and entry:
        entry = entry[0]
    return isinstance(entry, (neo.Block, neo.Segment, neo.SpikeTrain))


@contextmanager
def no_missing_repeat() -> Iterator[None]:
    """Refuse repeats that some cells lack, since the repeats of cells would be paired wrongly."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", MissingRepeatWarning)
        try:
            yield
        except MissingRepeatWarning as warning:
            raise DataError(f"{warning} Expected the same repeats of every cell.") from None


def _of_one_piece(
    trains: Trains,
    dt: float,
    states_windows: bool,
    stimulus: ArrayLike | None,
    stimulus_times: ArrayLike | None,
    least_spikes: int,
    name: str,
) -> PopulationExperiment:
    window = _shared_window(trains, np.arange(trains.n_trains), states_windows)
    if window.late > MOST_SILENT * (window.stop - window.start) and stimulus is None:
        warnings.warn(
            f"The recording is taken to begin at 0 s, and its first spike lies at "
            f"{window.late:g} s: the time before counts as silent. If it began later, state the "
            f"start.",
            stacklevel=3,
        )
    start, n_bins, bins_per_frame = window.start, window.n_bins(dt), 1
    values = None
    if stimulus is not None and stimulus_times is not None:
        stop = start + n_bins * dt if window.is_open else window.stop
        values, start, bins_per_frame = frames_between(stimulus, stimulus_times, start, stop, dt)
        n_bins = len(values) * bins_per_frame
    if n_bins < 1:
        raise DataError(
            "Cells and stimulus share no time: their common recording would begin at "
            f"{start:g} s and end at {window.stop:g} s."
        )
    counts = _binned([trains.train(k) for k in range(trains.n_trains)], start, n_bins, dt)
    _tell_outside(trains, counts, f"{start:g} to {start + n_bins * dt:g} s")
    cells = _with_spikes(counts.sum(axis=1), trains.names, least_spikes)
    return PopulationExperiment(
        counts[cells],
        values,
        dt=dt,
        bins_per_frame=bins_per_frame,
        names=[trains.names[cell] for cell in cells],
        name=name,
    )


def _of_repeats(
    trains: Trains, dt: float, states_windows: bool, least_spikes: int, name: str
) -> PopulationExperiment:
    """Return repeats of one stimulus, with time as the stimulus."""
    counts = _repeats_of(trains, dt, states_windows)
    held = _held_out(counts.shape[2])
    kept = counts[..., ~held]
    cells = _with_spikes(kept.sum(axis=(1, 2)), trains.names, least_spikes)
    time = np.linspace(-1, 1, counts.shape[1])[:, None] if counts.shape[1] > 1 else np.zeros((1, 1))
    number, test = np.arange(len(held)), counts[cells][..., held] if held.any() else None
    return PopulationExperiment(
        list(np.moveaxis(kept[cells], 2, 0)),
        [time] * kept.shape[2],
        dt=dt,
        repeats=kept[cells],
        test=test,
        test_stimulus=None if test is None else time,
        presentations=number[~held],
        repeat_presentations=number[~held],
        test_presentations=None if test is None else number[held],
        names=[trains.names[cell] for cell in cells],
        name=name,
    )


def _repeats_of(trains: Trains, dt: float, states_windows: bool) -> NDArray[np.int64]:
    """Return counts of the repeats of a stimulus, (cells, bins, repeats)."""
    n_stimuli = len(np.unique(trains.condition))
    if n_stimuli > 1:
        raise DataError(
            f"The trains are of {n_stimuli} stimuli, expected repeats of one: a history must "
            f"not run from one stimulus into the next. Pass the trains of one stimulus, or "
            f"construct a PopulationExperiment."
        )
    rows = [list(trains.trains_of(unit)) for unit in range(trains.n_units)]
    counts = sorted({len(row) for row in rows})
    if len(counts) > 1:
        raise DataError(
            f"Cells have between {counts[0]} and {counts[-1]} repeats of a stimulus, expected the "
            f"same repeats of every cell."
        )
    repeats = np.array(rows).T
    windows = _windows_of_repeats(trains, repeats, states_windows)
    n_bins = min(window.n_bins(dt) for window in windows)
    if n_bins < 1:
        raise DataError("The repeats share no time.")
    binned = np.stack(
        [
            _binned([trains.train(k) for k in row], window.start, n_bins, dt)
            for row, window in zip(repeats, windows, strict=True)
        ],
        axis=2,
    )
    _tell_outside(trains, binned, f"{n_bins * dt:g} s that the repeats share")
    return binned


def _windows_of_repeats(trains: Trains, repeats: NDArray, states_windows: bool) -> list[Window]:
    """Return the window of each repeat: the same one where they share a clock that begins anew with
    each repeat, else each on the clock of the session."""
    share_clock = trains.t_start.max() < trains.t_stop.min()
    whole = _shared_window(trains, repeats.ravel(), states_windows)
    if share_clock or whole.is_open:
        _require_clock_of_repeats(trains, repeats)
        return [whole] * len(repeats)
    return [_shared_window(trains, row, states_windows) for row in repeats]


def _require_clock_of_repeats(trains: Trains, repeats: NDArray) -> None:
    """Refuse repeats that follow one another on one clock, but state no start of their own."""
    spikes = [np.concatenate([trains.train(k) for k in row]) for row in repeats]
    ranges = [(times.min(), times.max()) for times in spikes if len(times)]
    follow = all(later[0] > now[1] for now, later in itertools.pairwise(ranges))
    if follow and len(ranges) >= LEAST_TEST:
        raise DataError(
            f"The spikes of each repeat follow those of the repeat before, up to "
            f"{ranges[-1][1]:g} s, as on the clock of a session: expected times from the start of "
            f"each repeat, or trains that state when they begin."
        )


def _shared_window(trains: Trains, rows: NDArray, states_windows: bool) -> Window:
    """Return the time that trains share.

    Unless all trains state their windows, those of bare times begin at zero, or at an earlier
    spike, and end at their last spike or, in a file, at the last spike of the file. Where no train
    states more, the window holds all spikes.
    """
    starts, stops = trains.t_start[rows], trains.t_stop[rows]
    if states_windows:
        return Window(float(starts.max()), float(stops.min()), is_open=False, late=0.0)
    spikes = [trains.train(row) for row in rows]
    first = np.array([times[0] if len(times) else np.inf for times in spikes])
    last = np.array([times[-1] if len(times) else -np.inf for times in spikes])
    states_stop = (stops != last) & ((last > -np.inf) | (stops != starts))
    states_start = (starts != np.minimum(first, 0)) | ((starts == 0) & states_stop)
    start = float(starts[states_start].max() if states_start.any() else starts.min())
    stop = float(stops[states_stop].min() if states_stop.any() else stops.max())
    is_open = stop == last.max()
    late = float(first.min()) if is_open and start == 0 and np.isfinite(first.min()) else 0.0
    return Window(start, stop, is_open, late)


def _with_spikes(counts: NDArray, names: Sequence[str], least: int) -> NDArray[np.int64]:
    """Return the cells with enough spikes, one at least."""
    least = max(least, 1)
    few = [names[int(cell)] for cell in np.flatnonzero(counts < least)]
    if len(few) == len(names):
        raise DataError(f"No cell has {least} spikes.")
    if few:
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        warnings.warn(
            f"{len(few)} of {len(names)} cells have fewer than {least} spikes and are left "
            f"out: {', '.join(few[:5])}{more}.",
            stacklevel=4,
        )
    return np.flatnonzero(counts >= least)


def _tell_outside(trains: Trains, counts: NDArray, where: str) -> None:
    """Warn of spikes outside the time that trains share."""
    n_spikes, outside = len(trains.times), len(trains.times) - int(counts.sum())
    if outside > MOST_OUTSIDE * n_spikes:
        warnings.warn(
            f"{outside} of {n_spikes} spikes lie outside the {where} and are left out.",
            stacklevel=4,
        )


def _held_out(count: int) -> NDArray[np.bool_]:
    """Return which repeats are held out; they are spread evenly over the session."""
    n_test = max(LEAST_TEST, round(HELD_OUT * count)) if count >= LEAST_REPEATS else 0
    held = np.zeros(count, bool)
    held[(2 * np.arange(n_test) + 1) * count // max(2 * n_test, 1)] = True
    return held


def _binned(trains: Sequence[NDArray], start: float, n_bins: int, dt: float) -> NDArray[np.int64]:
    """Return counts of each train in bins from a start, (cells, bins)."""
    if len(trains) * n_bins * np.dtype(np.int64).itemsize > MOST_BYTES:
        raise DataError(
            f"{len(trains)} cells from {start:g} to {start + n_bins * dt:g} s are too much for "
            f"memory in bins of {dt * 1e3:g} ms: are times in another unit than seconds, or on a "
            f"clock that began long before the recording?"
        )
    rounding = rounding_late(start + n_bins * dt, dt)
    numbers = [bin_numbers(times - start, dt, rounding=rounding) for times in trains]
    inside = [row[(row >= 0) & (row < n_bins)] for row in numbers]
    return np.stack([np.bincount(row, minlength=n_bins) for row in inside])
