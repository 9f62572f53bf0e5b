"""A network: layers of neurons one after another, and leaky integrators that read the last."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import equinox as eqx
import jax

from neurocode.errors import DataError, ModelError
from neurocode.learning.layer import Layer
from neurocode.learning.readout import Readout

Array = jax.Array


class Response(NamedTuple):
    """What a network answers.

    Attributes
    ----------
    potentials : array (time, batch, outputs)
        Of the readout.
    spikes : tuple of array (time, batch, n)
        Of each layer, 0 or 1.
    """

    potentials: Array
    spikes: tuple[Array, ...]


class Network(eqx.Module):
    """Layers and a readout.

    Input of a step acts in the same step on every layer up to the readout; recurrent spikes act in the next one.

    Parameters
    ----------
    layers : list of Layer, the last a Readout

    Raises
    ------
    ModelError
        If the sizes of layers do not follow on one another or their time steps differ.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> layer = Layer(Dense(4, 8, key=a), nc.models.adlif(), 1e-3)
    >>> net = Network([layer, Readout(Dense(8, 3, key=b), 1e-3)])
    >>> net(jax.numpy.ones((20, 2, 4))).potentials.shape
    (20, 2, 3)
    """

    layers: tuple[Layer, ...]
    readout: Readout

    def __init__(self, layers: list[Layer | Readout]) -> None:
        *hidden, readout = layers
        if not isinstance(readout, Readout) or not all(isinstance(layer, Layer) for layer in hidden):
            raise ModelError("A network is a list of layers that ends with one readout.")
        for number, (before, after) in enumerate(itertools.pairwise(layers)):
            n_in = after.connection.n_in
            if before.n != n_in:
                raise ModelError(f"Layer {number + 1} takes {n_in} inputs, but layer {number} has {before.n} neurons.")
        if len({layer.dynamics.step.dt for layer in hidden} | {readout.dt}) > 1:
            raise ModelError("All layers of a network need the same time step.")
        self.layers, self.readout = tuple(hidden), readout

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return (*self.layers, self.readout)[0].connection.n_in

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self.readout.dt

    @property
    def n_parameters(self) -> int:
        """Number of values that are learned."""
        return sum(int(leaf.size) for leaf in jax.tree.leaves(trainable(self)[0]))

    def projected(self) -> Network:
        """With all intrinsic parameters inside their bounds."""
        net = eqx.tree_at(lambda n: [layer.intrinsic for layer in n.layers], self, [x.intrinsic.projected() for x in self.layers])
        return eqx.tree_at(lambda n: n.readout, net, net.readout.projected())

    def __call__(self, x: Array, key: Array | None = None, *, training: bool = False, adjoint: bool = True) -> Response:
        """Response to inputs.

        Parameters
        ----------
        x : array (time, batch, inputs)
        key : jax.Array, optional
            For noisy neurons and dropout.
        training : bool
            Whether spikes are dropped.
        adjoint : bool
            Without it JAX differentiates the time loop.

        Raises
        ------
        DataError
            For inputs of another number of channels.
        ModelError
            For a noisy network, or dropout, without a key.
        """
        if x.ndim != 3 or x.shape[2] != self.n_in:
            raise DataError(f"The network takes inputs of shape (time, batch, {self.n_in}), not {x.shape}.")
        if key is None and any(layer.needs_key or (training and layer.dropout) for layer in self.layers):
            raise ModelError("A network with noise or dropout needs a random key.")
        spikes = []
        for number, layer in enumerate(self.layers):
            draw, drop = (None, None) if key is None else jax.random.split(jax.random.fold_in(key, number))
            x = layer(x, draw, adjoint=adjoint)
            spikes.append(x)
            if training and layer.dropout:
                kept = jax.random.bernoulli(drop, 1 - layer.dropout, x.shape)
                x = x * kept / (1 - layer.dropout)
        return Response(self.readout(x), tuple(spikes))


def trainable(net: Network) -> tuple[Network, Network]:
    """Arrays of a network that learn, and the rest."""
    return eqx.partition(net, eqx.is_inexact_array)
