"""A network that runs freely: its own output becomes its input."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from neurocode.errors import DataError, ModelError
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network, Response
from neurocode.learning.readout import Readout, as_integrators

Array = jax.Array


def free_running(network: Network, x: Array, start: int) -> Response:
    """Return the response of a network whose input from step ``start`` on is its own latest output;
    no gradient flows through this feedback.

    Parameters
    ----------
    network : Network
        A network with as many outputs as inputs, without noise, dropout and delays.
    x : array (time, batch, inputs)
        Inputs, of which only the steps before ``start`` are read.
    start : int

    Returns
    -------
    Response

    Raises
    ------
    DataError
        If the number of outputs is not that of inputs.
    ModelError
        For a network with noise, delays, shortcuts or voters.
    """
    n_out = network.n_out
    if n_out != network.n_in or x.shape[2] != network.n_in:
        raise DataError(
            f"A free-running network needs as many outputs as inputs, not {n_out} and "
            f"{network.n_in}."
        )
    if network.is_stochastic or any(_delayed(layer) for layer in network.layers):
        raise ModelError("A free-running network must have neither noise nor delays.")
    if not isinstance(network.readout, Readout) or any(
        layer.shortcut is not None for layer in network.layers
    ):
        raise ModelError(
            "A free-running network must be read by leaky integrators and have no shortcuts."
        )
    names = [layer.dynamics.step.prepare(layer.intrinsic.values()) for layer in network.layers]
    batch = x.shape[1]
    states = [
        layer.dynamics.initial_state(layer_names, (batch, layer.n))
        for layer, layer_names in zip(network.layers, names, strict=True)
    ]
    spikes = [jnp.zeros((batch, layer.n), x.dtype) for layer in network.layers]

    readout = as_integrators(network.readout)
    keep = readout.keep

    def visit(carry: tuple, step: tuple[Array, Array]) -> tuple[tuple, tuple]:
        states, spikes, out = carry
        number, inputs = step
        signal = jnp.where(number < start, inputs, jax.lax.stop_gradient(out[0]))
        after, fired = [], []
        for layer, layer_names, state, latest in zip(
            network.layers, names, states, spikes, strict=True
        ):
            current = layer.connection(signal[None])[0]
            if layer.recurrent is not None:
                current = current + layer.recurrent.recurrence.current(latest)
            time = network.dt * number
            before = layer.dynamics.update(state, current, layer_names, None, time)
            state, signal = layer.dynamics.settle(before, layer_names, None, time)
            after.append(state)
            fired.append(signal)
        out = readout.advance(out, readout.connection(signal[None])[0], keep)
        return (after, fired, out), (out[0], tuple(fired))

    _, (potentials, fired) = jax.lax.scan(
        visit, (states, spikes, readout.start(batch, x.dtype)), (jnp.arange(len(x)), x)
    )
    return Response(potentials, fired)


def _delayed(layer: Layer) -> bool:
    recurrent = layer.recurrent
    return getattr(layer.connection, "delay", None) is not None or (
        recurrent is not None and max(recurrent.delay) > 1
    )
