"""The limit of narrow noise, in which a noisy network with a wide surrogate becomes a deterministic
one."""

from __future__ import annotations

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

import neurocode as nc
from analyses.noisy_networks.networks import make_network, make_task
from neurocode.learning import Network, stratified
from neurocode.learning.evaluation import as_batch
from neurocode.learning.objective import gradient
from neurocode.learning.regularisers import Regulariser
from neurocode.learning.trainable import trainable

#: Width of the draws, the smallest that the model accepts, and number of sequences in the batch.
NARROW, SEQUENCES = 1e-3, 100


def limit_row(**row: Any) -> dict[str, float]:
    """Return the share of hidden spikes that differ between the noisy and the deterministic
    network, and the distance of their gradients divided by the size of the deterministic one."""
    task = make_task(row)
    batch = as_batch(stratified(task.training, SEQUENCES, row["seed"]))
    deterministic = make_network(row, task)
    noisy = eqx.tree_at(
        lambda net: net.layers, deterministic, tuple(map(drawn, deterministic.layers))
    )
    key = jax.random.key(row["seed"])
    spikes = [net(batch.inputs, key).spikes[0] for net in (deterministic, noisy)]
    slopes = [_slopes(net, batch, task.loss, key) for net in (deterministic, noisy)]
    return {
        "spikes_differ": float(jnp.mean(spikes[0] != spikes[1])),
        "rate_hidden": float(jnp.mean(spikes[0])),
        "gradients_differ": float(
            np.linalg.norm(slopes[1] - slopes[0]) / np.linalg.norm(slopes[0])
        ),
    }


def drawn(layer: Any) -> Any:
    """Return a deterministic layer with spikes drawn by very narrow noise; its surrogate is
    kept."""
    return layer.with_model(nc.models.noisy_lif("escape").with_parameters(scale=NARROW))


def _slopes(network: Network, batch: Any, loss: Any, key: jax.Array) -> np.ndarray:
    learned, fixed = trainable(network)
    slopes, _ = eqx.filter_jit(gradient)(learned, fixed, batch, loss, Regulariser(), key)
    return np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(slopes)])
