"""Current-clamp recordings of a simulated cell, as files."""

from __future__ import annotations

from pathlib import Path

import neo
import numpy as np
import quantities as pq

import neurocode as nc

DT = 1e-3


def recording(path: Path, seed: int, trials: int = 1, seconds: float = 6.0) -> Path:
    """A current-clamp file: simulated potential with a peak of 20 mV at each spike, and the
    current."""
    current = nc.simulation.stimuli.frozen_noise(
        seconds, DT, mean=100.0, standard_deviation=100.0, seed=seed
    )
    block = nc.simulate(
        nc.models.gif((50.0,)), current, trials=trials, seed=seed, record=("v",), engine="jax"
    )
    out = neo.Block(name=path.stem)
    for number, segment in enumerate(block.segments):
        voltage = segment.analogsignals[0].magnitude.copy()
        voltage[np.round(segment.spiketrains[0].magnitude / DT).astype(int)] = 20.0
        sweep = neo.Segment(index=number)
        sweep.analogsignals.append(
            neo.AnalogSignal(voltage, units="mV", sampling_rate=1 / DT * pq.Hz, name="Vm")
        )
        sweep.analogsignals.append(
            neo.AnalogSignal(current.magnitude, units="pA", sampling_rate=1 / DT * pq.Hz, name="Im")
        )
        out.segments.append(sweep)
    return nc.write(out, path)
