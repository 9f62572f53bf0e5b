"""Delivery of spikes one after another, as Brian2 does: exact and fast, without derivatives."""

from __future__ import annotations

import math
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from neurocode.networks.delivery import Arriving
from neurocode.networks.lanes import Arrays, Lanes, run_block
from neurocode.networks.program import Program
from neurocode.networks.rows import Rows, rows_of

Array = jax.Array

#: Most delays that are written out; more of them are looped over.
MOST_UNROLLED = 4


class EventDelivery:
    """What one pathway does in a step.

    Parameters
    ----------
    program : Program
        Program of a pathway.
    n_sources : int
        Number of possible sources of events.
    """

    def __init__(self, program: Program, n_sources: int) -> None:
        self.program, self.n_sources = program, n_sources
        self.pathway = program.block.pathway
        self.rows: Rows = rows_of(self.pathway, n_sources, bool(program.writes.ordered))
        self.side = max(1, math.isqrt(n_sources))
        self.blocks = -(-n_sources // self.side)
        self.depth = max(self.rows.delays, default=0) + 1

    def memory(self) -> Arrays:
        """Spikes of earlier steps, none so far."""
        return (
            {} if self.depth == 1 else {"": jnp.zeros((self.depth, self.blocks, self.side), bool)}
        )

    def tables(self) -> Arrays:
        """Arrays that do not change."""
        rows = self.rows
        tables = {"order": rows.order, "starts": rows.starts, "lengths": rows.lengths}
        tables["reaching"] = (rows.lengths.sum(axis=0) > 0)[: self.n_sources]
        if self.pathway.pending:
            longest = max(map(len, self.pathway.pending))
            tables["pending"] = np.array(
                [np.pad(p, (0, longest - len(p)), constant_values=-1) for p in self.pathway.pending]
            )
        return {name: jnp.asarray(table, jnp.int32) for name, table in tables.items()}

    def __call__(self, arriving: Arriving) -> tuple[Arrays, Arrays]:
        """Deliver the spikes that arrive in a step."""
        arrays, memory, tables = arriving.arrays, arriving.memory, arriving.tables
        step = arriving.step

        def reach(changed: Arrays, ids: Array, valid: Array) -> Arrays:
            lanes = Lanes(len(ids), jnp.where(valid, ids, 0), valid)
            constants, key, one = arriving.constants, arriving.key, len(ids) == 1
            return run_block(self.program, {**arrays, **changed}, constants, lanes, key, one)[0]

        changed = {name: arrays[name] for name in self.program.changed}
        if "pending" in tables:
            changed = self._pending(changed, tables["pending"], arriving.since, reach)
        if not len(self.pathway.sources):
            return changed, memory
        spikes = arriving.events & (tables["reaching"] > 0)
        spikes = jnp.pad(spikes, (0, self.blocks * self.side - self.n_sources))
        spikes = spikes.reshape(self.blocks, self.side)
        if self.depth > 1:
            memory = {"": memory[""].at[step % self.depth].set(spikes)}
        past = jnp.asarray(self.rows.delays, jnp.int32)

        def of_delay(number: Array | int, changed: Arrays) -> Arrays:
            then = spikes
            if self.depth > 1:
                then = memory[""][(step - past[number]) % self.depth]
            return self._spikes(changed, then, tables, number, reach)

        if len(self.rows.delays) <= MOST_UNROLLED:
            for number in range(len(self.rows.delays)):
                changed = of_delay(number, changed)
        else:
            changed = lax.fori_loop(0, len(self.rows.delays), of_delay, changed)
        return changed, memory

    def _pending(self, changed: Arrays, pending: Array, since: Array, reach: Callable) -> Arrays:
        """Reach synapses for spikes from before the run."""
        ids = pending[jnp.minimum(since, len(pending) - 1)]
        valid = (ids >= 0) & (since < len(pending))
        if not self.program.writes.ordered:
            return lax.cond(
                since < len(pending), lambda c: reach(c, ids, valid), lambda c: c, changed
            )

        def body(i: Array, changed: Arrays) -> Arrays:
            return reach(changed, ids[i][None], valid[i][None])

        return lax.fori_loop(0, valid.sum(), body, changed)

    def _spikes(
        self, changed: Arrays, spikes: Array, tables: Arrays, number: Array | int, reach: Callable
    ) -> Arrays:
        """Reach the synapses of one delay, spike after spike."""
        width = jnp.arange(self.rows.width)

        def body(state: tuple) -> tuple:
            spikes, waiting, changed = state
            sources = []
            for _ in range(self.rows.rows):
                spikes, waiting, source = self._next(spikes, waiting)
                sources.append(source)
            source = jnp.stack(sources)
            start, length = tables["starts"][number, source], tables["lengths"][number, source]
            if self.rows.several:
                changed = self._row(changed, start[0], length[0], tables, reach)
            else:
                place = (start[:, None] + width).ravel()
                valid = (width < length[:, None]).ravel()
                changed = reach(changed, tables["order"].at[place].get(mode="clip"), valid)
            return spikes, waiting, changed

        state = (spikes, spikes.any(axis=1), changed)
        return lax.while_loop(lambda state: state[1].any(), body, state)[2]

    def _next(self, spikes: Array, waiting: Array) -> tuple[Array, Array, Array]:
        """Take the first spike away; its source, or the number of sources if there is none."""
        block = jnp.argmax(waiting)
        row = spikes[block]
        place = jnp.argmax(row)
        source = jnp.where(waiting[block], block * self.side + place, self.n_sources)
        row = row.at[place].set(False)
        return spikes.at[block].set(row), waiting.at[block].set(row.any()), source

    def _row(
        self, changed: Arrays, start: Array, length: Array, tables: Arrays, reach: Callable
    ) -> Arrays:
        """Reach a row in several passes."""
        width = jnp.arange(self.rows.width)

        def body(state: tuple) -> tuple:
            done, changed = state
            place = start + done + width
            ids = tables["order"].at[place].get(mode="clip")
            return done + self.rows.width, reach(changed, ids, done + width < length)

        state = (jnp.zeros((), length.dtype), changed)
        return lax.while_loop(lambda state: state[0] < length, body, state)[1]
