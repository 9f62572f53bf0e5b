"""Readouts that stand for recorded neurons: they draw spikes, or return the probability of given
spikes."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.layer import Layer
from neurocode.learning.output import Output
from neurocode.learning.timeloop import late

Array = jax.Array


class RecordedNeurons(Output):
    """Neurons with escape noise that stand for recorded ones.

    A network that ends with them is trained on recorded spikes with
    ``loss="spike_log_likelihood"``. Their spikes are then clamped to the recorded ones, so that
    reset, adaptation and the connections between them follow the recording. When the readout is
    called, the neurons draw spikes themselves.

    Parameters
    ----------
    layer : Layer
        A layer with one neuron per recorded neuron, without shortcut and dropout.

    Raises
    ------
    ModelError
        If the probability of a spike is not known, because the model has no escape noise or also
        has diffusion, or if the layer has a shortcut or dropout.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense
    >>> dense, model = Dense(4, 2, key=jax.random.key(0)), nc.models.noisy_lif("escape")
    >>> layer = Layer(dense, model, 1e-3, surrogate=None)
    >>> neurons = RecordedNeurons(layer)
    >>> neurons(jnp.ones((5, 3, 4)), jax.random.key(1)).shape
    (5, 3, 2)
    >>> neurons.log_probability(jnp.ones((5, 3, 4)), jnp.zeros((5, 3, 2))).shape
    (5, 3, 2)
    """

    layer: Layer

    def __init__(self, layer: Layer) -> None:
        require_known_probability(layer, "recorded neurons")
        if layer.shortcut is not None or layer.dropout:
            raise ModelError("A layer of recorded neurons has neither shortcut nor dropout.")
        self.layer = layer

    @property
    def n_out(self) -> int:
        """Number of neurons."""
        return self.layer.n

    @property
    def dt(self) -> float:
        """Time step in seconds."""
        return self.layer.dynamics.step.dt

    def log_probability(self, spikes: Array, recorded: Array, *, training: bool = False) -> Array:
        """Return the logarithm of the probability of the recorded spikes (time, batch, n), for
        incoming spikes (time, batch, n_in)."""
        return clamped_log_probability(
            self.layer, self.layer.current(spikes, training=training), recorded
        )

    def __call__(
        self,
        spikes: Array,
        key: Array | None = None,
        *,
        training: bool = False,
        adjoint: bool = True,
    ) -> Array:
        """Return spikes (time, batch, n) that the neurons draw themselves."""
        return self.layer(spikes, key, training=training, adjoint=adjoint)


def clamped_log_probability(layer: Layer, current: Array, spikes: Array) -> Array:
    """Return the logarithm of the probability of the spikes of a layer in every step, given the
    spikes before.

    Parameters
    ----------
    layer : Layer
    current : array (time, batch, n)
        Weighted sums from other layers.
    spikes : array (time, batch, n)
        Spikes that reset the neurons and pass through the recurrent connections.

    Returns
    -------
    array (time, batch, n)
    """
    if layer.recurrent is not None:
        current = current + late(spikes, layer.recurrent.delay) @ layer.recurrent.weight
    dynamics, step = layer.dynamics, layer.dynamics.step
    names = step.prepare(layer.intrinsic.values())

    def visit(state: dict, moment: tuple[Array, Array, Array]) -> tuple[dict, Array]:
        current_now, fired, time = moment
        inputs = {"t": time, step.inputs[0]: dynamics.current * current_now}
        state, output = step(state, inputs, names, spikes=fired)
        return state, output.log_probability

    times = step.dt * jnp.arange(len(current), dtype=current.dtype)
    start = step.initial_state(names, current.shape[1:])
    return jax.lax.scan(visit, start, (current, spikes > 0, times))[1]


def require_known_probability(layer: Layer, name: str) -> None:
    """Raise for neurons whose spikes have no probability in closed form.

    Raises
    ------
    ModelError
        If the model has no escape noise, or also has diffusion.
    """
    if layer.model.noise is None or layer.model.has_diffusion:
        raise ModelError(
            f"The probability of the spikes of {name} is not known: '{layer.model.name}' has no "
            f"escape noise, or also has diffusion."
        )
