"""Which arrays of a network learn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import equinox as eqx
import jax

from neurocode.errors import ModelError
from neurocode.learning.connections import BatchNorm

if TYPE_CHECKING:
    from neurocode.learning.network import Network

Array = jax.Array


def trainable(
    network: Network, weights: bool = True, intrinsic: bool = True
) -> tuple[Network, Network]:
    """Return the arrays of a network that learn, and the rest. Without ``weights`` connections do
    not learn, and without ``intrinsic`` intrinsic parameters do not.

    Raises
    ------
    ModelError
        If nothing is left to learn.
    """
    if not weights:
        if not (intrinsic and _coordinates(network)):
            raise ModelError(
                "The network learns no intrinsic parameter, so it cannot be trained without its "
                "weights."
            )
        nothing = jax.tree.map(lambda _: False, network)
        return eqx.partition(network, eqx.tree_at(_coordinates, nothing, replace_fn=lambda _: True))
    learns = jax.tree.map(_learns, network, is_leaf=lambda node: isinstance(node, BatchNorm))
    if not intrinsic and _coordinates(network):
        learns = eqx.tree_at(_coordinates, learns, replace_fn=lambda _: False)
    return eqx.partition(network, learns)


def scaled_intrinsic(changes: Network, factor: float) -> Network:
    """Return the changes of a network; those of intrinsic parameters are multiplied by a factor."""
    return eqx.tree_at(_coordinates, changes, replace_fn=lambda change: factor * change)


def _coordinates(network: Network) -> list[Array]:
    return jax.tree.leaves([layer.intrinsic.coordinates for layer in network.populations])


def _learns(node: Any) -> Any:
    return node.learns if isinstance(node, BatchNorm) else eqx.is_inexact_array(node)
