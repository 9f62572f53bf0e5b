"""Energy of a network by the usual convention: synaptic operations at 45 nm (Horowitz 2014)."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from neurocode.learning.network import Network
from neurocode.tasks.task import Part

#: Energy in picojoules of a multiply-accumulate operation and of an addition of 32-bit numbers.
MULTIPLY_ACCUMULATE, ACCUMULATE = 4.6, 0.9


def energy(network: Network, part: Part, *, seed: int = 0, batch_size: int = 250) -> pd.DataFrame:
    """Return the operations and the energy of each connection per sequence, averaged over
    sequences.

    A spike costs one addition at each of its synapses. An input that is not 0 or 1 costs a
    multiplication and an addition at each synapse in every step, or in one step only if the input
    does not change over time. Normalisation counts as part of the weights, the border of a
    convolution counts like its middle, and neurons cost nothing.

    Parameters
    ----------
    network : Network
    part : Part
    seed : int
        Seed of the noise of noisy networks.
    batch_size : int

    Returns
    -------
    pandas.DataFrame
        One row per connection: ``connection`` (such as ``"layer 1"``, ``"layer 1, recurrent"``,
        ``"readout"``), ``synapses`` (in one step, counting each use of a shared weight), ``rate``
        (spikes per input and step), ``operations``, ``kind``, ``picojoule``.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Readout, tasks
    >>> task = tasks.digits(n_steps=4)
    >>> network = Network([Readout(Dense(64, 10, key=jax.random.key(0)), 1e-3)])
    >>> energy(network, task.test)["operations"].tolist()
    [640.0]
    """
    rates = _input_rates(network, part, seed, batch_size)
    binary = bool(np.all((part.inputs == 0) | (part.inputs == 1)))
    steps = part.inputs.shape[1]
    dense_steps = 1 if np.all(part.inputs == part.inputs[:, :1]) else steps
    rows = []
    for name, synapses, source in _connections(network):
        spiking = source > 0 or binary
        operations = float(synapses * (steps * rates[source] if spiking else dense_steps))
        cost = ACCUMULATE if spiking else MULTIPLY_ACCUMULATE
        kind = "addition" if spiking else "multiplication and addition"
        rows.append([name, synapses, rates[source], operations, kind, cost * operations])
    return pd.DataFrame(
        rows, columns=["connection", "synapses", "rate", "operations", "kind", "picojoule"]
    )


def _input_rates(network: Network, part: Part, seed: int, batch_size: int) -> list[float]:
    """Return the share of nonzero entries of the inputs, then of the spikes of each layer."""
    run = eqx.filter_jit(
        lambda network, x, key: [jnp.mean(spikes) for spikes in network(x, key).spikes]
    )
    rows = []
    for number, start in enumerate(range(0, len(part), batch_size)):
        inputs = part.inputs[start : start + batch_size]
        x = jnp.moveaxis(jnp.asarray(inputs, jnp.result_type(float)), 0, 1)
        rates = run(network, x, jax.random.fold_in(jax.random.key(seed), number))
        rows.append([len(inputs), np.mean(inputs != 0), *map(float, rates)])
    sizes, *columns = np.array(rows).T
    return [float(np.average(column, weights=sizes)) for column in columns]


def _connections(network: Network) -> list[tuple[str, int, int]]:
    """Return name, number of synapses and source of each connection; source 0 is the input, the
    layers follow."""
    rows = []
    for number, layer in enumerate(network.layers):
        rows.append((f"layer {number}", layer.connection.operations, number))
        if layer.recurrent is not None:
            rows.append((f"layer {number}, recurrent", layer.recurrent.operations, number + 1))
        if layer.shortcut is not None and layer.shortcut.connection is not None:
            rows.append(
                (
                    f"layer {number}, shortcut",
                    layer.shortcut.connection.operations,
                    number - layer.shortcut.back,
                )
            )
    return [
        *rows,
        *(
            ("readout", connection.operations, len(network.layers))
            for connection in network.readout.connections
        ),
    ]
