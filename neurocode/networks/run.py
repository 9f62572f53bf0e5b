"""Runs of a captured network: the time loop around its step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.networks.captured import Captured, Generator, Monitor, Pathway
from neurocode.networks.delivery import Delivery
from neurocode.networks.event import EventDelivery
from neurocode.networks.lanes import Arrays
from neurocode.networks.mask import MaskDelivery
from neurocode.networks.program import Plan
from neurocode.networks.records import Seen, seen_in
from neurocode.networks.step import Fixed, State, Stepper, Surrogate

Array = jax.Array

#: Memory for what monitors record before it is handed over, in bytes.
MOST_BYTES = 200_000_000


def stepper_of(
    captured: Captured, plan: Plan, soft: bool, surrogate: Surrogate | None = None
) -> Stepper:
    """Step of a network; ``soft`` chooses the delivery that has derivatives."""
    kind = MaskDelivery if soft else EventDelivery
    deliveries: dict[str, Delivery] = {
        program.block.name: kind(program, captured.events[program.block.events])
        for program in plan.programs
        if isinstance(program.block.part, Pathway)
    }
    return Stepper(captured, plan, deliveries, surrogate, soft)


def start_of(
    stepper: Stepper, arrays: Mapping[str, Array], constants: Mapping[str, Array], key: Array
) -> tuple[State, Fixed]:
    """State at the start of a run, and what does not change in it."""
    plan, kind = stepper.plan, float if stepper.soft else bool
    names = stepper.deliveries.items()
    memory = {name: delivery.memory() for name, delivery in names}
    tables = {name: delivery.tables() for name, delivery in names}
    for program in plan.programs:
        if isinstance(program.block.part, Generator):
            neurons = jnp.asarray(np.append(program.block.part.neurons, 0))
            tables[program.block.name] = {"neurons": neurons}
    state = State(
        {key: jnp.array(value) for key, value in arrays.items() if key in plan.changed},
        {key: jnp.zeros(size, kind) for key, size in stepper.captured.events.items()},
        {name: content for name, content in memory.items() if content},
    )
    fixed = {key: jnp.asarray(value) for key, value in arrays.items() if key not in plan.changed}
    return state, Fixed(fixed, dict(constants), tables, key)


def generator_slots(plan: Plan, n_steps: int) -> dict[str, np.ndarray]:
    """For every spike generator, by step, its first spike and the one after its last."""
    return {
        program.block.name: _slots(program.block.part, plan.first, n_steps, program.period)
        for program in plan.programs
        if isinstance(program.block.part, Generator)
    }


def _slots(generator: Generator, first: int, n_steps: int, period: int) -> np.ndarray:
    slots = np.zeros((n_steps, 2), int)
    last = generator.last
    for step in range(n_steps):
        if (first + step) % period:
            continue
        now = (first + step) // period
        if generator.period > 0:
            now %= generator.period
            if last > 0 and generator.steps[last - 1] >= now:
                last = 0
        stop = max(last, int(np.searchsorted(generator.steps, now, side="right")))
        slots[step] = last, stop
        last = stop
    return slots


def with_widths(tables: dict[str, Arrays], slots: Mapping[str, np.ndarray]) -> dict[str, Arrays]:
    """Tables with the largest number of spikes that each generator emits in a step."""
    widths = {name: int(np.diff(slot, axis=1).max(initial=0)) for name, slot in slots.items()}
    return {
        name: {**table, "width": jnp.zeros(widths[name])} if name in widths else table
        for name, table in tables.items()
    }


def scanned(
    stepper: Stepper, state: State, fixed: Fixed, slots: Mapping[str, Array], steps: Array
) -> tuple[State, dict[str, Any]]:
    """Scan the step over time; records have the steps as their first axis."""

    def advance(state: State, slot: tuple) -> tuple[State, dict]:
        step, spikes = slot
        return stepper(state, fixed, step, spikes)

    return jax.lax.scan(advance, state, (steps, dict(slots)))


def bytes_per_step(captured: Captured, plan: Plan) -> int:
    """Memory that monitors need in each step."""
    total = 1
    for program in plan.programs:
        part = program.block.part
        if isinstance(part, Monitor):
            values = 8 * (len(part.variables) - 2 * (part.kind == "events"))
            total += values * len(part.indices) + (1 + max(values, 0)) * (part.stop - part.start)
    return total


class Runner:
    """Runs of one network, compiled once for each number of steps."""

    def __init__(self, captured: Captured, plan: Plan) -> None:
        self.captured, self.plan = captured, plan
        self.stepper = stepper_of(captured, plan, soft=False)
        self._scan = jax.jit(partial(scanned, self.stepper), donate_argnums=(0,))

    def __call__(
        self, n_steps: int, arrays: Mapping[str, Any], constants: Mapping[str, Any], seed: int
    ) -> tuple[dict[str, np.ndarray], list[dict[str, Seen]]]:
        """Run; arrays at the end, and what monitors see in pieces that follow each other."""
        with jax.enable_x64(True):
            key = jax.random.key(seed)
            values = {name: jnp.asarray(value, float) for name, value in constants.items()}
            state, fixed = start_of(self.stepper, arrays, values, key)
            slots = generator_slots(self.plan, n_steps)
            fixed = Fixed(fixed.arrays, fixed.constants, with_widths(fixed.tables, slots), key)
            n_pieces = -(-n_steps * bytes_per_step(self.captured, self.plan) // MOST_BYTES)
            length = -(-n_steps // max(1, n_pieces))
            pieces = []
            for start in range(0, n_steps, max(1, length)):
                stop = min(start + length, n_steps)
                part = {name: jnp.asarray(slot[start:stop]) for name, slot in slots.items()}
                steps = self.plan.first + jnp.arange(start, stop)
                state, records = self._scan(state, fixed, part, steps)
                pieces.append(seen_in(self.plan, jax.tree.map(np.asarray, records), start, stop))
            return jax.tree.map(np.asarray, state.arrays), pieces
