"""What the monitors of a network saw in a run, at the steps of their clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurocode.networks.captured import Monitor
from neurocode.networks.program import Plan


@dataclass(frozen=True)
class Record:
    """What one monitor saw.

    Attributes
    ----------
    name : str
    monitor : Monitor
    dt : float
        Time step of its clock, in seconds.
    steps : numpy.ndarray of int, shape (n,)
        Steps of its clock.
    spikes : numpy.ndarray of bool, shape (n, neurons), optional
    rates : numpy.ndarray, shape (n,), optional
        In hertz.
    values : dict of str to numpy.ndarray, shape (n, entries)
        In SI; those of an event monitor count where there are spikes.
    """

    name: str
    monitor: Monitor
    dt: float
    steps: np.ndarray
    spikes: np.ndarray | None
    rates: np.ndarray | None
    values: Mapping[str, np.ndarray]

    @property
    def events(self) -> tuple[np.ndarray, np.ndarray]:
        """Row and neuron of every spike, in time."""
        assert self.spikes is not None, "a monitor of events records them"
        rows, neurons = np.nonzero(self.spikes)
        return rows, neurons

    @property
    def times(self) -> np.ndarray:
        """Times of the rows in seconds."""
        return self.steps * self.dt


def kept_rows(plan: Plan, n_steps: int, period: int) -> slice:
    """Steps of a run at which a clock of the given period ticks."""
    return slice(-plan.first % period, n_steps, period)


def records_of(plan: Plan, n_steps: int, pieces: list[dict[str, Any]]) -> list[Record]:
    """Join the pieces of a run."""
    records = []
    for program in plan.programs:
        part, name = program.block.part, program.block.name
        if not isinstance(part, Monitor) or not pieces:
            continue
        rows = kept_rows(plan, n_steps, program.period)
        steps = (plan.first + np.arange(n_steps)[rows]) // program.period
        seen = [piece[name] for piece in pieces]
        spikes = rates = None
        values: dict[str, np.ndarray] = {}
        if part.kind == "rate":
            rates = np.concatenate(seen)[rows]
        elif part.kind == "events":
            spikes = np.concatenate([piece[0] for piece in seen])[rows]
            seen = [piece[1] for piece in seen]
        if part.kind != "rate":
            values = {key: np.concatenate([p[key] for p in seen])[rows] for key in seen[0]}
        dt = plan.clocks[program.block.clock][1]
        records.append(Record(name, part, dt, steps, spikes, rates, values))
    return records
