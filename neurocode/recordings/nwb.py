"""Reading and writing spike trains and signals of Neurodata Without Borders files by pynwb."""

from __future__ import annotations

import re
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import neo
import numpy as np

from neurocode.errors import DataError
from neurocode.extras import Library, require
from neurocode.recordings.channels import numbers_of
from neurocode.recordings.guard import damage_named
from neurocode.recordings.hdf5 import require_self_contained
from neurocode.recordings.nwb_pairing import Part
from neurocode.recordings.nwb_signals import add_signals
from neurocode.recordings.nwb_types import File, Series
from neurocode.recordings.plausible import LATEST
from neurocode.recordings.sizes import require_memory
from neurocode.recordings.sweeps import Sweep, note_of, read_sweeps, signal_of_series
from neurocode.recordings.trains import ROUNDING, Trains
from neurocode.units import number_in

pynwb = Library("pynwb")

SEGMENT, TRAIN = "segment", "train_name"


def read_nwb(path: Path) -> neo.Block:
    """Read the units table and the regularly sampled series of an NWB file.

    Units become spike trains and sweeps become segments, which are numbered as the file numbers its
    sweeps. In a file that neurocode wrote, everything returns to the segment from which it came; in
    other files that have sweeps and units, the units are in a separate last segment. Values are
    converted by ``conversion`` and ``offset`` to the unit that the file states; ``gain`` is that of
    the amplifier and is already contained in them. Bias current, bridge balance and capacitance
    compensation are annotations of the voltage, and the description of the stimulus is an
    annotation of the segment. Voltage-clamp sweeps of a file that also has others are left out, and
    listed in the annotation ``voltage_clamp`` of the block.

    Raises
    ------
    DataError
        If the file holds neither units nor signals, or does not say which signals belong together
        (:func:`read_sweeps`).
    """
    with opened(path) as file:
        series = [
            s
            for s in (*file.acquisition.values(), *file.stimulus.values())
            if isinstance(s, pynwb.TimeSeries)
        ]
        placed = [(place, entry) for entry in series if (place := _place(entry)) is not None]
        sweeps, left_out = read_sweeps(
            path, file, [entry for entry in series if _place(entry) is None]
        )
        for place, entry in placed:
            sweep = sweeps.setdefault(place, Sweep([], {}))
            sweep.signals.append(signal_of_series(path, Part.whole(entry)))
            sweep.notes.update(note_of([entry]))
        trains = {
            number: [_train(path, name, *train) for name, train in units]
            for number, units in _units(path, file).items()
        }
    if not sweeps and not trains:
        raise DataError(f"{path}: the file holds neither units nor regularly sampled series.")
    if not placed and len(sweeps) > 1 and trains:
        trains = {
            max(sweeps) + 1: [train for of_segment in trains.values() for train in of_segment]
        }
    block = _block(path, sweeps, trains)
    if left_out:
        block.annotate(voltage_clamp=list(left_out))
    return block


def read_nwb_units(path: Path, t_start: float | None = None, t_stop: float | None = None) -> Trains:
    """Read only the units table of an NWB file: its signals may be large, and need not be in pairs.

    Parameters
    ----------
    path : pathlib.Path
    t_start, t_stop : float, optional
        Window in seconds. Of a unit that was observed in several stretches, the one that contains
        this window is read.

    Raises
    ------
    DataError
        If the file is damaged or has no units, or a unit was not observed throughout the window.
    """
    with opened(path) as file:
        return Trains.of_segments(_units(path, file, t_start, t_stop).values())


def write_nwb(block: neo.Block, path: Path) -> Path:
    """Write the spike trains of a block as a units table and its signals as series.

    Where a segment holds one voltage and one current of an electrode, sampled alike, they are
    written as a response and a stimulus of current clamp, paired by the table of intracellular
    recordings; rows of one segment are a simultaneous recording. Other signals are plain time
    series. Segments keep their numbers where these are distinct.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = pynwb.NWBFile(
            session_description=block.name or "neurocode",
            identifier=str(uuid.uuid4()),
            session_start_time=datetime.now(UTC),
        )
        numbers = numbers_of(block.segments)
        _add_units(
            file,
            [
                (n, train)
                for n, segment in zip(numbers, block.segments, strict=True)
                for train in segment.spiketrains
            ],
        )
        for number, segment in zip(numbers, block.segments, strict=True):
            add_signals(file, segment, number)
        with pynwb.NWBHDF5IO(str(path), "w") as io:
            io.write(file)
    return path


def _add_units(file: File, trains: Sequence[tuple[int, neo.SpikeTrain]]) -> None:
    if trains:
        file.add_unit_column(SEGMENT, "number of the sweep or repeat")
        file.add_unit_column(TRAIN, "name of the spike train")
    for number, train in trains:
        interval = [[number_in(train.t_start, "s"), number_in(train.t_stop, "s")]]
        times = train.rescale("s").magnitude
        file.add_unit(
            spike_times=times,
            obs_intervals=np.array(interval),
            **{SEGMENT: number, TRAIN: train.name or ""},
        )


@contextmanager
def opened(path: Path) -> Iterator[File]:
    """Open an NWB file as pynwb's object; damage is named in one sentence."""
    require("pynwb")
    require_self_contained(path)
    with damage_named(path, "pynwb"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            yield io.read()


def _block(
    path: Path, sweeps: dict[int, Sweep], trains: dict[int, list[neo.SpikeTrain]]
) -> neo.Block:
    block = neo.Block(name=path.stem)
    for number in sorted({*sweeps, *trains}):
        segment = neo.Segment(name=f"segment {number}", index=number)
        sweep = sweeps.get(number, Sweep([], {}))
        segment.analogsignals.extend(sweep.signals)
        segment.annotate(**sweep.notes)
        segment.spiketrains.extend(trains.get(number, ()))
        block.segments.append(segment)
    return block


def _units(
    path: Path, file: File, t_start: float | None = None, t_stop: float | None = None
) -> dict[int, list[tuple[str, tuple[np.ndarray, float, float]]]]:
    """Names and trains (times, start, stop) by segment; those without observation intervals end at
    the last spike of all."""
    table = file.units
    if table is None or "spike_times" not in table.colnames:
        return {}
    require_memory(
        path, len(table["spike_times"].target.data) * np.dtype(float).itemsize, "the units table"
    )
    all_times = [np.asarray(table["spike_times"][row], float) for row in range(len(table.id))]
    last = max((times[_possible(times)].max(initial=0.0) for times in all_times), default=0.0)
    units: dict[int, list[tuple[str, tuple[np.ndarray, float, float]]]] = {}
    for row, times in enumerate(all_times):
        start, stop = min(0.0, times[_possible(times)].min(initial=0.0)), last
        if "obs_intervals" in table.colnames and len(table["obs_intervals"][row]):
            start, stop, several = _observed(
                path, np.asarray(table["obs_intervals"][row], float), t_start, t_stop
            )
            times = times[~((times < start) | (times > stop))] if several else times
        number = int(table[SEGMENT][row]) if SEGMENT in table.colnames else 0
        name = str(table[TRAIN][row]) if TRAIN in table.colnames else f"unit {table.id[row]}"
        units.setdefault(number, []).append(
            (name or str(len(units.get(number, ()))), (times, start, stop))
        )
    return units


def _possible(times: np.ndarray) -> np.ndarray:
    return np.isfinite(times) & (np.abs(times) <= LATEST)


def _observed(
    path: Path, intervals: np.ndarray, t_start: float | None, t_stop: float | None
) -> tuple[float, float, bool]:
    """The stretch in which a unit was observed (of several, the one that contains the window), and
    whether there are several."""
    intervals = intervals[np.argsort(intervals[:, 0], kind="stable")]
    start, stop = float(intervals.min()), float(intervals.max())
    if not -LATEST <= start <= stop <= LATEST or np.any(intervals[:, 1] < intervals[:, 0]):
        raise DataError(
            f"{path}: a unit was observed from {start:g} to {stop:g} s, expected times up to "
            f"{LATEST:g} s."
        )
    reached = np.maximum.accumulate(intervals[:, 1])
    gaps = np.flatnonzero(intervals[1:, 0] > reached[:-1] + ROUNDING)
    if not len(gaps):
        return start, stop, False
    stretches = list(
        zip(intervals[[0, *gaps + 1], 0].tolist(), reached[[*gaps, -1]].tolist(), strict=True)
    )
    for first, last in stretches:
        if t_start is not None and t_stop is not None and first <= t_start <= t_stop <= last:
            return first, last, True
    (_, end), (begin, _) = stretches[:2]
    raise DataError(
        f"{path}: a unit was observed in {len(stretches)} stretches, not between {end:g} and "
        f"{begin:g} s; choose a window inside one of them by t_start and t_stop."
    )


def _train(path: Path, name: str, times: np.ndarray, start: float, stop: float) -> neo.SpikeTrain:
    if np.any((times < start) | (times > stop)) or not np.all(np.isfinite(times)):
        raise DataError(
            f"{path}: the times of '{name}' are not all finite and inside [{start:g}, {stop:g}] "
            f"s, where it was observed."
        )
    return neo.SpikeTrain(times, units="s", t_start=start, t_stop=stop, name=name)


def _place(series: Series) -> int | None:
    """Number of the segment from which neurocode wrote a series, or None for other series."""
    number = re.fullmatch(r"segment ([0-9]{1,9})", series.comments or "")
    return int(number.group(1)) if number and series.rate is not None else None
