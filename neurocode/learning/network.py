"""A network: layers of neurons one after another, and leaky integrators that read the last."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import equinox as eqx
import jax

from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import BatchNorm
from neurocode.learning.layer import Layer
from neurocode.learning.readout import Readout
from neurocode.learning.recorded_neurons import RecordedNeurons
from neurocode.learning.voting import JointDecision, Voters

Array = jax.Array
Disturbance = Callable[[Array, Array], Array]
Output = Readout | Voters | JointDecision | RecordedNeurons

#: Folded into the key of a layer for its disturbance.
DISTURB = 3_000_017


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
    layers : list of Layer, the last a Readout, Voters, JointDecision or RecordedNeurons
    disturbance : callable, optional
        Changes the outgoing spikes (time, batch, n) of every layer, given a random key; spikes inside the layer are spared.

    Raises
    ------
    ModelError
        If the sizes of layers or of shortcuts do not follow on one another or their time steps differ.

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
    readout: Output
    disturbance: Disturbance | None = eqx.field(static=True)

    def __init__(self, layers: list[Layer | Output], disturbance: Disturbance | None = None) -> None:
        *hidden, readout = layers
        if not isinstance(readout, Output) or not all(isinstance(layer, Layer) for layer in hidden):
            raise ModelError("A network is a list of layers that ends with one readout.")
        for number, (before, after) in enumerate(itertools.pairwise(layers)):
            if before.n != after.n_in:
                raise ModelError(f"Layer {number + 1} takes {after.n_in} inputs, but layer {number} has {before.n} neurons.")
        for number, layer in enumerate(hidden):
            _check_shortcut(hidden, number, layer)
        if len({layer.dynamics.step.dt for layer in hidden} | {readout.dt}) > 1:
            raise ModelError("All layers of a network need the same time step.")
        self.layers, self.readout, self.disturbance = tuple(hidden), readout, disturbance

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        return (*self.layers, self.readout)[0].n_in

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        return self.readout.n_out

    @property
    def populations(self) -> tuple[Layer, ...]:
        """All layers of neurons, those inside the readout too."""
        return (*self.layers, *self.readout.layers)

    @property
    def is_stochastic(self) -> bool:
        """Whether two responses to the same input differ."""
        return self.disturbance is not None or any(layer.needs_key for layer in self.populations)

    @property
    def is_normalised(self) -> bool:
        """Whether a connection is normalised over batch and time."""
        parts = jax.tree.leaves(self, is_leaf=lambda node: isinstance(node, BatchNorm))
        return any(isinstance(part, BatchNorm) for part in parts)

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
        layers = [eqx.tree_at(lambda own: own.intrinsic, layer, layer.intrinsic.projected()) for layer in self.layers]
        return Network([*layers, self.readout.projected()], self.disturbance)

    def __call__(self, x: Array, key: Array | None = None, *, training: bool = False, adjoint: bool = True) -> Response:
        """Response to inputs.

        Parameters
        ----------
        x : array (time, batch, inputs)
        key : jax.Array, optional
            For noisy neurons and dropout.
        training : bool
            Whether spikes are dropped and batches are normalised by their own moments.
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
        if key is None and (self.is_stochastic or (training and any(layer.dropout for layer in self.layers))):
            raise ModelError("A network with noise or dropout needs a random key.")
        signals, spikes = [x], []
        for number, layer in enumerate(self.layers):
            draw, drop, disturb = _keys(key, number)
            fired = layer(signals[-1], draw, earlier=layer.earlier(signals), training=training, adjoint=adjoint)
            spikes.append(fired)
            if training and layer.dropout:
                fired = fired * jax.random.bernoulli(drop, 1 - layer.dropout, fired.shape) / (1 - layer.dropout)
            signals.append(fired if self.disturbance is None else self.disturbance(fired, disturb))
        potentials = self.readout(signals[-1], noise_key(key, len(self.layers)), training=training, adjoint=adjoint)
        return Response(potentials, tuple(spikes))


def calibrated(net: Network, x: Array, key: Array | None = None) -> Network:
    """A network whose normalisations hold the moments of these inputs, each after those before it.

    Parameters
    ----------
    net : Network
    x : array (time, batch, inputs)
    key : jax.Array, optional
        For noisy neurons.

    Returns
    -------
    Network
    """
    signals, layers = [x], []
    for number, layer in enumerate(net.layers):
        earlier = layer.earlier(signals)
        layers.append(layer.measured(signals[-1], earlier))
        signals.append(layers[-1](signals[-1], noise_key(key, number), earlier=earlier))
    return Network([*layers, net.readout.measured(signals[-1])], net.disturbance)


def trainable(net: Network, weights: bool = True, intrinsic: bool = True) -> tuple[Network, Network]:
    """Arrays of a network that learn, and the rest; without ``weights`` connections do not, without ``intrinsic`` parameters.

    Raises
    ------
    ModelError
        If nothing is left to learn.
    """
    if not weights:
        if not (intrinsic and _coordinates(net)):
            raise ModelError("The network learns no intrinsic parameter, so it cannot be trained without its weights.")
        nothing = jax.tree.map(lambda _: False, net)
        return eqx.partition(net, eqx.tree_at(_coordinates, nothing, replace_fn=lambda _: True))
    learns = jax.tree.map(_learns, net, is_leaf=lambda node: isinstance(node, BatchNorm))
    if not intrinsic and _coordinates(net):
        learns = eqx.tree_at(_coordinates, learns, replace_fn=lambda _: False)
    return eqx.partition(net, learns)


def scaled_intrinsic(changes: Network, factor: float) -> Network:
    """Changes of a network with those of its intrinsic parameters multiplied by a factor."""
    return eqx.tree_at(_coordinates, changes, replace_fn=lambda change: factor * change)


def _coordinates(net: Network) -> list[Array]:
    return jax.tree.leaves([layer.intrinsic.coordinates for layer in net.populations])


def _learns(node: Any) -> Any:
    return node.learns if isinstance(node, BatchNorm) else eqx.is_inexact_array(node)


def noise_key(key: Array | None, number: int) -> Array | None:
    """Random key of the noise of a layer; the readout counts as the last."""
    return _keys(key, number)[0]


def _keys(key: Array | None, number: int) -> tuple[Array | None, ...]:
    """For the noise, the dropout and the disturbance of a layer."""
    if key is None:
        return (None,) * 3
    own = jax.random.fold_in(key, number)
    return (*jax.random.split(own), jax.random.fold_in(own, DISTURB))


def _check_shortcut(layers: list[Layer], number: int, layer: Layer) -> None:
    if layer.shortcut is None:
        return
    if layer.shortcut.back > number:
        raise ModelError(f"The shortcut of layer {number} goes back by {layer.shortcut.back} layers, before the input.")
    connection, source = layer.shortcut.connection, layers[number - layer.shortcut.back]
    n_in, n_out = (layer.n, layer.n) if connection is None else (connection.n_in, connection.n_out)
    if (n_in, n_out) != (source.n_in, layer.n):
        raise ModelError(
            f"The shortcut of layer {number} takes {n_in} inputs to {n_out} neurons, expected {source.n_in} and {layer.n}."
        )
