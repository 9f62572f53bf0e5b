"""Neurodata Without Borders files: spike trains and signals, in and out, by pynwb."""

from __future__ import annotations

import uuid
import warnings
from datetime import UTC, datetime
from pathlib import Path

import neo
import numpy as np
import pynwb
import quantities as pq

from neurocode.errors import DataError

SEGMENT, TRAIN = "segment", "train_name"


def read_nwb(path: Path) -> neo.Block:
    """Read the units table and the regularly sampled series of an NWB file.

    Units become spike trains; where neurocode wrote the file they return to the segments they came
    from, otherwise all are in one segment. Signals come from acquisition and stimulus.

    Raises
    ------
    DataError
        If the file holds neither units nor signals.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            file = io.read()
            segments: dict[int, neo.Segment] = {}
            if file.units is not None:
                _read_units(file, segments)
            for series in (*file.acquisition.values(), *file.stimulus.values()):
                if isinstance(series, pynwb.TimeSeries) and series.rate is not None:
                    _segment(segments, *_owner(series)).analogsignals.append(_signal(series))
    if not segments:
        raise DataError(f"{path}: the file holds neither units nor regularly sampled series.")
    block = neo.Block(name=path.stem)
    for number in sorted(segments):
        block.segments.append(segments[number])
    return block


def write_nwb(block: neo.Block, path: Path) -> Path:
    """Write the spike trains of a block as a units table and its signals as time series."""
    file = pynwb.NWBFile(
        session_description=block.name or "neurocode", identifier=str(uuid.uuid4()), session_start_time=datetime.now(UTC)
    )
    trains = [(number, train) for number, segment in enumerate(block.segments) for train in segment.spiketrains]
    if trains:
        file.add_unit_column(SEGMENT, "number of the sweep or repeat")
        file.add_unit_column(TRAIN, "name of the spike train")
    for number, train in trains:
        interval = [[float(train.t_start.rescale("s")), float(train.t_stop.rescale("s"))]]
        times = train.rescale("s").magnitude
        file.add_unit(spike_times=times, obs_intervals=np.array(interval), **{SEGMENT: number, TRAIN: train.name or ""})
    for number, segment in enumerate(block.segments):
        for index, signal in enumerate(segment.analogsignals):
            file.add_acquisition(_series(signal, number, index))
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def _read_units(file: pynwb.NWBFile, segments: dict[int, neo.Segment]) -> None:
    units = file.units
    count = len(units.id)
    last = max((float(np.max(units["spike_times"][i])) for i in range(count) if len(units["spike_times"][i])), default=0.0)
    for row in range(count):
        times = np.asarray(units["spike_times"][row], float)
        start, stop = min(0.0, times.min(initial=0.0)), last
        if "obs_intervals" in units.colnames:
            intervals = np.asarray(units["obs_intervals"][row], float)
            start, stop = float(intervals.min()), float(intervals.max())
        number = int(units[SEGMENT][row]) if SEGMENT in units.colnames else 0
        name = str(units[TRAIN][row]) if TRAIN in units.colnames else f"unit {units.id[row]}"
        train = neo.SpikeTrain(times, units="s", t_start=start, t_stop=max(stop, times.max(initial=stop)), name=name)
        _segment(segments, number).spiketrains.append(train)


def _segment(segments: dict[int, neo.Segment], number: int = 0) -> neo.Segment:
    return segments.setdefault(number, neo.Segment(name=f"segment {number}", index=number))


def _owner(series: pynwb.TimeSeries) -> tuple[int]:
    head = series.comments or ""
    return (int(head.removeprefix("segment ")) if head.startswith("segment ") else 0,)


def _signal(series: pynwb.TimeSeries) -> neo.AnalogSignal:
    values = np.asarray(series.data) * series.conversion + (series.offset or 0.0)
    try:
        unit = pq.Quantity(1.0, {"volts": "V", "amperes": "A", "": "dimensionless"}.get(series.unit, series.unit))
    except LookupError:
        unit = pq.dimensionless
    start = (series.starting_time or 0.0) * pq.s
    return neo.AnalogSignal(
        values, units=unit, sampling_rate=series.rate * pq.Hz, t_start=start, name=series.description or series.name
    )


def _series(signal: neo.AnalogSignal, number: int, index: int) -> pynwb.TimeSeries:
    return pynwb.TimeSeries(
        name=f"segment_{number}_signal_{index}",
        data=signal.magnitude,
        unit=signal.dimensionality.string,
        rate=float(signal.sampling_rate.rescale("Hz")),
        starting_time=float(signal.t_start.rescale("s")),
        description=signal.name or "signal",
        comments=f"segment {number}",
    )
