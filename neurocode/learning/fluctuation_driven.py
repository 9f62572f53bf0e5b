"""Initial weights with which potentials fluctuate below threshold and every layer fires at a wanted
rate, however deep the network is."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.learning.connections import Dense, as_dense
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network, noise_key
from neurocode.learning.random_numbers import required

Array = jax.Array

#: Largest power of two by which a layer is scaled up or down, and number of halvings of the
#: interval that contains the right power.
LARGEST_POWER, HALVINGS = 10.0, 8
#: Largest factor by which the rate may differ from the wanted rate and still count as reached.
REACHED = 2.0


class _Kernel(NamedTuple):
    """For each neuron (n,), the distance from rest to threshold, the sum over time of the response
    to one spike, and the sum of its square."""

    distance: Array
    total: Array
    squared: Array


def fluctuation_driven(
    network: Network,
    inputs: Array,
    *,
    rate: float,
    mean: float = 0.0,
    deviation: float = 1.0,
    recurrent_share: float = 0.1,
    homeostasis: bool = True,
    key: Array,
) -> Network:
    """Return a network whose weights make the potentials of every layer fluctuate below threshold
    (Rossbroich, Gygax & Zenke 2022).

    Let ``n`` inputs spike with probability ``f`` per step, and let ``k(t)`` be the response of the
    potential to one spike at weight one. The weights of a connection are drawn from a normal
    distribution whose mean ``m`` and standard deviation ``s`` give a free potential the mean ``mu``
    and the standard deviation ``sigma``::

        m = mu / (n f sum_t k(t)),        s^2 = sigma^2 / (n f sum_t k(t)^2) - m^2

    In a recurrent layer ``m`` counts the inputs of both connections, and each connection
    contributes its share of the variance. ``k`` is the response of the step of the model, which has
    to be linear below threshold. The rates of deep layers deviate from the rate that the equations
    assume. Homeostasis therefore multiplies all weights of a layer, one layer after another, by the
    factor with which the layer fires at that rate on the inputs.

    Parameters
    ----------
    network : Network
        A network of layers with :class:`Dense` connections, with or without recurrent connections.
        Biases and the readout stay as they are.
    inputs : array (time, batch, inputs)
        Inputs like those the network will be trained on. For the first layer their mean replaces
        ``f`` in ``m``, and the mean of their squares replaces ``f`` in ``s``.
    rate : float
        Rate of every layer in hertz. The equations assume it for the inputs of deeper layers and of
        recurrent connections, and homeostasis establishes it.
    mean, deviation : float
        Mean and standard deviation of the free potential, on a scale on which rest is zero and
        threshold one. The paper calls the distance from mean to threshold divided by the deviation
        xi.
    recurrent_share : float
        Share of the variance that comes through recurrent connections, where there are any.
    homeostasis : bool
        Whether layers are scaled to the rate; otherwise only the equations are applied.
    key : jax.Array
        Random key of the weights and of the noise of noisy neurons.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        For numbers out of range, connections of another kind, a mean whose weights cause more
        variance than the deviation allows, a neuron that fires without input, or a layer that does
        not reach the rate within a factor of two.
    DataError
        For inputs of another shape, or without any spike.

    Notes
    -----
    The equations and the share are those of the initialiser that the authors released; they were
    not compared with the printed ones. The authors refine such a start by homeostasis of firing
    rates; we did not find in which way. Scaling whole layers by bisection and using measured
    moments of the inputs are our choices, not from the paper.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Network, Readout
    >>> a, b, c, d = jax.random.split(jax.random.key(0), 4)
    >>> sizes = ((20, 50), (50, 50))
    >>> layers = [
    ...     Layer(Dense(*size, key=key), nc.models.current_lif(), 1e-3)
    ...     for size, key in zip(sizes, (a, b))
    ... ]
    >>> inputs = (jax.random.uniform(c, (100, 30, 20)) < 0.01).astype(float)
    >>> network = Network([*layers, Readout(Dense(50, 3, key=d), 1e-3)])
    >>> network = fluctuation_driven(network, inputs, rate=10.0, key=a)
    >>> [round(1e3 * float(spikes.mean())) for spikes in eqx.filter_jit(network)(inputs).spikes]
    [10, 10]
    """
    _check(network, inputs, rate, deviation, recurrent_share)
    signal, layers = inputs, []
    moments = (float(jnp.mean(inputs)), float(jnp.mean(jnp.square(inputs))))
    for number, layer in enumerate(network.layers):
        noise = noise_key(key, number)
        drawn = _drawn(
            layer,
            number,
            moments,
            rate,
            mean,
            deviation,
            recurrent_share,
            jax.random.fold_in(required(noise, "A fluctuation-driven start"), 1),
            len(inputs),
        )
        if homeostasis:
            drawn, signal = _at_rate(drawn, number, signal, rate, noise)
        layers.append(drawn)
        moments = (rate * network.dt, rate * network.dt)
    return Network([*layers, network.readout], network.disturbance)


def _check(
    network: Network, inputs: Array, rate: float, deviation: float, recurrent_share: float
) -> None:
    if inputs.ndim != 3 or inputs.shape[2] != network.n_in:
        raise DataError(
            f"The network takes inputs of shape (time, batch, {network.n_in}), not {inputs.shape}."
        )
    if not jnp.any(inputs):
        raise DataError(
            "Inputs without any spike say nothing about the weights that make potentials fluctuate."
        )
    if not 0 < rate < 1 / network.dt or not 0 < deviation < np.inf or not 0 < recurrent_share < 1:
        raise ModelError(
            f"A fluctuation-driven start takes a rate between 0 and {1 / network.dt:g} Hz, a "
            f"positive deviation and a recurrent "
            f"share between 0 and 1, not {rate}, {deviation} and {recurrent_share}."
        )
    for number, layer in enumerate(network.layers):
        if not isinstance(layer.connection, Dense) or layer.shortcut is not None:
            raise ModelError(
                f"A fluctuation-driven start is for dense connections without shortcuts; layer "
                f"{number} has others."
            )


def _drawn(
    layer: Layer,
    number: int,
    moments: tuple[float, float],
    rate: float,
    mean: float,
    deviation: float,
    recurrent_share: float,
    key: Array,
    steps: int,
) -> Layer:
    """Return a layer with weights from the equations; ``moments`` are the mean of the values of its
    input and the mean of their squares."""
    kernel = _kernel(layer, steps)
    if not bool(jnp.all(kernel.distance > 0)):
        raise ModelError(
            f"Neurons of layer {number} fire without input, so no weights keep them below "
            f"threshold."
        )
    frequency = rate * layer.dynamics.step.dt
    sources = [(layer.n_in, *moments, 1.0)]
    if layer.recurrent is not None:
        sources = [
            (layer.n_in, *moments, 1.0 - recurrent_share),
            (layer.n, frequency, frequency, recurrent_share),
        ]
    total = sum(n * first for n, first, _, _ in sources)
    if mean and total <= 0:
        raise DataError(
            f"A mean potential of {mean} needs inputs with a positive mean; that of layer {number} "
            f"is {moments[0]:.3g}."
        )
    m = mean * kernel.distance / (total * kernel.total) if mean else jnp.zeros(layer.n)
    weights = []
    for (n, _, square, share), draw_key in zip(sources, jax.random.split(key), strict=False):
        variance = share * (deviation * kernel.distance) ** 2 / (n * square * kernel.squared) - m**2
        if not bool(jnp.all(variance >= 0)):
            raise ModelError(
                f"A mean potential of {mean} with {n} inputs makes layer {number} fluctuate by "
                f"more than {deviation} already."
            )
        weights.append(m + jnp.sqrt(variance) * jax.random.normal(draw_key, (n, layer.n)))
    return eqx.tree_at(_weights, layer, weights)


def _weights(layer: Layer) -> list[Array]:
    recurrent = [] if layer.recurrent is None else [layer.recurrent.weight]
    return [as_dense(layer.connection).weight, *recurrent]


@eqx.filter_jit
def _kernel(layer: Layer, steps: int) -> _Kernel:
    """Return the response of the margin to one spike in the first step, in neurons that never
    spike."""
    step = layer.dynamics.step
    names = step.prepare(layer.intrinsic.values())
    silent = jnp.zeros(layer.n)

    def advance(
        state: dict[str, Array], moment: tuple[Array, Array]
    ) -> tuple[dict[str, Array], Array]:
        current, time = moment
        key = jax.random.fold_in(jax.random.key(0), jnp.round(time / step.dt).astype(int))
        state = layer.dynamics.integrated(
            state, jnp.broadcast_to(current, silent.shape), names, key, time
        )
        names_now = {**names, "t": time}
        after = step.settle(state, names_now, silent, lambda reset, free: free)
        return after, step.margin(state, names_now)

    def margins(first: float) -> Array:
        currents = jnp.zeros(steps).at[0].set(first)
        return jax.lax.scan(
            advance,
            step.initial_state(names, silent.shape),
            (currents, step.dt * jnp.arange(steps)),
        )[1]

    rest = margins(0.0)
    response = margins(1.0) - rest
    return _Kernel(-jnp.mean(rest, axis=0), jnp.sum(response, axis=0), jnp.sum(response**2, axis=0))


def _at_rate(
    layer: Layer, number: int, x: Array, rate: float, key: Array | None
) -> tuple[Layer, Array]:
    """Return a layer scaled to fire at a rate, and its spikes. As rates may jump, the factor is the
    one of all tried that comes closest."""
    tried: dict[float, float] = {}

    def is_below(power: float) -> bool:
        tried[power] = float(_response(layer, jnp.asarray(2.0**power), x, key)[0])
        return tried[power] < rate

    low, high = _bracket(is_below)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if is_below(middle) else (low, middle)
    best = min(tried, key=lambda power: abs(np.log(max(tried[power], np.finfo(float).tiny) / rate)))
    if not rate / REACHED <= tried[best] <= rate * REACHED:
        raise ModelError(
            f"Layer {number} does not fire at {rate:g} Hz with weights of any size; the closest "
            f"is {tried[best]:.3g} Hz."
        )
    factor = jnp.asarray(2.0**best)
    return _scaled(layer, factor), _response(layer, factor, x, key)[1]


def _bracket(is_below: Callable[[float], bool]) -> tuple[float, float]:
    """Return two powers of two, one apart where possible, between which the rate is reached."""
    power = 0.0
    if is_below(power):
        while power < LARGEST_POWER and is_below(power + 1.0):
            power += 1.0
        return power, power + 1.0
    while power > -LARGEST_POWER and not is_below(power - 1.0):
        power -= 1.0
    return power - 1.0, power


def _scaled(layer: Layer, factor: Array) -> Layer:
    return eqx.tree_at(_weights, layer, [factor * weight for weight in _weights(layer)])


@eqx.filter_jit
def _response(layer: Layer, factor: Array, x: Array, key: Array | None) -> tuple[Array, Array]:
    """Return the spikes per neuron and second of a scaled layer, and all its spikes."""
    spikes = _scaled(layer, factor)(x, key)
    return jnp.mean(spikes) / layer.dynamics.step.dt, spikes
