"""Spike trains out: Neurodata Without Borders files."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from pynwb import NWBHDF5IO, NWBFile


def write_spikes(path: str | Path, trains: Sequence[np.ndarray], duration: float, description: str) -> Path:
    """Write repeats of a spike train as the units table of an NWB file, a row a repeat.

    Parameters
    ----------
    path : str or pathlib.Path
    trains : sequence of numpy.ndarray
        Times in seconds from the start of each repeat.
    duration : float
        Of a repeat, in seconds: its observation interval.
    description : str
        What the trains are.

    Returns
    -------
    pathlib.Path
    """
    path = Path(path)
    file = NWBFile(session_description=description, identifier=str(uuid.uuid4()), session_start_time=datetime.now(UTC))
    file.add_unit_column("repeat", "number of the repeat")
    for number, train in enumerate(trains):
        file.add_unit(spike_times=np.asarray(train, float), obs_intervals=np.array([[0.0, duration]]), repeat=number)
    with NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path
