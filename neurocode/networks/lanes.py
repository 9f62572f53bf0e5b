"""Run the statements of a block over lanes: neurons, synapses, or those that a spike reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp

from neurocode.networks.code import Assignment
from neurocode.networks.draws import ONCE, Draws
from neurocode.networks.program import Program
from neurocode.simulation.evaluate import evaluate

Array = jax.Array
Arrays = dict[str, Array]

OPERATORS: dict[str, Callable[[Array, Array], Array]] = {
    "+=": lambda a, b: a + b,
    "-=": lambda a, b: a - b,
    "*=": lambda a, b: a * b,
    "/=": lambda a, b: a / b,
    "%=": lambda a, b: a % b,
    "**=": lambda a, b: a**b,
    "//=": jnp.floor_divide,
}


@dataclass(frozen=True)
class Lanes:
    """Which entries of a group a block runs on.

    Attributes
    ----------
    size : int
        Number of lanes.
    ids : jax.Array, optional
        Entry of each lane; without it all entries, in order.
    mask : jax.Array, optional
        Lanes that count; the others leave no trace.
    soft : jax.Array, optional
        The mask as numbers that carry a surrogate derivative.
    """

    size: int
    ids: Array | None = None
    mask: Array | None = None
    soft: Array | None = None

    def masked(self, new: Array, old: Array | float) -> Array:
        """``new`` in lanes that count and ``old`` elsewhere, with the derivative of the mask."""
        if self.mask is None:
            return new
        value = jnp.where(self.mask, new, old)
        if self.soft is None or not jnp.issubdtype(value.dtype, jnp.floating):
            return value
        jump = jax.lax.stop_gradient(new - old)
        jump = jnp.where(jnp.isfinite(jump), jump, 0.0)
        return value + (self.soft - jax.lax.stop_gradient(self.soft)) * jump


@dataclass(frozen=True)
class Names:
    """Values of the names of a block, read from arrays when first asked for."""

    program: Program
    arrays: Mapping[str, Array]
    constants: Mapping[str, Array]
    lanes: Lanes | None
    values: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str, /) -> Any:
        if name not in self.values:
            self.values[name] = self._read(name)
        return self.values[name]

    def _read(self, name: str) -> Array | float:
        block = self.program.block
        if name in block.literals:
            return block.literals[name]
        if name in block.constants:
            return self.constants[block.constants[name]]
        reference = block.references[name]
        array = self.arrays[reference.key]
        if reference.index == "0":
            return array[0]
        position = self.position(reference.index)
        return array if position is None else array[position]

    def position(self, index: str) -> Array | None:
        """Entries that lanes have in arrays of an index; None means all in order."""
        if index == "_idx":
            return None if self.lanes is None else self.lanes.ids
        return self[index]


def run_block(
    program: Program,
    arrays: Mapping[str, Array],
    constants: Mapping[str, Array],
    lanes: Lanes,
    key: Array,
    one: bool = False,
) -> tuple[Arrays, Names]:
    """Run all statements of a block.

    Parameters
    ----------
    program : Program
    arrays, constants : mapping of str to jax.Array
    lanes : Lanes
    key : jax.Array
        Random key of the block in this step.
    one : bool
        Whether there is a single lane, which may write anything.

    Returns
    -------
    changed : dict of str to jax.Array
        Arrays that the block has written.
    names : Names
        Values of all names after the last statement.
    """
    key_per_lane = program.block.template == "synapses" or lanes.ids is not None
    numbers = lanes.ids if lanes.ids is not None else jnp.arange(lanes.size)
    changed, made = _run_once(program, arrays, constants, key)
    names = Names(program, {**arrays, **changed}, constants, lanes, made)
    draws = Draws(key, numbers if key_per_lane else lanes.size)
    functions = program.functions(draws)
    changes: dict[str, Array] = {}
    for line in program.vector:
        if not one and line.name in program.writes.added + program.writes.scaled:
            _gather_change(changes, line, names, draws, functions)
        else:
            names.values[line.name] = _assigned(line, names, draws, functions)
    for name in sorted(_written(program)):
        target = program.block.references[name].key
        start = changed.get(target, arrays[target])
        changed[target] = _write(name, start, names, changes, lanes, one)
    return changed, names


def _run_once(
    program: Program, arrays: Mapping[str, Array], constants: Mapping[str, Array], key: Array
) -> tuple[Arrays, dict[str, Array]]:
    """Run the statements that all lanes share; changed arrays, and the values of their names."""
    draws = Draws(jax.random.fold_in(key, ONCE), None)
    functions = program.functions(draws)
    changed: Arrays = {}
    names = Names(program, arrays, constants, None)
    for line in program.scalar:
        value = _assigned(line, names, draws, functions)
        names.values[line.name] = value
        if line.name in program.block.references:
            target = program.block.references[line.name].key
            changed[target] = arrays[target].at[0].set(value)
    return changed, {line.name: names.values[line.name] for line in program.scalar}


def _written(program: Program) -> set[str]:
    return {line.name for line in program.vector if line.name in program.block.references}


def _assigned(line: Assignment, names: Names, draws: Draws, functions: Mapping) -> Array:
    """Value of a variable after a line."""
    value = _value(line, names, draws, functions)
    if line.operator in OPERATORS:
        value = OPERATORS[line.operator](names[line.name], value)
    reference = names.program.block.references.get(line.name)
    if reference is None:
        value = _of_kind(value, line.kind)
    else:
        value = _cast(value, names.arrays[reference.key].dtype)
    condition = names.program.block.conditions.get(line.name)
    return value if condition is None else jnp.where(names[condition], value, names[line.name])


def _gather_change(
    changes: dict[str, Array], line: Assignment, names: Names, draws: Draws, functions: Mapping
) -> None:
    """Add what a line adds, or multiply by what it scales with."""
    value = _value(line, names, draws, functions)
    scales = line.operator in ("*=", "/=")
    value = {"-=": lambda v: -v, "/=": lambda v: 1 / v}.get(line.operator, lambda v: v)(value)
    condition = names.program.block.conditions.get(line.name)
    if condition is not None:
        value = jnp.where(names[condition], value, float(scales))
    before = changes.get(line.name)
    if before is not None:
        value = before * value if scales else before + value
    changes[line.name] = value


def _value(line: Assignment, names: Names, draws: Draws, functions: Mapping) -> Array:
    names.values.update(line.numbers)
    if line.switch is None:
        return evaluate(line.expression, names, draws, functions)
    condition, true, false = line.switch
    return jnp.where(
        names[condition],
        evaluate(true, names, draws, functions),
        evaluate(false, names, draws, functions),
    )


def _of_kind(value: Array, kind: str) -> Array:
    if kind == "integer":
        return _cast(value, jnp.dtype(jnp.int64)) if _is_decimal(value) else value
    return value


def _is_decimal(value: Array) -> bool:
    return jnp.issubdtype(jnp.asarray(value).dtype, jnp.floating)


def _cast(value: Array, dtype: jnp.dtype) -> Array:
    """Convert as an assignment in C does: decimals are cut off."""
    if jnp.issubdtype(dtype, jnp.integer) and _is_decimal(value):
        value = jnp.trunc(value)
    return jnp.asarray(value).astype(dtype)


def _write(
    name: str, array: Array, names: Names, changes: Mapping[str, Array], lanes: Lanes, one: bool
) -> Array:
    """An array after all lanes have written a name to it."""
    program = names.program
    index = program.block.references[name].index
    position = names.position(index)
    if not one and name in program.writes.set:
        return _set_all(array, position, names[name], lanes)
    if not one and name in program.writes.added:
        change = _cast(lanes.masked(_full(changes[name], lanes), 0.0), array.dtype)
        return array.at[_reached(position, lanes, len(array))].add(change, mode="drop")
    if not one and name in program.writes.scaled:
        factor = lanes.masked(_full(changes[name], lanes), 1.0)
        return array.at[_reached(position, lanes, len(array))].multiply(factor, mode="drop")
    new = _full(names[name], lanes)
    if position is None:
        return lanes.masked(new, array).astype(array.dtype)
    if lanes.ids is None:
        new = lanes.masked(new, array[position]).astype(array.dtype)
    return array.at[_reached(position, lanes, len(array))].set(new, mode="drop")


def _set_all(array: Array, position: Array | None, value: Array, lanes: Lanes) -> Array:
    mask = jnp.ones(lanes.size, bool) if lanes.mask is None else lanes.mask
    everywhere = jnp.arange(lanes.size) if position is None else position
    hit = jnp.zeros(array.shape, bool).at[everywhere].max(mask, mode="drop")
    return jnp.where(hit, value, array).astype(array.dtype)


def _full(value: Array, lanes: Lanes) -> Array:
    return jnp.broadcast_to(value, (lanes.size,))


def _reached(position: Array | None, lanes: Lanes, beyond: int) -> Array:
    """Entries to write; lanes that do not count point beyond the end when they are a selection."""
    if position is None:
        position = jnp.arange(lanes.size)
    if lanes.ids is None or lanes.mask is None:
        return position
    return jnp.where(lanes.mask, position, beyond)
