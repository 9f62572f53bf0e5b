"""Delivery of spikes to all synapses at once, which has derivatives in both directions."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.networks.delivery import Arriving
from neurocode.networks.lanes import Arrays, Lanes, run_block
from neurocode.networks.program import Program

Array = jax.Array


class MaskDelivery:
    """What one pathway does in a step; see :class:`neurocode.networks.event.EventDelivery`.

    Raises
    ------
    ModelError
        If the result depends on the order of the synapses.
    """

    def __init__(self, program: Program, n_sources: int) -> None:
        require_no_order(program)
        self.program, self.n_sources = program, n_sources
        self.pathway = program.block.pathway
        self.depth = int(self.pathway.delays.max(initial=0)) + 1

    def memory(self) -> Arrays:
        """Spikes of earlier steps as numbers, none so far."""
        return {} if self.depth == 1 else {"": jnp.zeros((self.depth, self.n_sources))}

    def tables(self) -> Arrays:
        """Arrays that do not change."""
        tables = {"sources": self.pathway.sources, "delays": self.pathway.delays}
        if self.pathway.pending:
            reached = np.zeros((len(self.pathway.pending), len(self.pathway.sources)), bool)
            for step, synapses in enumerate(self.pathway.pending):
                reached[step, synapses] = True
            tables["pending"] = reached
        return {name: jnp.asarray(table) for name, table in tables.items()}

    def __call__(self, arriving: Arriving) -> tuple[Arrays, Arrays]:
        """Deliver the spikes that arrive in a step."""
        memory, tables, step = arriving.memory, arriving.tables, arriving.step
        n_synapses = len(self.pathway.sources)
        if not n_synapses:
            return {}, memory
        if self.depth > 1:
            memory = {"": memory[""].at[step % self.depth].set(arriving.events)}
            soft = memory[""][(step - tables["delays"]) % self.depth, tables["sources"]]
        else:
            soft = arriving.events[tables["sources"]]

        def reach(changed: Arrays, lanes: Lanes) -> Arrays:
            arrays = {**arriving.arrays, **changed}
            return run_block(self.program, arrays, arriving.constants, lanes, arriving.key)[0]

        changed = {name: arriving.arrays[name] for name in self.program.changed}
        if "pending" in tables:  # older spikes come first, also at the same synapse
            pending, since = tables["pending"], arriving.since
            reached = pending[jnp.minimum(since, len(pending) - 1)]
            changed = jax.lax.cond(
                since < len(pending),
                lambda changed: reach(changed, Lanes(n_synapses, mask=reached)),
                lambda changed: changed,
                changed,
            )
        return reach(changed, Lanes(n_synapses, mask=soft > 0.5, soft=soft)), memory


def require_no_order(program: Program) -> None:
    """Refuse a block whose derivative would depend on the order of its lanes.

    Raises
    ------
    ModelError
    """
    writes = program.writes
    names = [n for n in (writes.ordered, *writes.scaled, *writes.set) if n]
    if names:
        raise ModelError(
            f"'{program.block.name}' writes '{names[0]}' in an order that matters, so that the "
            f"network has no derivatives; run() covers it."
        )
