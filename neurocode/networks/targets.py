"""Recorded spikes and signals on the steps of the monitors that should see them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from neurocode.errors import FitError
from neurocode.networks.captured import Monitor
from neurocode.networks.fit import Targets
from neurocode.networks.program import Plan, Program
from neurocode.networks.records import n_ticks
from neurocode.recordings.binning import bin_numbers
from neurocode.units import strip_unit


def targets_of(
    plan: Plan, n_steps: int, spikes: Any, signals: Mapping[str, Any], decay: float
) -> Targets:
    """Put trains and signals on the steps of a run.

    Raises
    ------
    FitError
        If there are none, or if they do not belong to the monitors of the network.
    """
    if spikes is None and not signals:
        raise FitError("Expected spikes or signals to fit.")
    counts = {
        program.block.name: _counted(program, trains, plan, n_steps)
        for program, trains in _by_monitor(plan, spikes)
    }
    values = {}
    for name, signal in signals.items():
        program, variable = _recorder(plan, name)
        values[program.block.name, variable] = _values(program, variable, signal, plan, n_steps)
    return Targets(counts, values, decay)


def _monitors(plan: Plan, kind: str) -> dict[str, Program]:
    return {
        program.block.name: program
        for program in plan.programs
        if isinstance(program.block.part, Monitor) and program.block.monitor.kind == kind
    }


def _by_monitor(plan: Plan, spikes: Any) -> Iterator[tuple[Program, Sequence[Any]]]:
    monitors = _monitors(plan, "events")
    if spikes is None:
        return
    if not isinstance(spikes, Mapping):
        if len(monitors) != 1:
            raise FitError(
                f"The network has {len(monitors)} monitors of spikes, expected one or a dictionary "
                f"of trains by monitor."
            )
        spikes = dict.fromkeys(monitors, spikes)
    for name, trains in spikes.items():
        if name not in monitors:
            raise FitError(f"'{name}' is not a monitor of spikes; known are {', '.join(monitors)}.")
        yield monitors[name], trains


def _counted(program: Program, trains: Sequence[Any], plan: Plan, n_steps: int) -> np.ndarray:
    """Numbers of spikes per step and neuron."""
    part = program.block.monitor
    if program.period != 1:
        raise FitError(f"'{program.block.name}' records on a slower clock, which is not covered.")
    if len(trains) != part.stop - part.start:
        raise FitError(
            f"'{program.block.name}' records {part.stop - part.start} neurons, not {len(trains)}."
        )
    counts = np.zeros((n_steps, len(trains)))
    for neuron, train in enumerate(trains):
        times = strip_unit(train, "second", f"Train {neuron}")
        rows = bin_numbers(times, plan.dt) - plan.first
        if np.any((rows < 0) | (rows >= n_steps)):
            raise FitError(f"Train {neuron} has spikes outside the time of the fit.")
        np.add.at(counts[:, neuron], rows, 1.0)
    if not counts.any():
        raise FitError(f"The trains of '{program.block.name}' hold no spikes.")
    return counts


def _recorder(plan: Plan, name: str) -> tuple[Program, str]:
    """Monitor that records a variable, and the variable."""
    source, _, variable = name.rpartition(".")
    for program in _monitors(plan, "states").values():
        recorded = program.block.monitor
        if recorded.source == source and variable in recorded.variables:
            return program, variable
    raise FitError(f"No StateMonitor of the network records '{name}'.")


def _values(program: Program, variable: str, signal: Any, plan: Plan, n_steps: int) -> np.ndarray:
    part = program.block.monitor
    name = f"{part.source}.{variable}"
    values = strip_unit(signal, part.variables[variable], f"The signal '{name}'")
    rows = n_ticks(plan.first, plan.first + n_steps, program.period)
    expected = (rows, len(part.indices))
    if values.ndim == 1:
        values = values[:, None]
    if values.shape != expected:
        raise FitError(f"The signal '{name}' has the shape {values.shape}, expected {expected}.")
    if np.ptp(values) == 0:
        raise FitError(f"The signal '{name}' is constant, expected one that varies.")
    return values
