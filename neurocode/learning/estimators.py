"""Estimates of the gradient of a noisy network's expected loss, and their variance.

The straight-through estimate takes a spike for its probability on the way back (noise-driven
learning; Ma, Yan, Tang 2023): biased where the loss is not linear in a spike. The trapezoid weighs
that by whether there was a spike (Liu et al. 2023): biased where the loss is not quadratic in a
spike. The secant takes differences through the reset; see :class:`neurocode.learning.Layer`. The
score function (Williams 1992) weighs the gradient of the log probability of all spikes with the
loss: unbiased, of larger variance. Its baseline is the mean loss of the other draws of the same
sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.dynamics import DRAW_GRADIENTS
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network, Response
from neurocode.learning.objective import Batch
from neurocode.learning.recorded_neurons import clamped_log_probability, require_known_probability
from neurocode.learning.trainable import trainable
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import as_loss

Array = jax.Array

ESTIMATORS = (*DRAW_GRADIENTS, "score_function")


@dataclass(frozen=True)
class GradientEstimate:
    """Gradient of the mean loss of a batch over draws of the noise.

    Attributes
    ----------
    mean, variance : Network
        Of each learned array: mean over draws, and variance of the estimate from a single draw.
    n_draws : int
    """

    mean: Network
    variance: Network
    n_draws: int


def estimate_gradient(
    network: Network,
    batch: Batch,
    loss: str | Loss,
    *,
    estimator: str = "straight_through",
    n_draws: int = 100,
    seed: int = 0,
) -> GradientEstimate:
    """Estimate the gradient of the expected loss.

    Parameters
    ----------
    network : Network
        For the score function of neurons with escape noise and without diffusion, read by leaky
        integrators.
    batch : Batch
    loss : str or Loss
        See :class:`neurocode.tasks.Task`.
    estimator : {"straight_through", "trapezoid", "secant", "trapezoid_secant", "score_function"}
        All but the last in the place of what the layers have.
    n_draws : int
        At least two.
    seed : int

    Returns
    -------
    GradientEstimate

    Raises
    ------
    ModelError
        For another estimator, less than two draws, spikes whose probability is not known, a loss
        that reads no potentials, or one of the others for layers that cannot have it.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> layer = Layer(Dense(2, 3, key=jax.random.key(0)), nc.models.noisy_lif(), 1e-3, surrogate=None)
    >>> network = Network([layer, Readout(Dense(3, 2, key=jax.random.key(1)), 1e-3)])
    >>> batch = Batch(jnp.ones((5, 4, 2)), jnp.zeros(4, int), jnp.ones((5, 4), bool))
    >>> estimate_gradient(network, batch, "mean_potential", n_draws=10).mean.layers[0].connection.weight.shape
    (2, 3)
    """
    if estimator not in ESTIMATORS or n_draws < 2:
        raise ModelError(
            f"A gradient is estimated by {' or '.join(ESTIMATORS)} from two draws or more."
        )
    loss = as_loss(loss)
    if not loss.of_potentials:
        raise ModelError(
            f"The gradient of the loss '{loss.name}', which reads no potentials, is not estimated."
        )
    if estimator in DRAW_GRADIENTS:
        network = with_draw_gradient(network, estimator)
    else:
        require_probabilities(network)
    keys = jax.random.split(jax.random.key(seed), n_draws)
    mean, variance = _moments(network, batch, keys, loss, estimator)
    return GradientEstimate(mean, variance, n_draws)


@eqx.filter_jit
def _moments(
    network: Network, batch: Batch, keys: Array, loss: Loss, estimator: str
) -> tuple[Network, Network]:
    learned, rest = trainable(network)
    objective = _score_function if estimator == "score_function" else _through_the_draw
    slope = jax.grad(partial(objective, rest=rest, batch=batch, loss=loss))
    losses = jax.lax.map(lambda key: sequence_losses(loss, network(batch.inputs, key), batch), keys)
    baselines = (jnp.sum(losses, axis=0) - losses) / (len(keys) - 1)

    def visit(
        sums: tuple[Network, Network], draw: tuple[Array, Array]
    ) -> tuple[tuple[Network, Network], None]:
        found = slope(learned, *draw)
        squares = jax.tree.map(jnp.square, found)
        return jax.tree.map(jnp.add, sums, (found, squares)), None

    zero = jax.tree.map(jnp.zeros_like, learned)
    (total, squares), _ = jax.lax.scan(visit, (zero, zero), (keys, baselines))
    mean = jax.tree.map(lambda value: value / len(keys), total)
    variance = jax.tree.map(lambda s, m: (s - len(keys) * m**2) / (len(keys) - 1), squares, mean)
    return mean, variance


def sequence_losses(loss: Loss, response: Response, batch: Batch) -> Array:
    """Loss of each sequence of a batch."""

    def single(potentials: Array, target: Array, valid: Array) -> Array:
        targets = target[None] if batch.targets.ndim == 1 else target[:, None]
        return loss.loss_and_score(potentials[:, None], targets, valid[:, None])[0]

    axis = 0 if batch.targets.ndim == 1 else 1
    return jax.vmap(single, in_axes=(1, axis, 1))(response.potentials, batch.targets, batch.valid)


def log_probability(network: Network, x: Array, spikes: tuple[Array, ...]) -> Array:
    """Logarithm of the probability of all spikes of each sequence, as a function of the parameters.

    Parameters
    ----------
    network : Network
    x : array (time, batch, inputs)
    spikes : tuple of array (time, batch, n)
        Of each layer; each layer is given those of the one before, and is reset by its own.

    Returns
    -------
    array (batch,)
    """
    total, signals = jnp.zeros(x.shape[1]), [x, *spikes]
    for number, layer in enumerate(network.layers):
        current = layer.current(signals[number], layer.earlier(signals[: number + 1]))
        total += jnp.sum(clamped_log_probability(layer, current, signals[number + 1]), axis=(0, 2))
    return total


def with_draw_gradient(network: Network, draw_gradient: str) -> Network:
    """The same network with another stand-in for the derivative of a draw in every layer."""
    is_layer = lambda node: isinstance(node, Layer)  # noqa: E731
    change = lambda node: node.with_draw_gradient(draw_gradient) if is_layer(node) else node  # noqa: E731
    return jax.tree.map(change, network, is_leaf=is_layer)


def _through_the_draw(
    learned: Network, key: Array, _: Array, *, rest: Network, batch: Batch, loss: str
) -> Array:
    return jnp.mean(sequence_losses(loss, eqx.combine(learned, rest)(batch.inputs, key), batch))


def _score_function(
    learned: Network, key: Array, baseline: Array, *, rest: Network, batch: Batch, loss: str
) -> Array:
    network = eqx.combine(learned, rest)
    spikes = jax.lax.stop_gradient(network(batch.inputs, key).spikes)
    potentials = network.readout(spikes[-1] if spikes else batch.inputs)
    losses = sequence_losses(loss, Response(potentials, spikes), batch)
    score = jax.lax.stop_gradient(losses - baseline) * log_probability(
        network, batch.inputs, spikes
    )
    return jnp.mean(score + losses)


def require_probabilities(network: Network) -> None:
    for number, layer in enumerate(network.populations):
        require_known_probability(layer, f"layer {number}")
    if network.disturbance is not None or network.readout.layers or network.is_normalised:
        raise ModelError(
            "The score function takes neither voters, nor normalisation, nor a disturbance."
        )
