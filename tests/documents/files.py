"""Recordings of their own that a reader of the documents brings along."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import quantities as pq
import scipy.io

import neurocode as nc


def write_files(folder: Path) -> None:
    """Write ``session.nwb`` (three units of a renewal process, 60 s), ``movie.mat`` (units by repeats, in ms) and
    ``cell.nwb`` (sweeps 1 to 9 of current clamp, the last three under one current) into a folder."""
    random = np.random.default_rng(0)
    segment = neo.Segment(name="session")
    for unit in range(3):
        times = np.cumsum(random.gamma(2.0, 0.025 * (unit + 1), 1200))
        times = times[times < 60.0]
        segment.spiketrains.append(neo.SpikeTrain(times, units="s", t_stop=60.0, name=f"unit {unit}"))
    block = neo.Block(name="session")
    block.segments.append(segment)
    nc.write(block, folder / "session.nwb")
    spikes = np.empty((3, 5), object)
    for cell in np.ndindex(3, 5):
        spikes[cell] = np.sort(random.uniform(0.0, 2000.0, 20))
    scipy.io.savemat(folder / "movie.mat", {"Spikes": spikes})
    nc.write(current_clamp(random), folder / "cell.nwb")


def current_clamp(random: np.random.Generator) -> neo.Block:
    """Steps of 50 to 300 pA and three repeats of one noise, with spikes that follow the current."""
    samples, block = 2000, neo.Block(name="cell")
    frozen = 80 * random.standard_normal(samples)
    for number in range(1, 10):
        current = 50.0 * number * ((np.arange(samples) >= 300) & (np.arange(samples) < 1300)) if number < 7 else frozen
        voltage = random.normal(-70.0, 0.5, samples)
        voltage[400 + 10 * np.arange(3 * number)] = 20.0 + number
        segment = neo.Segment(index=number)
        for values, unit in ((voltage, "mV"), (current, "pA")):
            segment.analogsignals.append(neo.AnalogSignal(values, units=unit, sampling_rate=1 * pq.kHz))
        block.segments.append(segment)
    return block
