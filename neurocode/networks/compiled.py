"""Runs of a network in a compiled loop: time outside, neurons and synapses inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

import numba
import numpy as np

from neurocode.networks.captured import Captured, Generator, Pathway, TimedValues
from neurocode.networks.loop_source import loop_source
from neurocode.networks.program import Plan, Program
from neurocode.networks.records import Seen, n_ticks, recorded_names
from neurocode.networks.rows import rows_of
from neurocode.networks.run import MOST_BYTES, bytes_per_step, generator_slots
from neurocode.simulation.loop import FUNCTIONS

#: Spikes of a monitor that are kept before they are handed over.
ROOM = 100_000

KINDS = {"float": np.float64, "integer": np.int64, "boolean": np.bool_}


@numba.njit
def _timestep(t: float, dt: float) -> float:
    return np.trunc((t + 1e-3 * dt) / dt)


@numba.njit
def _floor_divide(a: float, b: float) -> float:
    return a // b


@numba.njit
def _timed(values: np.ndarray, step: float, upsampling: int, t: float) -> float:
    row = np.int64(np.trunc((t / step + 0.5) / upsampling))
    return values[min(max(row, 0), len(values) - 1)]


@numba.njit
def _timed_column(
    values: np.ndarray, step: float, upsampling: int, t: float, column: float
) -> float:
    row = np.int64(np.trunc((t / step + 0.5) / upsampling))
    number = np.int64(column)
    if number < 0 or number >= values.shape[1]:
        return np.nan
    return values[min(max(row, 0), len(values) - 1), number]


KNOWN = {
    **FUNCTIONS,
    "len": len,
    "timestep": _timestep,
    "floor_divide": _floor_divide,
    "_nc_timed": _timed,
    "_nc_timed_column": _timed_column,
}


@lru_cache(maxsize=16)
def _compiled(text: str) -> Callable:
    """Compile the functions of a text, in its order; return the last."""
    known = dict(KNOWN)
    for code in compile(text, "<network>", "exec").co_consts:
        if isinstance(code, CodeType):
            function = FunctionType(code, known, code.co_name)
            known[code.co_name] = numba.njit(nogil=True, error_model="numpy")(function)
    return known["network_loop"]


class CompiledRunner:
    """Runs of one network.

    Parameters
    ----------
    captured : Captured
    plan : Plan

    Raises
    ------
    ModelError
        If a block calls a function that has a JAX version only.
    """

    def __init__(self, captured: Captured, plan: Plan) -> None:
        self.captured, self.plan = captured, plan
        self._constants = list(captured.constants)
        self._source = loop_source(plan, self._constants)

    def __call__(
        self, n_steps: int, arrays: Mapping[str, Any], constants: Mapping[str, Any], seed: int
    ) -> tuple[dict[str, np.ndarray], list[dict[str, Seen]]]:
        """Run; arrays at the end, and what monitors see in pieces that follow each other."""
        first, stop = self.plan.first, self.plan.first + n_steps
        bound = self._state(arrays, constants) | self._fixed(n_steps)
        n_pieces = -(-n_steps * bytes_per_step(self.captured, self.plan) // MOST_BYTES)
        length = max(1, -(-n_steps // max(1, n_pieces)))
        loop, random = _compiled(self._source.text), np.random.default_rng(seed)
        pieces = []
        for start in range(first, stop, length):
            end = min(start + length, stop)
            bound |= self._buffers(start, end)
            while start < end:
                given = [bound[label] for label in self._source.labels]
                start = loop(start, end, random, *given)
                pieces.append(self._spikes(bound))
            pieces[-1] |= self._values(bound)
        return {key: bound[f"array {key}"] for key in self.plan.changed}, pieces

    def _monitors(self, kind: str) -> list[Program]:
        template = {"events": "spikemonitor", "states": "statemonitor", "rate": "ratemonitor"}[kind]
        return [each for each in self.plan.programs if each.block.template == template]

    def _state(self, arrays: Mapping[str, Any], constants: Mapping[str, Any]) -> dict[str, Any]:
        """Values that the loop may change, copied."""
        kinds = {key: value.dtype for key, value in self.captured.arrays.items()}
        bound = {f"array {key}": np.array(arrays[key], kinds[key]) for key in kinds}
        bound["constants"] = np.array([float(constants[key]) for key in self._constants])
        for key, size in self.captured.events.items():
            bound[f"ids {key}"] = np.zeros(size, np.int64)
            bound[f"number {key}"] = np.zeros(1, np.int64)
        return bound

    def _fixed(self, n_steps: int) -> dict[str, Any]:
        """Tables of pathways, generators, and timed arrays."""
        bound: dict[str, Any] = {"first": np.array([self.plan.first])}
        slots = generator_slots(self.plan, n_steps)
        for program in self.plan.programs:
            block, name = program.block, program.block.name
            if isinstance(block.part, Pathway):
                tables = _pathway_tables(block.part, self.captured.events[block.events])
                bound |= {f"{what} {name}": table for what, table in tables.items()}
            if isinstance(block.part, Generator):
                bound |= {f"slots {name}": slots[name], f"neurons {name}": block.part.neurons}
            for called, function in block.functions.items():
                if isinstance(function, TimedValues):
                    bound[f"timed {name} {called}"] = function.values
        return bound

    def _buffers(self, start: int, stop: int) -> dict[str, Any]:
        """Empty buffers of monitors for some steps."""
        bound: dict[str, Any] = {}
        for program in self.plan.programs:
            bound[f"origin {program.block.name}"] = np.array([-(-start // program.period)])
        for program in self._monitors("states"):
            rows = n_ticks(start, stop, program.period)
            indices = program.block.monitor.indices
            bound[f"indices {program.block.name}"] = indices
            for label, kind in _recorded(program):
                bound[label] = np.zeros((rows, len(indices)), kind)
        for program in self._monitors("rate"):
            rows = n_ticks(start, stop, program.period)
            bound[f"values {program.block.name} rate"] = np.zeros(rows)
        for program in self._monitors("events"):
            monitor, name = program.block.monitor, program.block.name
            room = max(ROOM, monitor.stop - monitor.start)
            bound[f"count {name}"] = np.zeros(1, np.int64)
            for what in ("rows", "neurons"):
                bound[f"{what} {name}"] = np.zeros(room, np.int64)
            bound |= {label: np.zeros(room, kind) for label, kind in _recorded(program)}
        return bound

    def _spikes(self, bound: dict[str, Any]) -> dict[str, Seen]:
        """Take the spikes out of the buffers."""
        seen = {}
        for program in self._monitors("events"):
            name = program.block.name
            count = int(bound[f"count {name}"][0])
            bound[f"count {name}"][0] = 0
            first_tick = -(-self.plan.first // program.period)
            seen[name] = Seen(
                rows=bound[f"rows {name}"][:count] - first_tick,
                neurons=bound[f"neurons {name}"][:count].copy(),
                values={
                    label.split(" ")[-1]: bound[label][:count].copy()
                    for label, _ in _recorded(program)
                },
            )
        return seen

    def _values(self, bound: dict[str, Any]) -> dict[str, Seen]:
        """What monitors of states and rates have recorded in a piece."""
        seen = {
            program.block.name: Seen(
                values={label.split(" ")[-1]: bound[label] for label, _ in _recorded(program)}
            )
            for program in self._monitors("states")
        }
        for program in self._monitors("rate"):
            name = program.block.name
            seen[name] = Seen(values={"rate": bound[f"values {name} rate"]})
        return seen


def _recorded(program: Program) -> list[tuple[str, type]]:
    """Labels and types of the buffers of a monitor's variables."""
    kinds = {line.name: line.kind for line in program.scalar + program.vector}
    return [
        (f"values {program.block.name} {name}", KINDS[kinds[f"_to_record_{name}"]])
        for name in recorded_names(program.block.monitor)
    ]


def _pathway_tables(pathway: Pathway, n_sources: int) -> dict[str, np.ndarray]:
    rows = rows_of(pathway, n_sources, one_by_one=True)
    depth = max(rows.delays, default=0) + 1
    longest = max(map(len, pathway.pending), default=0)
    return {
        "order": rows.order,
        "starts": rows.starts,
        "lengths": rows.lengths,
        "delays": np.array(rows.delays, np.int64),
        "past": np.zeros((depth, n_sources), np.int32),
        "kept": np.zeros(depth, np.int64),
        "pending": np.array(
            [np.pad(each, (0, longest - len(each)), constant_values=-1) for each in pathway.pending]
        ).reshape(len(pathway.pending), longest),
    }
