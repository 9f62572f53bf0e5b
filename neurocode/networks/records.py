"""What the monitors of a network saw in a run, at the steps of their clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurocode.networks.captured import Monitor
from neurocode.networks.program import Plan


@dataclass(frozen=True)
class Seen:
    """What one monitor saw in a part of a run, in SI.

    Attributes
    ----------
    values : dict of str to numpy.ndarray
        Of shape (steps, entries); ``"rate"`` in hertz (steps,); those of events (events,).
    rows, neurons : numpy.ndarray of int, optional
        Of each event the step of the monitor's clock, counted from the start of the run, and the
        neuron.
    """

    values: Mapping[str, np.ndarray]
    rows: np.ndarray | None = None
    neurons: np.ndarray | None = None


@dataclass(frozen=True)
class Record:
    """What one monitor saw in a run.

    Attributes
    ----------
    name : str
    monitor : Monitor
    dt : float
        Time step of its clock, in seconds.
    steps : numpy.ndarray of int, shape (n,)
        Steps of its clock.
    seen : Seen
    """

    name: str
    monitor: Monitor
    dt: float
    steps: np.ndarray
    seen: Seen

    @property
    def events(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Row and neuron of every event, in time; None for other monitors."""
        rows, neurons = self.seen.rows, self.seen.neurons
        return None if rows is None or neurons is None else (rows, neurons)

    @property
    def times(self) -> np.ndarray:
        """Times of the rows in seconds."""
        return self.steps * self.dt


def recorded_names(monitor: Monitor) -> list[str]:
    """Return the variables that a monitor of states or events records beside times and numbers."""
    known = ("i", "t") if monitor.kind == "events" else ()
    return [name for name in monitor.variables if name not in known]


def kept_rows(plan: Plan, n_steps: int, period: int) -> slice:
    """Steps of a run at which a clock of the given period ticks."""
    return slice(-plan.first % period, n_steps, period)


def n_ticks(start: int, stop: int, period: int) -> int:
    """Number of steps of a slower clock among some steps of the network."""
    return -(-stop // period) - -(-start // period)


def records_of(plan: Plan, n_steps: int, pieces: Sequence[Mapping[str, Seen]]) -> list[Record]:
    """Join the pieces of a run."""
    records = []
    for program in plan.programs:
        part, name = program.block.part, program.block.name
        if not isinstance(part, Monitor) or not pieces:
            continue
        rows = kept_rows(plan, n_steps, program.period)
        steps = (plan.first + np.arange(n_steps)[rows]) // program.period
        dt = plan.clocks[program.block.clock][1]
        seen = _joined([piece[name] for piece in pieces if name in piece])
        records.append(Record(name, part, dt, steps, seen))
    return records


def _joined(parts: Sequence[Seen]) -> Seen:
    values = {key: np.concatenate([p.values[key] for p in parts]) for key in parts[0].values}
    if parts[0].rows is None:
        return Seen(values)
    rows, neurons = (
        np.concatenate([getattr(p, key) for p in parts]) for key in ("rows", "neurons")
    )
    return Seen(values, rows, neurons)


def seen_in(plan: Plan, recorded: Mapping[str, Any], start: int, stop: int) -> dict[str, Seen]:
    """Return what monitors saw in some steps of a run, from records of every step.

    Parameters
    ----------
    plan : Plan
    recorded : dict of str to object
        As :class:`neurocode.networks.step.Stepper` gives them, with the steps as first axis.
    start, stop : int
        Steps, counted from the start of the run.
    """
    seen = {}
    for program in plan.programs:
        part, name = program.block.part, program.block.name
        if not isinstance(part, Monitor):
            continue
        ticks = slice(-(plan.first + start) % program.period, stop - start, program.period)
        before = n_ticks(plan.first, plan.first + start, program.period)
        if part.kind == "rate":
            seen[name] = Seen({"rate": recorded[name][ticks]})
        elif part.kind == "states":
            seen[name] = Seen({key: value[ticks] for key, value in recorded[name].items()})
        else:
            events, values = recorded[name]
            rows, neurons = np.nonzero(events[ticks])
            at_events = {key: value[ticks][rows, neurons] for key, value in values.items()}
            seen[name] = Seen(at_events, before + rows, neurons)
    return seen
