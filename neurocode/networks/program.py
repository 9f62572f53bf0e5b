"""A captured network prepared for the engines: trees, kinds of writes, and the steps of clocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.networks.captured import (
    BinomialDraws,
    Block,
    Captured,
    Sum,
    TimedValues,
    first_step,
)
from neurocode.networks.code import Assignment, assignments, truth_names
from neurocode.networks.draws import Draws
from neurocode.networks.writes import Writes, writes_of
from neurocode.simulation.evaluate import FUNCTIONS

Array = jax.Array

#: Clocks count as multiples of each other within this fraction of a step; Brian2 allows 1e-4.
CLOCK_TOLERANCE = 1e-9


@dataclass(frozen=True)
class Program:
    """One block, ready to be run in every step of its clock.

    Attributes
    ----------
    block : Block
    number : int
        Place among the blocks; it enters the random keys.
    scalar, vector : tuple of Assignment
    writes : Writes
    period : int
        Steps of the network between two steps of the block.
    changed : tuple of str
        Keys of the arrays that the block writes.
    """

    block: Block
    number: int
    scalar: tuple[Assignment, ...]
    vector: tuple[Assignment, ...]
    writes: Writes
    period: int
    changed: tuple[str, ...]

    def functions(self, random: Draws) -> dict[str, Callable]:
        """All functions that the block may call."""
        extra = {n: _callable(f, random) for n, f in self.block.functions.items()}
        return {
            **FUNCTIONS,
            "floor_divide": jnp.floor_divide,
            "timestep": _timestep,
            "poisson": random.poisson,
            **extra,
        }


@dataclass(frozen=True)
class Plan:
    """All programs of a network.

    Attributes
    ----------
    programs : tuple of Program
    dt : float
        Shortest time step, in seconds.
    first : int
        Step at which a run starts.
    clocks : dict of str to (int, float)
        Steps of the network in a step of each clock, and its time step.
    changed : frozenset of str
        Keys of all arrays that programs write.
    """

    programs: tuple[Program, ...]
    dt: float
    first: int
    clocks: Mapping[str, tuple[int, float]]
    changed: frozenset[str]

    def step_of(self, t: float) -> int:
        """Step that a time belongs to, as Brian2 rounds it."""
        return first_step(t, self.dt)


def plan_of(captured: Captured) -> Plan:
    """Prepare a captured network.

    Raises
    ------
    ModelError
        If a clock is not a whole multiple of the fastest one.
    """
    dt = min(captured.clocks.values())
    clocks = {name: (_period(name, step, dt), step) for name, step in captured.clocks.items()}
    kinds = {key: value.dtype.kind for key, value in captured.arrays.items()}
    programs = tuple(
        _program(number, block, kinds, clocks[block.clock][0], captured.arrays)
        for number, block in enumerate(captured.blocks)
    )
    changed = frozenset(key for program in programs for key in program.changed)
    return Plan(programs, dt, first_step(captured.t, dt), clocks, changed)


def _period(name: str, step: float, dt: float) -> int:
    period = round(step / dt)
    if abs(step / dt - period) > CLOCK_TOLERANCE * period:
        raise ModelError(
            f"The clock '{name}' has a step of {step:g} s, which is not a whole multiple of "
            f"{dt:g} s; such clocks are not covered."
        )
    return period


def _program(
    number: int,
    block: Block,
    kinds: Mapping[str, str],
    period: int,
    arrays: Mapping[str, np.ndarray],
) -> Program:
    truths = truth_names(block, kinds)
    scalar, vector = assignments(block.scalar, truths), assignments(block.vector, truths)
    unique = frozenset(
        name
        for name, reference in block.references.items()
        if reference.index == "_idx" and _no_repeats(arrays.get(reference.key))
    )
    writes = writes_of(block, vector, unique | {"_idx"})
    changed = [
        block.references[each.name].key for each in scalar + vector if each.name in block.references
    ]
    changed += block.refractory
    if isinstance(block.part, Sum):
        changed.append(block.part.target)
    return Program(block, number, scalar, vector, writes, period, tuple(sorted(set(changed))))


def _no_repeats(index: np.ndarray | None) -> bool:
    return index is not None and index.dtype.kind == "i" and len(np.unique(index)) == len(index)


def _timestep(t: Array, dt: Array) -> Array:
    return jnp.trunc((t + 1e-3 * dt) / dt)


def _callable(function: Callable | BinomialDraws | TimedValues, random: Draws) -> Callable:
    if isinstance(function, BinomialDraws):
        return lambda: random.binomial(function)
    if not isinstance(function, TimedValues):
        return function
    values = jnp.asarray(function.values)
    epsilon = function.dt / function.upsampling

    def value(t: Array, *column: Array) -> Array:
        row = jnp.trunc((t / epsilon + 0.5) / function.upsampling).astype(int)
        row = jnp.clip(row, 0, len(function.values) - 1)
        if not column:
            return values[row]
        number = jnp.asarray(column[0]).astype(int)
        outside = (number < 0) | (number >= function.values.shape[1])
        return jnp.where(outside, jnp.nan, values[row, jnp.where(outside, 0, number)])

    return value
