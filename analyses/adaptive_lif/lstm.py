"""Long short-term memory (Hochreiter & Schmidhuber 1997; the cell of Equinox) in place of spiking
neurons."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.learning import Dense, Output, Task

Array = jax.Array


class LongShortTermMemory(Output):
    """Cells that receive the input directly, and a linear map of their state in every step.

    Parameters
    ----------
    n_in, units, n_out : int
    dt : float
        Time step in seconds.
    key : jax.Array
        The bias of the forget gates starts at one.
    """

    cell: eqx.nn.LSTMCell
    connection: Dense
    dt: float = eqx.field(static=True)

    def __init__(self, n_in: int, units: int, n_out: int, dt: float, *, key: Array) -> None:
        first, second = jax.random.split(key)
        cell = eqx.nn.LSTMCell(n_in, units, key=first)
        # The gates are in the order input, forget, cell, output.
        self.cell = eqx.tree_at(
            lambda part: part.bias, cell, cell.bias.at[units : 2 * units].set(1.0)
        )
        self.connection, self.dt = Dense(units, n_out, key=second), dt

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return self.cell.input_size

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.connection.n_out

    def __call__(
        self, x: Array, key: Array | None = None, *, training: bool = False, adjoint: bool = True
    ) -> Array:
        """Outputs (time, batch, n_out) for inputs (time, batch, n_in)."""
        zero = jnp.zeros((x.shape[1], self.cell.hidden_size), x.dtype)

        def visit(state: tuple[Array, Array], inputs: Array) -> tuple[tuple[Array, Array], Array]:
            state = jax.vmap(self.cell)(inputs, state)
            return state, state[0]

        return self.connection(jax.lax.scan(visit, (zero, zero), x)[1])


def matched_units(parameters: int, task: Task) -> int:
    """Return the number of cells that brings the number of learned values nearest to
    ``parameters``."""

    def size(units: int) -> int:
        return 4 * units * (task.n_inputs + units + 1) + (units + 1) * task.n_outputs

    return min(range(1, 1000), key=lambda units: abs(size(units) - parameters))
