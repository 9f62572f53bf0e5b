"""Conversion of the arrays of a run to Neo objects."""

from __future__ import annotations

from collections.abc import Mapping

import neo
import numpy as np
import quantities as pq

from neurocode.models.model import NeuronModel
from neurocode.simulation.raw_run import RawRun
from neurocode.units import parse_unit, preferred_unit, to_neo_units


def to_block(
    model: NeuronModel,
    run: RawRun,
    dt: float,
    n_steps: int,
    stimulus: np.ndarray | None,
    annotations: Mapping,
) -> neo.Block:
    """Make the block of a run: one segment per trial, with its spike train, recorded signals and
    current.

    The time of a spike is the start of its step, as in Brian2, or the crossing inside the step.
    Recorded values are those at the start of each step.
    """
    block = neo.Block(name=model.name, **annotations)
    units = {equation.name: equation.unit for equation in model.parsed}
    sampling = pq.Quantity(1.0 / dt, "Hz")
    for trial, times in enumerate(run.times(dt)):
        segment = neo.Segment(name=f"trial {trial}", index=trial)
        segment.spiketrains.append(
            neo.SpikeTrain(times, units="s", t_stop=n_steps * dt, name=model.name)
        )
        for name, values in run.recorded.items():
            segment.analogsignals.append(signal(values[trial], units[name], sampling, name))
        if stimulus is not None:
            ((name, unit),) = model.inputs.items()
            current = stimulus if stimulus.ndim == 1 else stimulus[:, trial]
            segment.analogsignals.append(signal(current, unit, sampling, name))
        block.segments.append(segment)
    return block


def signal(
    values: np.ndarray, unit: str, sampling: pq.Quantity, name: str, t_start: float = 0.0
) -> neo.AnalogSignal:
    """Make a signal from values in SI, in the unit in which its dimension is shown.

    ``t_start`` is the time of the first value in seconds.
    """
    shown_unit, scale = preferred_unit(parse_unit(unit).dim)
    return neo.AnalogSignal(
        values / scale,
        units=to_neo_units(shown_unit),
        sampling_rate=sampling,
        t_start=pq.Quantity(t_start, pq.s),
        name=name,
    )
