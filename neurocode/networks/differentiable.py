"""A run as a pure function of values, with derivatives in both directions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.networks.captured import Captured, Monitor
from neurocode.networks.program import Plan
from neurocode.networks.records import kept_rows
from neurocode.networks.run import (
    generator_slots,
    scanned,
    start_of,
    stepper_of,
    with_widths,
)
from neurocode.networks.step import Fixed, Stepper, Surrogate, threshold_margin

Array = jax.Array


@dataclass(frozen=True)
class Recorded:
    """What the monitors of a network see, as JAX arrays in SI.

    Attributes
    ----------
    spikes : dict of str to jax.Array, shape (steps, neurons)
        Ones and zeros, by the name of the monitor.
    states : dict of str to dict of str to jax.Array, shape (steps, entries)
        By the name of the monitor and of the variable.
    rates : dict of str to jax.Array, shape (steps,)
        In hertz, by the name of the monitor.
    final : dict of str to jax.Array
        Arrays that the run has changed, at its end.
    """

    spikes: dict[str, Array]
    states: dict[str, dict[str, Array]]
    rates: dict[str, Array]
    final: dict[str, Array]


jax.tree_util.register_dataclass(Recorded, ["spikes", "states", "rates", "final"], [])


def network_function(
    captured: Captured, plan: Plan, n_steps: int, surrogate: Surrogate | None, seed: int
) -> Callable[[Mapping[str, Any]], Recorded]:
    """The run of a network as a function of a dictionary of values.

    Raises
    ------
    ModelError
        If the order of synapses matters, or if a threshold has no margin for the surrogate.
    """
    stepper = stepper_of(captured, plan, soft=True, surrogate=surrogate)
    if surrogate is not None:
        for program in plan.programs:
            if program.block.template == "threshold":
                threshold_margin(program)
    compiled = jax.jit(partial(_recorded, stepper, n_steps, seed))

    def run(values: Mapping[str, Any]) -> Recorded:
        for name, value in values.items():
            if jnp.result_type(value) == jnp.float32:
                raise ModelError(
                    f"'{name}' is in float32, only float64 is covered: call the function and its "
                    f"derivatives inside jax.enable_x64(True)."
                )
        with jax.enable_x64(True):
            return compiled(dict(values))

    return run


def _recorded(stepper: Stepper, n_steps: int, seed: int, values: dict[str, Array]) -> Recorded:
    captured, plan = stepper.captured, stepper.plan
    arrays = {k: values.get(k, jnp.asarray(v)) for k, v in captured.arrays.items()}
    constants = {k: values.get(k, jnp.asarray(v)) for k, v in captured.constants.items()}
    state, fixed = start_of(stepper, arrays, constants, jax.random.key(seed))
    slots = generator_slots(plan, n_steps)
    tables = with_widths(fixed.tables, slots)
    fixed = Fixed(fixed.arrays, fixed.constants, tables, fixed.key)
    steps = plan.first + jnp.arange(n_steps)
    slots = {name: jnp.asarray(slot) for name, slot in slots.items()}
    state, records = scanned(stepper, state, fixed, slots, steps)
    spikes, states, rates = {}, {}, {}
    for program in plan.programs:
        part, name = program.block.part, program.block.name
        if not isinstance(part, Monitor):
            continue
        rows = kept_rows(plan, n_steps, program.period)
        if part.kind == "events":
            spikes[name] = records[name][0][rows]
        elif part.kind == "rate":
            rates[name] = records[name][rows]
        else:
            states[name] = {key: value[rows] for key, value in records[name].items()}
    return Recorded(spikes, states, rates, state.arrays)
