"""A readout of leaky integrators."""

from __future__ import annotations

import math

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import DTypeLike

from neurocode.errors import ModelError
from neurocode.learning.connections import Connection, project
from neurocode.learning.output import Output
from neurocode.learning.random_numbers import required

Array = jax.Array
State = tuple[Array, Array | None]


class Readout(Output):
    """Leaky integrators: ``y[k] = g y[k-1] + (1 - g)(W z[k] + bias)`` with ``g = exp(-dt/tau)``.

    With a synapse, ``y[k] = g y[k-1] + (1 - g) c[k-1]`` and ``c[k] = h c[k-1] + W z[k] + bias``
    with ``h = exp(-dt/synapse)`` (Zenke & Vogels 2021).

    Parameters
    ----------
    connection : Dense, Convolution, Pool or Chain
    dt : float
        Time step in seconds.
    time_constant : float
        Time constant in seconds.
    bounds : (float, float), optional
        Bounds in seconds. With them one time constant per output is learned between them, starting
        from a uniform draw.
    synapse : float, optional
        Time constant of the synaptic current in seconds; without it spikes drive the potential
        directly.
    key : jax.Array, optional
        Random key, needed with ``bounds``.

    Raises
    ------
    ModelError
        For a time constant that is not positive or bounds that are not ordered.
    """

    connection: Connection
    place: Array | None
    bounds: tuple[float, float] | None = eqx.field(static=True)
    time_constant: float = eqx.field(static=True)
    synapse: float | None = eqx.field(static=True)
    dt: float = eqx.field(static=True)

    def __init__(
        self,
        connection: Connection,
        dt: float,
        time_constant: float = 20e-3,
        *,
        bounds: tuple[float, float] | None = None,
        synapse: float | None = None,
        key: Array | None = None,
    ) -> None:
        ordered = bounds is None or 0 < bounds[0] < bounds[1] < math.inf
        if (
            not 0 < time_constant < math.inf
            or not ordered
            or (synapse is not None and not 0 < synapse < math.inf)
        ):
            raise ModelError(
                "The time constants of a readout must be positive and finite, its bounds positive "
                "and ordered."
            )
        self.connection, self.dt, self.bounds = connection, dt, bounds
        self.time_constant, self.synapse = time_constant, synapse
        self.place = (
            None
            if bounds is None
            else jax.random.uniform(
                required(key, "A readout with bounds on its time constants"), (connection.n_out,)
            )
        )

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.connection.n_out

    @property
    def time_constants(self) -> Array:
        """Time constant of every output in seconds."""
        if self.place is None or self.bounds is None:
            return jnp.full(self.connection.n_out, self.time_constant)
        low, high = self.bounds
        return low + (high - low) * self.place

    def projected(self) -> Readout:
        """Return a copy with the time constants inside their bounds."""
        if self.place is None:
            return self
        return eqx.tree_at(lambda readout: readout.place, self, jnp.clip(self.place, 0.0, 1.0))

    @property
    def keep(self) -> Array:
        """Share of each potential that a step keeps."""
        return jnp.exp(-self.dt / self.time_constants)

    def start(self, batch: int, dtype: DTypeLike = float) -> State:
        """Return the potentials and synaptic currents at time zero."""
        zero = jnp.zeros((batch, self.connection.n_out), dtype)
        return zero, zero if self.synapse is not None else None

    def advance(self, state: State, weighted: Array, keep: Array) -> State:
        """Return the potentials and currents one step later, for the weighted sums of the spikes of
        that step; ``keep`` is :attr:`keep`, computed once before a loop."""
        potential, current = state
        if current is None or self.synapse is None:
            return keep * potential + (1 - keep) * weighted, None
        return keep * potential + (1 - keep) * current, np.exp(
            -self.dt / self.synapse
        ) * current + weighted

    def __call__(
        self,
        spikes: Array,
        key: Array | None = None,
        *,
        training: bool = False,
        adjoint: bool = True,
    ) -> Array:
        """Return the potentials (time, batch, n_out) for spikes (time, batch, n); ``key`` and
        ``adjoint`` have no effect."""
        weighted, keep = project(self.connection, spikes, training), self.keep

        def visit(state: State, weighted_now: Array) -> tuple[State, Array]:
            state = self.advance(state, weighted_now, keep)
            return state, state[0]

        return jax.lax.scan(visit, self.start(spikes.shape[1], weighted.dtype), weighted)[1]


def as_integrators(readout: Output) -> Readout:
    """The readout of a network that must be read by leaky integrators.

    Raises
    ------
    ModelError
        For any other readout.
    """
    if not isinstance(readout, Readout):
        raise ModelError(
            f"The network must be read by leaky integrators, not by {type(readout).__name__}."
        )
    return readout
