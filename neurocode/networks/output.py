"""Records of a run as Neo objects, and as rows of the user's own Brian2 monitors."""

from __future__ import annotations

import neo
import numpy as np
import quantities as pq

from neurocode.networks.capture import Handles
from neurocode.networks.records import Record
from neurocode.simulation.to_neo import signal


def to_block(records: list[Record], t_start: float, t_stop: float) -> neo.Block:
    """Make the block of a run: one segment with a train per recorded neuron and a signal per
    recorded variable.

    Parameters
    ----------
    records : list of Record
    t_start, t_stop : float
        In seconds.

    Returns
    -------
    neo.Block
        Trains are named ``"neurons[3]"`` and carry ``monitor`` and ``neuron``; signals are named
        ``"neurons.v"`` and carry ``monitor`` and ``neurons``.
    """
    segment = neo.Segment(name="network")
    for record in records:
        if record.events is not None:
            segment.spiketrains.extend(_trains(record, t_start, t_stop))
        elif len(record.steps):
            segment.analogsignals.extend(_signals(record))
    block = neo.Block(name="network")
    block.segments.append(segment)
    return block


def _trains(record: Record, t_start: float, t_stop: float) -> list[neo.SpikeTrain]:
    assert record.events is not None
    rows, neurons = record.events
    order = np.argsort(neurons, kind="stable")
    size = record.monitor.stop - record.monitor.start
    ends = np.searchsorted(neurons[order], np.arange(1, size))
    times = np.split(record.times[rows[order]], ends)
    at_spikes = {name: np.split(values[order], ends) for name, values in record.seen.values.items()}
    # quantities, because Neo reads the name of a unit anew for every train
    start = pq.Quantity(t_start, pq.s)
    stop = pq.Quantity(record.times[rows].max(initial=t_stop), pq.s)
    return [
        neo.SpikeTrain(
            times[i],
            units=pq.s,
            t_start=start,
            t_stop=stop,
            name=f"{record.monitor.source}[{i}]",
            array_annotations={name: values[i] for name, values in at_spikes.items()},
            monitor=record.name,
            neuron=i,
        )
        for i in range(size)
    ]


def _signals(record: Record) -> list[neo.AnalogSignal]:
    sampling = pq.Quantity(1.0 / record.dt, "Hz")
    signals = [
        signal(
            np.asarray(value, float),
            record.monitor.variables[name],
            sampling,
            f"{record.monitor.source}.{name}",
            record.times[0],
        )
        for name, value in record.seen.values.items()
    ]
    for each in signals:
        each.annotate(monitor=record.name, neurons=record.monitor.indices.tolist())
    return signals


def fill(handles: Handles, records: list[Record]) -> None:
    """Append records to the user's own monitors."""
    for record in records:
        new = dict(record.seen.values)
        if record.events is None:
            handles.append(record.name, {"t": record.times, **new}, len(record.steps))
            continue
        rows, neurons = record.events
        if record.monitor.records:
            new |= {"t": record.times[rows], "i": neurons}
        new["count"] = np.bincount(neurons, minlength=record.monitor.stop - record.monitor.start)
        handles.append(record.name, new, len(rows))
