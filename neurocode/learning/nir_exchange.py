"""Export to and import from NIR, the neuromorphic intermediate representation (Pedersen et al.
2024)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.extras import Library
from neurocode.learning.connections import Dense, Recurrent, as_dense
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network
from neurocode.learning.readout import Readout
from neurocode.models.lif import normalised_lif
from neurocode.models.model import NeuronModel

if TYPE_CHECKING:
    import nir
else:
    nir = Library("nir")

INPUT, OUTPUT = "input", "output"


def to_nir(network: Network) -> nir.NIRGraph:
    """Return a network as an NIR graph of ``Affine`` or ``Linear`` nodes, ``LIF`` nodes with
    ``Linear`` loops, and an ``LI`` node.

    In NIR, as here, spikes on a loop act in the next step. Time constants are in seconds.

    Parameters
    ----------
    network : Network
        A network of leaky integrate-and-fire neurons (:func:`neurocode.models.normalised_lif`) with
        dense connections and without delays.

    Returns
    -------
    nir.NIRGraph

    Raises
    ------
    ModelError
        For neurons, a readout, convolutions, shortcuts or delays for which NIR has no node.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Network, Readout
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> layer = Layer(Dense(2, 4, key=a), nc.models.normalised_lif(), 1e-3)
    >>> network = Network([layer, Readout(Dense(4, 2, key=b), 1e-3)])
    >>> sorted(to_nir(network).nodes)
    ['input', 'neurons_0', 'output', 'readout', 'weights_0', 'weights_1']
    """
    nodes: dict[str, nir.NIRNode] = {INPUT: nir.Input({"input": np.array([network.n_in])})}
    edges, last = [], INPUT
    for number, layer in enumerate(network.layers):
        _require_known(layer, number)
        weights, neurons = f"weights_{number}", f"neurons_{number}"
        values = {
            name: np.broadcast_to(np.asarray(value, float), (layer.n,))
            for name, value in layer.intrinsic.values().items()
        }
        nodes[weights] = _weights(as_dense(layer.connection))
        ones = np.ones(layer.n)
        nodes[neurons] = nir.LIF(
            tau=values["tau"],
            r=ones,
            v_leak=0 * ones,
            v_threshold=values["theta"],
            v_reset=0 * ones,
        )
        edges += [(last, weights), (weights, neurons)]
        if layer.recurrent is not None:
            nodes[f"loop_{number}"] = nir.Linear(np.asarray(layer.recurrent.weight, float).T)
            edges += [(neurons, f"loop_{number}"), (f"loop_{number}", neurons)]
        last = neurons
    if not isinstance(network.readout, Readout) or network.readout.synapse is not None:
        raise ModelError("NIR has no node for a readout with voters or a synapse.")
    weights = f"weights_{len(network.layers)}"
    constants = np.asarray(network.readout.time_constants, float)
    nodes |= {
        weights: _weights(as_dense(network.readout.connection)),
        "readout": nir.LI(constants, np.ones_like(constants), 0 * constants),
    }
    nodes[OUTPUT] = nir.Output({"output": np.array([len(constants)])})
    edges += [(last, weights), (weights, "readout"), ("readout", OUTPUT)]
    return nir.NIRGraph(nodes, edges, metadata={"dt": network.dt})


def from_nir(graph: nir.NIRGraph | str | Path, dt: float) -> Network:
    """Return a network from an NIR graph that is a chain from ``Input`` to ``Output``; neurons may
    have loops.

    Parameters
    ----------
    graph : nir.NIRGraph, or path of a file
    dt : float
        Time step in seconds.

    Raises
    ------
    ModelError
        For a node for which neurocode has no model (the message names it), or a graph that is not
        such a chain.
    DataError
        For a file that cannot be read.
    """
    if not isinstance(graph, nir.NIRGraph):
        try:
            graph = nir.read(graph)
        except Exception as error:
            raise DataError(
                f"{graph}: this is not an NIR file ({(str(error).splitlines() or [''])[0]})."
            ) from None
    chain, loops = _chain(graph)
    parts: list[Layer | Readout] = []
    for weights, name in zip(chain[::2], chain[1::2], strict=True):
        connection = _dense(graph.nodes[weights], weights)
        neurons = graph.nodes[name]
        if isinstance(neurons, nir.LIF):
            parts.append(
                _layer(connection, neurons, name, graph.nodes.get(loops.get(name, "")), dt)
            )
        elif isinstance(neurons, nir.LI):
            parts.append(_readout(connection, neurons, name, dt))
        else:
            raise ModelError(
                f"Node '{name}' is a {type(neurons).__name__}; neurocode has models for LIF and LI."
            )
    return Network(parts)


def _require_known(layer: Layer, number: int) -> None:
    known, model = normalised_lif(), layer.model
    same = (model.equations, model.margin, model.reset, model.integrator) == (
        known.equations,
        known.margin,
        known.reset,
        known.integrator,
    )
    if not same or model.is_stochastic or model.refractory is not None:
        raise ModelError(
            f"NIR has no node for the neurons of layer {number}, '{model.name}'; it has one for "
            f"'lif-normalised'."
        )
    if (
        not isinstance(layer.connection, Dense)
        or layer.connection.delay is not None
        or layer.shortcut is not None
    ):
        raise ModelError(
            f"Layer {number} has a convolution, a shortcut or delays, which cannot be written to "
            f"NIR."
        )
    if layer.recurrent is not None and max(layer.recurrent.delay) > 1:
        raise ModelError(
            f"Layer {number} has recurrent delays of more than one step, which cannot be written "
            f"to NIR."
        )


def _weights(connection: Dense) -> nir.Affine | nir.Linear:
    weight = np.asarray(connection.weight, float).T
    return (
        nir.Linear(weight)
        if connection.bias is None
        else nir.Affine(weight, np.asarray(connection.bias, float))
    )


def _chain(graph: nir.NIRGraph) -> tuple[list[str], dict[str, str]]:
    """Return the names of the nodes from the first weights to the readout, and the loop of each
    node that has one."""
    starts = [name for name, node in graph.nodes.items() if isinstance(node, nir.Input)]
    if len(starts) != 1:
        raise ModelError(f"The graph has {len(starts)} inputs, expected one.")
    following: dict[str, list[str]] = {}
    for source, target in graph.edges:
        following.setdefault(source, []).append(target)
    loops = {
        name: target
        for name, targets in following.items()
        for target in targets
        if isinstance(graph.nodes[name], nir.LIF) and following.get(target) == [name]
    }
    chain, current = [], starts[0]
    while not isinstance(graph.nodes[current], nir.Output):
        next_names = [name for name in following.get(current, []) if name != loops.get(current)]
        if len(next_names) != 1 or len(chain) > len(graph.nodes):
            raise ModelError(
                f"The graph is not a chain: '{current}' is followed by "
                f"{', '.join(next_names) or 'no nodes'}."
            )
        current = next_names[0]
        chain.append(current)
    if not chain or len(chain) % 2 == 0:
        raise ModelError(
            "The graph is not a chain of weights and neurons from one input to one output."
        )
    return chain[:-1], loops


def _dense(node: nir.NIRNode, name: str) -> Dense:
    if not isinstance(node, (nir.Affine, nir.Linear)):
        raise ModelError(f"Node '{name}' is a {type(node).__name__}, expected Affine or Linear.")
    weight = jnp.asarray(np.asarray(node.weight).T)
    bias = node.bias if isinstance(node, nir.Affine) else None
    dense = Dense(*weight.shape, bias=bias is not None, key=jax.random.key(0))
    dense = eqx.tree_at(lambda d: d.weight, dense, weight)
    return dense if bias is None else eqx.tree_at(lambda d: d.bias, dense, jnp.asarray(bias))


def _layer(
    connection: Dense, node: nir.LIF, name: str, loop: nir.NIRNode | None, dt: float
) -> Layer:
    reset = 0 if node.v_reset is None else node.v_reset
    if np.any(node.v_leak) or np.any(reset) or np.any(np.asarray(node.r) != 1):
        raise ModelError(f"Node '{name}': a LIF must have leak 0, reset 0 and resistance 1.")
    recurrent = None
    if loop is not None:
        if not isinstance(loop, (nir.Affine, nir.Linear)) or np.any(getattr(loop, "bias", 0)):
            raise ModelError(
                f"The loop of node '{name}' is a {type(loop).__name__}, expected Linear, or Affine "
                f"without a bias."
            )
        weight = jnp.asarray(np.asarray(loop.weight).T)
        recurrent = eqx.tree_at(
            lambda r: r.weight, Recurrent(len(weight), key=jax.random.key(0)), weight
        )
    return Layer(connection, _model(node), dt, recurrent=recurrent)


def _model(node: nir.LIF) -> NeuronModel:
    model = normalised_lif()
    parameters = dict(model.parameters)
    for name, values in (
        ("tau", np.asarray(node.tau) * 1e3),
        ("theta", np.asarray(node.v_threshold)),
    ):
        value = float(values.flat[0]) if np.ptp(values) == 0 else np.ravel(values).astype(float)
        low, high = parameters[name].bounds
        bounds = (min(low, float(np.min(values))), max(high, float(np.max(values))))
        parameters[name] = replace(parameters[name], value=value, bounds=bounds)
    return replace(model, parameters=parameters)


def _readout(connection: Dense, node: nir.LI, name: str, dt: float) -> Readout:
    constants = np.ravel(node.tau)
    if np.ptp(constants) > 0 or np.any(node.v_leak) or np.any(np.asarray(node.r) != 1):
        raise ModelError(
            f"Node '{name}': an LI must have a single time constant, leak 0 and resistance 1."
        )
    return Readout(connection, dt, float(constants[0]))
