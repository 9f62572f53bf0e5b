"""Recordings of their own that a reader of the documents brings along."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import scipy.io

import neurocode as nc


def write_files(folder: Path) -> None:
    """Write ``session.nwb`` (three units of a renewal process, 60 s), ``movie.mat`` (units by repeats, in ms) into a folder."""
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
