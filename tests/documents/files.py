"""Recordings that a reader of the documents would have."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import quantities as pq
import scipy.io

import neurocode as nc


def write_files(folder: Path) -> None:
    """Write recordings into a folder.

    ``session.nwb`` (three units of a renewal process, 60 s), the same in ``sessions/``,
    ``movie.mat`` (units by repeats, in ms), ``cells.csv`` (one row per spike), ``sorted/`` (three
    clusters of a sorting) and ``cell.nwb`` (sweeps 1 to 9 of current clamp, the last three under
    one current).
    """
    random = np.random.default_rng(0)
    segment = neo.Segment(name="session")
    for unit in range(3):
        times = np.cumsum(random.gamma(2.0, 0.025 * (unit + 1), 1200))
        times = times[times < 60.0]
        segment.spiketrains.append(
            neo.SpikeTrain(times, units="s", t_stop=60.0, name=f"unit {unit}")
        )
    block = neo.Block(name="session")
    block.segments.append(segment)
    nc.write(block, folder / "session.nwb")
    spikes = np.empty((3, 5), object)
    for cell in np.ndindex(3, 5):
        spikes[cell] = np.sort(random.uniform(0.0, 2000.0, 20))
    scipy.io.savemat(folder / "movie.mat", {"Spikes": spikes})
    (folder / "sessions").mkdir()
    nc.write(block, folder / "sessions" / "monday.nwb")
    times, units = np.sort(random.uniform(0.0, 20.0, 300)), random.integers(0, 3, 300)
    rows = "\n".join(
        f"{time * 1e3:.3f},cell {unit}" for time, unit in zip(times, units, strict=True)
    )
    (folder / "cells.csv").write_text(f"time_ms,unit\n{rows}\n")
    _write_sorting(folder / "sorted", times, units)
    nc.write(_current_clamp(), folder / "cell.nwb")


def _write_sorting(folder: Path, times: np.ndarray, clusters: np.ndarray) -> None:
    folder.mkdir()
    np.save(folder / "spike_times.npy", (times * 30000).astype(np.uint64))
    np.save(folder / "spike_clusters.npy", clusters.astype(np.int32))
    (folder / "params.py").write_text(
        "dat_path = 'raw.dat'\nn_channels_dat = 64\ndtype = 'int16'\nsample_rate = 30000.\n"
    )
    (folder / "cluster_group.tsv").write_text("cluster_id\tgroup\n0\tgood\n1\tmua\n2\tnoise\n")


def _current_clamp() -> neo.Block:
    """Steps of 50 to 300 pA and three repeats of one noise, with spikes that follow the current."""
    random, samples, block = np.random.default_rng(1), 2000, neo.Block(name="cell")
    frozen = 80 * random.standard_normal(samples)
    for number in range(1, 10):
        current = (
            50.0 * number * ((np.arange(samples) >= 300) & (np.arange(samples) < 1300))
            if number < 7
            else frozen
        )
        voltage = random.normal(-70.0, 0.5, samples)
        voltage[400 + 10 * np.arange(3 * number)] = 20.0 + number
        segment = neo.Segment(index=number)
        for values, unit in ((voltage, "mV"), (current, "pA")):
            segment.analogsignals.append(
                neo.AnalogSignal(values, units=unit, sampling_rate=1 * pq.kHz)
            )
        block.segments.append(segment)
    return block
