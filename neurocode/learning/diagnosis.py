"""Search for what is not finite in a network."""

from __future__ import annotations

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.learning.network import Network, noise_key
from neurocode.learning.objective import Batch, gradient
from neurocode.learning.regularisers import Regulariser
from neurocode.tasks.loss import Loss

Array = jax.Array


def diagnose(
    learned: Network,
    rest: Network,
    batch: Batch,
    loss: Loss,
    regulariser: Regulariser,
    key: Array,
    free_running_from: int | None = None,
) -> str:
    """Return the name of the first parameter or layer that is not finite before an update, or of
    the parameters whose gradient is not.

    The update is repeated with the same random numbers, in one block on one device.
    """
    for name, leaf in _named(learned):
        if not np.all(np.isfinite(leaf)):
            return f"parameter {name}"
    if free_running_from is None and (
        where := _first_layer(eqx.combine(learned, rest), batch.inputs, key)
    ):
        return where
    slopes, report = gradient(
        learned, rest, batch, loss, regulariser, key, free_running_from=free_running_from
    )
    wrong = [name for name, leaf in _named(slopes) if not np.all(np.isfinite(leaf))]
    if wrong:
        return f"gradient of {', '.join(wrong)}"
    return "the loss" if not jnp.isfinite(report.loss) else "nothing when the update is made again"


def _first_layer(network: Network, x: Array, key: Array) -> str:
    """Return the name of the first layer whose input is not finite, or an empty text if all are;
    dropout is left out."""
    signals = [x]
    for number, layer in enumerate(network.layers):
        earlier = layer.earlier(signals)
        if not np.all(np.isfinite(layer.current(signals[-1], earlier, training=True))):
            return f"input of layer {number}, through layers[{number}].connection"
        signals.append(layer(signals[-1], noise_key(key, number), earlier=earlier, training=True))
    potentials = network.readout(signals[-1], noise_key(key, len(network.layers)), training=True)
    return (
        ""
        if np.all(np.isfinite(potentials))
        else "potentials of the readout, through readout.connection"
    )


def _named(tree: Network) -> list[tuple[str, Array]]:
    """Return the arrays of a network with their names, such as ``layers[0].recurrent.weight``."""
    return [
        (jax.tree_util.keystr(path).lstrip("."), leaf)
        for path, leaf in jax.tree_util.tree_flatten_with_path(tree)[0]
    ]
