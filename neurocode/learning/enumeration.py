"""The exact gradient of a small noisy network, and the mean and variance of its estimates, as sums
over all spike patterns."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.connections import weights_of
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

#: Largest number of draws (neurons times steps) of a sequence; it gives 262 144 patterns.
MOST_DRAWS = 18


class Enumerated(NamedTuple):
    """Moments of an estimate of a gradient over all spike patterns.

    Attributes
    ----------
    mean, variance : Network
        Expectation and variance, for each learned array, of the estimate from one draw of the
        noise.
    """

    mean: Network
    variance: Network


def enumerated_gradients(
    network: Network, batch: Batch, loss: str | Loss, estimators: Sequence[str] = ESTIMATORS
) -> dict[str, Enumerated]:
    """Return the mean and variance of estimates of the gradient of the expected loss; the mean of
    the score-function estimate is the exact gradient.

    Parameters
    ----------
    network : Network
        A network of neurons with escape noise, read by leaky integrators.
    batch : Batch
        Sequences; the noise of each is independent of the others.
    loss : str or Loss
        See :class:`neurocode.tasks.Task`.
    estimators : sequence of str
        See :func:`estimate_gradient`.

    Returns
    -------
    dict of str to Enumerated
        Moments by name of the estimator. The baseline of the score function is here the expected
        loss of the sequence.

    Raises
    ------
    ModelError
        For an unknown estimator or one that a layer cannot have, a network without neurons, more
        draws than can be enumerated, spikes whose probability is not known, or a loss that does not
        read potentials.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> dense, model = Dense(2, 3, key=jax.random.key(0)), nc.models.noisy_lif()
    >>> layer = Layer(dense, model, 1e-3, surrogate=None, reset_gradient=True)
    >>> network = Network([layer, Readout(Dense(3, 2, key=jax.random.key(1)), 1e-3)])
    >>> batch = Batch(jnp.ones((2, 1, 2)), jnp.zeros(1, int), jnp.ones((2, 1), bool))
    >>> names = ("score_function", "trapezoid")
    >>> gradients = enumerated_gradients(network, batch, "mean_potential", names)
    >>> gradients["score_function"].mean.layers[0].connection.weight.shape
    (2, 3)
    """
    if unknown := [name for name in estimators if name not in ESTIMATORS]:
        raise ModelError(
            f"'{unknown[0]}' is not an estimator of gradients; known are {', '.join(ESTIMATORS)}."
        )
    loss = as_loss(loss)
    if not loss.of_potentials:
        raise ModelError(
            f"The gradient of the loss '{loss.name}' cannot be enumerated, as it does not read "
            f"potentials."
        )
    require_probabilities(network)
    draws = len(batch.inputs) * sum(layer.n for layer in network.layers)
    if not 0 < draws <= MOST_DRAWS:
        raise ModelError(
            f"{draws} draws of a sequence (neurons times steps) cannot be enumerated, expected 1 "
            f"to {MOST_DRAWS}."
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
        jax.tree.map(lambda *parts: sum(parts), *moments)
        for moments in zip(*sequences, strict=True)
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
    """Return the means and variances of the estimates from one sequence."""
    axis = 0 if batch.targets.ndim == 1 else 1
    single = Batch(
        *(
            jax.lax.dynamic_slice_in_dim(part, number, 1, a)
            for part, a in zip(batch, (1, axis, 1), strict=True)
        )
    )
    learned, rest = trainable(network)
    losses = lambda spikes: _loss_of(network, single, loss, spikes)  # noqa: E731
    chances = jax.vmap(lambda spikes: jnp.exp(log_probability(network, single.inputs, spikes)[0]))(
        patterns
    )
    expected = jnp.sum(chances * jax.vmap(losses)(patterns))
    weighted = lambda values: jnp.tensordot(chances, values, 1)  # noqa: E731
    means, variances = {}, {}
    for name in estimators:
        slope = jax.grad(
            partial(
                _objective, rest=rest, batch=single, loss=loss, estimator=name, baseline=expected
            )
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
    """Return the value that an estimator differentiates for one spike pattern."""
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
    """Return spikes of every layer that have been drawn already, with the gradients that training
    would take through these draws."""
    signals = [x]
    for layer, fired in zip(network.layers, spikes, strict=True):
        signals.append(layer.replayed(layer.current(signals[-1], layer.earlier(signals)), fired))
    return tuple(signals[1:])


def _patterns(network: Network, steps: int) -> Spikes:
    """Return all spike patterns, one array (patterns, time, 1, n) per layer."""
    sizes = [layer.n for layer in network.layers]
    draws = steps * sum(sizes)
    bits = (jnp.arange(2**draws)[:, None] >> jnp.arange(draws)) & 1
    weights = [weight for layer in network.layers for weight in weights_of(layer.connection)]
    cells = bits.astype(jnp.result_type(*weights, float)).reshape(-1, steps, sum(sizes))
    edges = [sum(sizes[: number + 1]) for number in range(len(sizes) - 1)]
    return tuple(part[:, :, None] for part in jnp.split(cells, edges, axis=2))
