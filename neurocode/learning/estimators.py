"""Estimates of the gradient of a noisy network's expected loss, and their variance.

In the backward pass the straight-through estimate replaces a spike by its probability (noise-driven
learning; Ma, Yan, Tang 2023); it is biased where the loss is not linear in a spike. The trapezoid
weights that derivative by whether there was a spike (Liu et al. 2023); it is biased where the loss
is not quadratic in a spike. The secant takes differences through the reset; see
:class:`neurocode.learning.Layer`. The score function (Williams 1992) weights the gradient of the
log probability of all spikes with the loss; it is unbiased but has a larger variance. Its baseline
is the mean loss of the other draws of the same sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

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
        For each learned array, the mean over draws, and the variance of the estimate from a single
        draw.
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
        A noisy network. For the score function its neurons must have escape noise and no diffusion,
        and it must be read by leaky integrators.
    batch : Batch
    loss : str or Loss
        See :class:`neurocode.tasks.Task`.
    estimator : {"straight_through", "trapezoid", "secant", "trapezoid_secant", "score_function"}
        How the gradient is estimated. All but the last replace the ``draw_gradient`` of the layers.
    n_draws : int
        Number of draws of the noise, at least two.
    seed : int

    Returns
    -------
    GradientEstimate

    Raises
    ------
    ModelError
        For an unknown estimator or one that a layer cannot have, fewer than two draws, spikes whose
        probability is not known, or a loss that does not read potentials.

    Examples
    --------
    >>> import neurocode as nc
    >>> from neurocode.learning import Dense, Layer, Readout
    >>> dense = Dense(2, 3, key=jax.random.key(0))
    >>> layer = Layer(dense, nc.models.noisy_lif(), 1e-3, surrogate=None)
    >>> network = Network([layer, Readout(Dense(3, 2, key=jax.random.key(1)), 1e-3)])
    >>> batch = Batch(jnp.ones((5, 4, 2)), jnp.zeros(4, int), jnp.ones((5, 4), bool))
    >>> estimate = estimate_gradient(network, batch, "mean_potential", n_draws=10)
    >>> estimate.mean.layers[0].connection.weight.shape
    (2, 3)
    """
    if estimator not in ESTIMATORS or n_draws < 2:
        raise ModelError(
            f"A gradient is estimated by {' or '.join(ESTIMATORS)}, from at least two draws."
        )
    loss = as_loss(loss)
    if not loss.of_potentials:
        raise ModelError(
            f"The gradient of the loss '{loss.name}' cannot be estimated, as it does not read "
            f"potentials."
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
        slopes = slope(learned, *draw)
        squares = jax.tree.map(jnp.square, slopes)
        return jax.tree.map(jnp.add, sums, (slopes, squares)), None

    zero = jax.tree.map(jnp.zeros_like, learned)
    (total, squares), _ = jax.lax.scan(visit, (zero, zero), (keys, baselines))
    mean = jax.tree.map(lambda value: value / len(keys), total)
    variance = jax.tree.map(lambda s, m: (s - len(keys) * m**2) / (len(keys) - 1), squares, mean)
    return mean, variance


def sequence_losses(loss: Loss, response: Response, batch: Batch) -> Array:
    """Return the loss of each sequence of a batch."""

    def single(potentials: Array, target: Array, valid: Array) -> Array:
        targets = target[None] if batch.targets.ndim == 1 else target[:, None]
        return loss.loss_and_score(potentials[:, None], targets, valid[:, None])[0]

    axis = 0 if batch.targets.ndim == 1 else 1
    return jax.vmap(single, in_axes=(1, axis, 1))(response.potentials, batch.targets, batch.valid)


def log_probability(network: Network, x: Array, spikes: tuple[Array, ...]) -> Array:
    """Return the logarithm of the probability of all spikes of each sequence, as a function of the
    parameters.

    Parameters
    ----------
    network : Network
    x : array (time, batch, inputs)
    spikes : tuple of array (time, batch, n)
        Spikes of each layer. A layer receives those of the layer before and is reset by its own.

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

    def is_layer(node: Any) -> bool:
        return isinstance(node, Layer)

    def changed(node: Any) -> Any:
        return node.with_draw_gradient(draw_gradient) if is_layer(node) else node

    return jax.tree.map(changed, network, is_leaf=is_layer)


def _through_the_draw(
    learned: Network, key: Array, _: Array, *, rest: Network, batch: Batch, loss: Loss
) -> Array:
    return jnp.mean(sequence_losses(loss, eqx.combine(learned, rest)(batch.inputs, key), batch))


def _score_function(
    learned: Network, key: Array, baseline: Array, *, rest: Network, batch: Batch, loss: Loss
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
