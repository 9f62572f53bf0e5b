"""One time step of a network: all blocks in Brian2's order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from neurocode.errors import ModelError
from neurocode.networks.captured import Captured, Monitor
from neurocode.networks.delivery import Arriving, Delivery
from neurocode.networks.draws import Draws
from neurocode.networks.lanes import Arrays, Lanes, Names, run_block
from neurocode.networks.program import Plan, Program
from neurocode.networks.records import recorded_names
from neurocode.simulation.evaluate import evaluate

Array = jax.Array
Surrogate = Callable[[Array], Array]


@dataclass(frozen=True)
class State:
    """What one step hands to the next: arrays, events of each source, and spikes on their way."""

    arrays: Arrays
    events: Arrays
    memory: dict[str, Arrays]


jax.tree_util.register_dataclass(State, ["arrays", "events", "memory"], [])


@dataclass(frozen=True)
class Fixed:
    """What no step changes: arrays, constants, tables of pathways and the random key."""

    arrays: Arrays
    constants: Arrays
    tables: dict[str, Arrays]
    key: Array


jax.tree_util.register_dataclass(Fixed, ["arrays", "constants", "tables", "key"], [])


@dataclass(frozen=True)
class Stepper:
    """The step of a network.

    Attributes
    ----------
    captured : Captured
    plan : Plan
    deliveries : dict of str to Delivery
        By the name of the pathway.
    surrogate : callable, optional
        Spike as a function of the distance to threshold, with a surrogate derivative.
    soft : bool
        Whether events are numbers, not truth values.
    """

    captured: Captured
    plan: Plan
    deliveries: Mapping[str, Delivery]
    surrogate: Surrogate | None = None
    soft: bool = False

    def __call__(
        self, state: State, fixed: Fixed, step: Array, slots: Mapping[str, Array]
    ) -> tuple[State, dict[str, Any]]:
        """Run all blocks once.

        Parameters
        ----------
        state : State
        fixed : Fixed
        step : jax.Array
            Number of the step, counted by the fastest clock from time zero.
        slots : mapping of str to jax.Array
            For every spike generator the first spike of the step and the one after the last.

        Returns
        -------
        state : State
        records : dict of str to object
            What each monitor sees.
        """
        records: dict[str, Any] = {}
        for program in self.plan.programs:
            run = _Run(self, program, fixed, step, slots.get(program.block.name))
            state, record = run.at_its_steps(state)
            if isinstance(program.block.part, Monitor):
                records[program.block.name] = record
        return state, records


@dataclass(frozen=True)
class _Run:
    """One block in one step."""

    stepper: Stepper
    program: Program
    fixed: Fixed
    step: Array
    slot: Array | None

    def __call__(self, state: State) -> tuple[State, Any]:
        return getattr(self, self.program.block.template)(state)

    def at_its_steps(self, state: State) -> tuple[State, Any]:
        """Run the block if its clock ticks in this step."""
        if self.program.period == 1:
            return self(state)
        ticks = self.step % self.program.period == 0
        return lax.cond(ticks, lambda s: self(s), lambda s: self._nothing(s), state)

    def _nothing(self, state: State) -> tuple[State, Any]:
        """What happens between the steps of a slow clock: zeros are recorded."""
        shape = jax.eval_shape(lambda s: self(s), state)[1]
        return state, jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shape)

    @property
    def key(self) -> Array:
        return jax.random.fold_in(
            jax.random.fold_in(self.fixed.key, self.program.number), self.step
        )

    def arrays(self, state: State) -> Arrays:
        """All arrays, with the times of the clocks."""
        times = {}
        for name, (period, dt) in self.stepper.plan.clocks.items():
            # after its tick a clock shows the time of its next one
            number = -(-self.step // period)
            times[f"{name}.timestep"] = number[None]
            times[f"{name}.t"] = (number * dt)[None]
            times[f"{name}.dt"] = jnp.array([dt])
        return {**self.fixed.arrays, **state.arrays, **times}

    def _ran(self, state: State, lanes: Lanes) -> tuple[State, Names]:
        arrays = self.arrays(state)
        if self.program.writes.ordered and lanes.ids is None and lanes.mask is None:
            return self._ordered(state, lanes)
        changed, names = run_block(self.program, arrays, self.fixed.constants, lanes, self.key)
        return _changed(state, changed), names

    def _ordered(self, state: State, lanes: Lanes) -> tuple[State, Names]:
        """Run lane after lane."""
        if self.stepper.soft:
            raise ModelError(
                f"'{self.program.block.name}' writes '{self.program.writes.ordered}' in an order "
                f"that matters, so that the network has no derivatives; run() covers it."
            )
        arrays = self.arrays(state)

        def body(lane: Array, changed: Arrays) -> Arrays:
            one = Lanes(1, lane[None])
            constants = self.fixed.constants
            return run_block(self.program, {**arrays, **changed}, constants, one, self.key, True)[0]

        start = {key: arrays[key] for key in self.program.changed}
        changed = lax.fori_loop(0, lanes.size, body, start)
        names = Names(self.program, arrays, self.fixed.constants, lanes)
        return _changed(state, changed), names

    def stateupdate(self, state: State) -> tuple[State, None]:
        return self._ran(state, Lanes(self.program.block.size))[0], None

    def threshold(self, state: State) -> tuple[State, None]:
        block = self.program.block
        state, names = self._ran(state, Lanes(block.size))
        spikes = jnp.broadcast_to(names["_cond"], (block.size,))
        events = self._soft(spikes, names) if self.stepper.soft else spikes
        arrays = dict(state.arrays)
        if block.refractory:
            refractory, last = block.refractory
            now = self.step // self.program.period * self.stepper.plan.clocks[block.clock][1]
            arrays[refractory] = arrays[refractory] & ~spikes
            arrays[last] = jnp.where(spikes, now, arrays[last])
        return State(arrays, {**state.events, block.events: events}, state.memory), None

    def _soft(self, spikes: Array, names: Names) -> Array:
        """Spikes as numbers; their derivative is that of the surrogate in the margin."""
        hard = spikes.astype(float)
        if self.stepper.surrogate is None:
            return hard
        margin = threshold_margin(self.program)
        if margin is None:
            return hard
        functions = self.program.functions(Draws(self.key, self.program.block.size))
        distance = evaluate(margin[0], names, None, functions)
        smooth = self.stepper.surrogate(distance)
        for gate in margin[1]:
            smooth = jnp.where(evaluate(gate, names, None, functions), smooth, 0.0)
        return hard + smooth - lax.stop_gradient(smooth)

    def reset(self, state: State) -> tuple[State, None]:
        events = state.events[self.program.block.events]
        soft = events if self.stepper.soft else None
        lanes = Lanes(len(events), mask=events > 0.5 if self.stepper.soft else events, soft=soft)
        if self.program.writes.ordered:
            raise ModelError(
                f"'{self.program.block.name}' writes '{self.program.writes.ordered}' of several "
                f"neurons in an order that matters, which is not covered."
            )
        return self._ran(state, lanes)[0], None

    def synapses(self, state: State) -> tuple[State, None]:
        name, period = self.program.block.name, self.program.period
        first = -(-self.stepper.plan.first // period)
        step = self.step // period
        arriving = Arriving(
            self.arrays(state),
            self.fixed.constants,
            state.memory.get(name, {}),
            self.fixed.tables[name],
            state.events[self.program.block.events],
            step,
            step - first,
            self.key,
        )
        changed, memory = self.stepper.deliveries[name](arriving)
        memories = {**state.memory, name: memory} if memory else state.memory
        return State({**state.arrays, **changed}, state.events, memories), None

    def summed_variable(self, state: State) -> tuple[State, None]:
        part = self.program.block.total
        _, names = self._ran(state, Lanes(self.program.block.size))
        values = jnp.broadcast_to(names["_synaptic_var"], (self.program.block.size,))
        arrays = self.arrays(state)
        target = arrays[part.target].at[part.start : part.stop].set(0)
        target = target.at[arrays[part.index]].add(values)
        return _changed(state, {part.target: target}), None

    def spikegenerator(self, state: State) -> tuple[State, None]:
        block, slot = self.program.block, self.slot
        assert slot is not None, "every generator has one"
        spikes = self.fixed.tables[block.name]["neurons"]
        width = self.fixed.tables[block.name]["width"].shape[0]
        place = slot[0] + jnp.arange(width)
        size = self.stepper.captured.events[block.events]
        neurons = jnp.where(place < slot[1], spikes.at[place].get(mode="clip"), size)
        events = jnp.zeros(size, bool).at[neurons].set(True, mode="drop")
        events = events.astype(float) if self.stepper.soft else events
        return State(state.arrays, {**state.events, block.events: events}, state.memory), None

    def statemonitor(self, state: State) -> tuple[State, dict[str, Array]]:
        part = self.program.block.monitor
        lanes = Lanes(len(part.indices), jnp.asarray(part.indices))
        return state, self._recorded(state, lanes, part.variables)

    def spikemonitor(self, state: State) -> tuple[State, tuple[Array, dict[str, Array]]]:
        part = self.program.block.monitor
        events = state.events[self.program.block.events][part.start : part.stop]
        lanes = Lanes(part.stop - part.start, jnp.arange(part.start, part.stop))
        return state, (events, self._recorded(state, lanes, recorded_names(part)))

    def ratemonitor(self, state: State) -> tuple[State, Array]:
        part = self.program.block.monitor
        events = state.events[self.program.block.events][part.start : part.stop]
        dt = self.stepper.plan.clocks[self.program.block.clock][1]
        return state, events.sum() / dt / (part.stop - part.start)

    def _recorded(self, state: State, lanes: Lanes, variables: Any) -> dict[str, Array]:
        _, names = self._ran(state, lanes)
        return {
            name: jnp.broadcast_to(names[f"_to_record_{name}"], (lanes.size,)) for name in variables
        }


def _changed(state: State, arrays: Arrays) -> State:
    return State({**state.arrays, **arrays}, state.events, state.memory)


def threshold_margin(program: Program) -> tuple[ast.expr, list[ast.expr]] | None:
    """Distance to threshold in a condition, and the other conditions that must hold.

    None where the condition compares with a random number, whose spikes have no surrogate.

    Raises
    ------
    ModelError
        If the condition does not compare two values exactly once.
    """
    tree = program.vector[-1].expression
    parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    compared = [each for each in parts if isinstance(each, ast.Compare)]
    order = type(compared[0].ops[0]) if len(compared) == 1 else None
    if order not in (ast.Gt, ast.GtE, ast.Lt, ast.LtE):
        raise ModelError(
            f"The threshold of '{program.block.owner}', '{ast.unparse(tree)}', has no single "
            f"distance to threshold for a surrogate derivative."
        )
    called = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    if any(isinstance(name, ast.Name) and name.id in ("rand", "randn") for name in called):
        return None
    left, right = compared[0].left, compared[0].comparators[0]
    if order in (ast.Lt, ast.LtE):
        left, right = right, left
    gates = [each for each in parts if each is not compared[0]]
    return ast.BinOp(left, ast.Sub(), right), gates
