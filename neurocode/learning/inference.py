"""One sequence through a trained network in compiled loops: for decisions within a millisecond, without JAX in the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import numba
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import Dense
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network
from neurocode.learning.readout import Readout
from neurocode.simulation.loop import time_loop


class Answer(NamedTuple):
    """What a network answers to one sequence.

    Attributes
    ----------
    spikes : tuple of numpy.ndarray (steps, n)
        Of each layer, 0 or 1.
    potentials : numpy.ndarray (steps, outputs)
        Of the readout.
    """

    spikes: tuple[np.ndarray, ...]
    potentials: np.ndarray


@dataclass(frozen=True)
class _Stage:
    """A layer: what its spikes become from weighted sums."""

    loop: Callable
    weight: np.ndarray
    bias: np.ndarray
    parameters: np.ndarray
    dt: float

    def __call__(self, x: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Spikes (n, steps) for inputs (n_in, steps): neurons first, so that the loop of each reads memory in order."""
        n, n_steps = len(self.bias), x.shape[1]
        stimulus = self.weight @ x + self.bias[:, None]
        steps, counts = np.empty(n_steps * n, np.int64), np.zeros(n, np.int64)
        self.loop(random, n_steps, self.dt, 0.0, stimulus.T, self.parameters, steps, np.empty(len(steps)), counts)
        return _raster(steps, counts, n_steps)


class CompiledNetwork:
    """A feed-forward network with dense connections as compiled loops, one sequence at a time.

    The loops are those of the simulation, made from the equations of the models: in double precision the spikes are those of the
    JAX network. Layers run one after another over the whole sequence, each neuron with its state in registers.

    Parameters
    ----------
    net : Network

    Raises
    ------
    ModelError
        For connections inside a layer, shortcuts, delays, connections that are not dense, disturbances, or a readout other than
        leaky integrators without a synapse.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Readout
    >>> a, b = jax.random.split(jax.random.key(0))
    >>> net = Network([Layer(Dense(3, 5, key=a), nc.models.normalised_lif(), 1e-3), Readout(Dense(5, 2, key=b), 1e-3)])
    >>> CompiledNetwork(net)(np.ones((20, 3))).potentials.shape
    (20, 2)
    """

    def __init__(self, net: Network) -> None:
        _require_feed_forward(net)
        self.n_in = net.n_in
        self._stages = [_stage(layer) for layer in net.layers]
        self._weight, self._bias = _matrix(net.readout.connection)
        with jax.enable_x64(True):
            self._keep = np.broadcast_to(np.asarray(net.readout.keep, float), self._bias.shape).copy()

    def __call__(self, x: np.ndarray, *, seed: int = 0) -> Answer:
        """Answer to one sequence.

        Parameters
        ----------
        x : numpy.ndarray (steps, inputs)
        seed : int
            Of noisy neurons.

        Raises
        ------
        DataError
            For inputs of another shape or values that are not finite.
        """
        signal = np.asarray(x, float)
        if signal.ndim != 2 or signal.shape[1] != self.n_in or not np.all(np.isfinite(signal)):
            raise DataError(f"The network takes finite inputs of shape (steps, {self.n_in}), not {np.shape(x)}.")
        random, spikes, signal = np.random.default_rng(seed), [], np.ascontiguousarray(signal.T)
        for stage in self._stages:
            signal = stage(signal, random)
            spikes.append(signal.T)
        return Answer(tuple(spikes), _integrated(self._weight @ signal + self._bias[:, None], self._keep).T)


def _stage(layer: Layer) -> _Stage:
    model, dt = layer.model, layer.dynamics.step.dt
    with jax.enable_x64(True):
        values = layer.intrinsic.values()
        weight, bias = (layer.dynamics.current * part for part in _matrix(layer.connection))
        parameters = np.array([np.broadcast_to(np.asarray(values[name], float), (layer.n,)) for name in model.parameters])
    return _Stage(time_loop(model, dt), weight, bias, parameters, dt)


def _matrix(connection: Dense) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n_out, n_in) and biases in double precision."""
    bias = np.zeros(connection.n_out) if connection.bias is None else np.asarray(connection.bias, float)
    return np.ascontiguousarray(np.asarray(connection.weight, float).T), bias


def _require_feed_forward(net: Network) -> None:
    for number, part in enumerate((*net.layers, net.readout)):
        connection = getattr(part, "connection", None)
        plain = isinstance(connection, Dense) and connection.delay is None
        if not plain or getattr(part, "recurrent", None) is not None or getattr(part, "shortcut", None) is not None:
            raise ModelError(f"Layer {number} is not a feed-forward layer with dense connections, which compiled inference needs.")
    if not isinstance(net.readout, Readout) or net.readout.synapse is not None or net.disturbance is not None:
        raise ModelError("Compiled inference needs a readout of leaky integrators without a synapse, and no disturbance.")


@numba.njit(cache=True)
def _raster(steps: np.ndarray, counts: np.ndarray, n_steps: int) -> np.ndarray:
    """Spikes of neurons one after another as zero and one (n, steps)."""
    raster, place = np.zeros((len(counts), n_steps)), 0
    for neuron in range(len(counts)):
        for _ in range(counts[neuron]):
            raster[neuron, steps[place]] = 1.0
            place += 1
    return raster


@numba.njit(cache=True)
def _integrated(drive: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Leaky integrals (n, steps) of the drive."""
    potentials = np.empty_like(drive)
    for output in range(drive.shape[0]):
        y, g = 0.0, keep[output]
        for step in range(drive.shape[1]):
            y = g * y + (1 - g) * drive[output, step]
            potentials[output, step] = y
    return potentials
