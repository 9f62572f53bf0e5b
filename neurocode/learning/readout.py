"""Leaky integrators that read a network out."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.connections import Dense

Array = jax.Array


class Readout(eqx.Module):
    """Leaky integrators: ``y[k] = g y[k-1] + (1 - g)(W z[k] + bias)`` with ``g = exp(-dt/tau)``.

    Parameters
    ----------
    connection : Dense
    dt : float
        Time step in seconds.
    time_constant : float
        In seconds.
    bounds : (float, float), optional
        Learn a time constant for each output, between these bounds in seconds, started uniformly between them.
    key : jax.Array, optional
        Needed with ``bounds``.

    Raises
    ------
    ModelError
        For a time constant that is not positive or bounds that are not ordered.
    """

    connection: Dense
    place: Array | None
    bounds: tuple[float, float] | None = eqx.field(static=True)
    time_constant: float = eqx.field(static=True)
    dt: float = eqx.field(static=True)

    def __init__(
        self,
        connection: Dense,
        dt: float,
        time_constant: float = 20e-3,
        *,
        bounds: tuple[float, float] | None = None,
        key: Array | None = None,
    ) -> None:
        if not time_constant > 0 or (bounds is not None and not 0 < bounds[0] < bounds[1]):
            raise ModelError("The time constant of a readout must be positive, its bounds positive and ordered.")
        self.connection, self.dt, self.time_constant, self.bounds = connection, dt, time_constant, bounds
        self.place = None if bounds is None else jax.random.uniform(key, (connection.n_out,))

    @property
    def time_constants(self) -> Array:
        """Of every output in seconds."""
        if self.place is None:
            return jnp.full(self.connection.n_out, self.time_constant)
        low, high = self.bounds
        return low + (high - low) * self.place

    def projected(self) -> Readout:
        """With the time constants inside their bounds."""
        if self.place is None:
            return self
        return eqx.tree_at(lambda readout: readout.place, self, jnp.clip(self.place, 0.0, 1.0))

    @property
    def keep(self) -> Array:
        """Share of each potential that a step keeps."""
        return jnp.exp(-self.dt / self.time_constants)

    def __call__(self, spikes: Array) -> Array:
        """Potentials (time, batch, n_out) for spikes (time, batch, n)."""
        keep = self.keep
        driven = (1 - keep) * self.connection(spikes)

        def visit(potential: Array, drive: Array) -> tuple[Array, Array]:
            potential = keep * potential + drive
            return potential, potential

        return jax.lax.scan(visit, jnp.zeros_like(driven[0]), driven)[1]
