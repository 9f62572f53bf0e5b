"""The exact gradient of a small noisy network, and mean and variance of its estimates, by sums over
all patterns of spikes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.dynamics import DRAW_GRADIENTS
from neurocode.learning.estimators import (
    ESTIMATORS,
    log_probability,
    require_probabilities,
    sequence_losses,
    with_draw_gradient,
)
from neurocode.learning.network import Network, Response
from neurocode.learning.objective import Batch
from neurocode.learning.trainable import trainable
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import as_loss

Array = jax.Array
Spikes = tuple[Array, ...]

#: Most draws (neurons times steps) of a sequence: 262 144 patterns.
MOST_DRAWS = 18


class Enumerated(NamedTuple):
    """An estimate of a gradient, over all patterns of spikes.

    Attributes
    ----------
    mean, variance : Network
        Of each learned array: expectation of the estimate from one draw of the noise, and its
        variance.
    """

    mean: Network
    variance: Network


def enumerated_gradients(
    network: Network, batch: Batch, loss: str | Loss, estimators: Sequence[str] = ESTIMATORS
) -> dict[str, Enumerated]:
    """Mean and variance of estimates of the gradient of the expected loss; that of the score
    function has it as its mean.

    Parameters
    ----------
    network : Network
        Of neurons with escape noise, read by leaky integrators.
    batch : Batch
        Sequences, each with noise of its own.
    loss : str or Loss
        See :class:`neurocode.tasks.Task`.
    estimators : sequence of str
        See :func:`estimate_gradient`.

    Returns
    -------
    dict of str to Enumerated
        By estimator; the baseline of the score function is here the expected loss of the sequence.

    Raises
    ------
    ModelError
        For an unknown estimator or one that a layer cannot have, a network without neurons, more
        draws than can be enumerated, spikes whose probability is not known, or a loss that reads no
        potentials.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> layer = Layer(Dense(2, 3, key=jax.random.key(0)), nc.models.noisy_lif(), 1e-3, surrogate=None, reset_gradient=True)
    >>> network = Network([layer, Readout(Dense(3, 2, key=jax.random.key(1)), 1e-3)])
    >>> batch = Batch(jnp.ones((2, 1, 2)), jnp.zeros(1, int), jnp.ones((2, 1), bool))
    >>> gradients = enumerated_gradients(network, batch, "mean_potential")
    >>> gradients["score_function"].mean.layers[0].connection.weight.shape
    (2, 3)
    """
    if unknown := [name for name in estimators if name not in ESTIMATORS]:
        raise ModelError(
            f"'{unknown[0]}' is no estimator of gradients; known are {', '.join(ESTIMATORS)}."
        )
    loss = as_loss(loss)
    if not loss.of_potentials:
        raise ModelError(
            f"The gradient of the loss '{loss.name}', which reads no potentials, is not enumerated."
        )
    require_probabilities(network)
    draws = len(batch.inputs) * sum(layer.n for layer in network.layers)
    if not 0 < draws <= MOST_DRAWS:
        raise ModelError(
            f"{draws} draws of a sequence (neurons times steps) are not enumerated, but 1 to "
            f"{MOST_DRAWS}."
        )
    return _enumerated(network, batch, loss, tuple(estimators))


@eqx.filter_jit
def _enumerated(
    network: Network, batch: Batch, loss: Loss, estimators: tuple[str, ...]
) -> dict[str, Enumerated]:
    patterns = _patterns(network, len(batch.inputs))
    sequences = [
        _of_sequence(network, batch, loss, number, patterns, estimators)
        for number in range(batch.inputs.shape[1])
    ]
    count = len(sequences)
    means, variances = (
        jax.tree.map(lambda *parts: sum(parts), *own) for own in zip(*sequences, strict=True)
    )
    return {
        name: Enumerated(
            jax.tree.map(lambda m: m / count, means[name]),
            jax.tree.map(lambda v: v / count**2, variances[name]),
        )
        for name in estimators
    }


def _of_sequence(
    network: Network,
    batch: Batch,
    loss: Loss,
    number: int,
    patterns: Spikes,
    estimators: tuple[str, ...],
) -> tuple[dict, dict]:
    """Means and variances of the estimates from one sequence."""
    axis = 0 if batch.targets.ndim == 1 else 1
    one = Batch(
        *(
            jax.lax.dynamic_slice_in_dim(part, number, 1, a)
            for part, a in zip(batch, (1, axis, 1), strict=True)
        )
    )
    learned, rest = trainable(network)
    losses = lambda spikes: _loss_of(network, one, loss, spikes)  # noqa: E731
    chances = jax.vmap(lambda spikes: jnp.exp(log_probability(network, one.inputs, spikes)[0]))(
        patterns
    )
    expected = jnp.sum(chances * jax.vmap(losses)(patterns))
    weighted = lambda values: jnp.tensordot(chances, values, 1)  # noqa: E731
    means, variances = {}, {}
    for name in estimators:
        slope = jax.grad(
            partial(_objective, rest=rest, batch=one, loss=loss, estimator=name, baseline=expected)
        )
        values = jax.vmap(slope, in_axes=(None, 0))(learned, patterns)
        means[name] = jax.tree.map(weighted, values)
        variances[name] = jax.tree.map(lambda v, m: weighted((v - m) ** 2), values, means[name])
    return means, variances


def _objective(
    learned: Network,
    spikes: Spikes,
    *,
    rest: Network,
    batch: Batch,
    loss: Loss,
    estimator: str,
    baseline: Array,
) -> Array:
    """What one pattern of spikes gives an estimator to differentiate."""
    network = eqx.combine(learned, rest)
    if estimator in DRAW_GRADIENTS:
        return _loss_of(
            network,
            batch,
            loss,
            replayed(with_draw_gradient(network, estimator), batch.inputs, spikes),
        )
    value = _loss_of(network, batch, loss, spikes)
    return (
        jax.lax.stop_gradient(value - baseline) * log_probability(network, batch.inputs, spikes)[0]
        + value
    )


def _loss_of(network: Network, batch: Batch, loss: Loss, spikes: Spikes) -> Array:
    return sequence_losses(loss, Response(network.readout(spikes[-1]), spikes), batch)[0]


def replayed(network: Network, x: Array, spikes: Spikes) -> Spikes:
    """Spikes of every layer that were drawn before, with the gradients that a training would take
    through these draws."""
    signals = [x]
    for layer, fired in zip(network.layers, spikes, strict=True):
        signals.append(layer.replayed(layer.current(signals[-1], layer.earlier(signals)), fired))
    return tuple(signals[1:])


def _patterns(network: Network, steps: int) -> Spikes:
    """All patterns of spikes, of each layer (patterns, time, 1, n)."""
    sizes = [layer.n for layer in network.layers]
    draws = steps * sum(sizes)
    bits = (jnp.arange(2**draws)[:, None] >> jnp.arange(draws)) & 1
    cells = bits.astype(network.layers[0].connection.weight.dtype).reshape(-1, steps, sum(sizes))
    edges = [sum(sizes[: number + 1]) for number in range(len(sizes) - 1)]
    return tuple(part[:, :, None] for part in jnp.split(cells, edges, axis=2))
