"""Regularisers of activity and of weights."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.connections import weights_of
from neurocode.learning.network import Network

Array = jax.Array


@dataclass(frozen=True)
class Regulariser:
    """Bounds of activity and decay of weights (Zenke & Vogels 2021). Spike counts are per trial.

    Attributes
    ----------
    lower, lower_count : float
        Strength, and the spike count that each neuron should reach. The penalty is the squared
        shortfall, averaged over neurons and trials.
    upper, upper_count : float
        Strength, and the spike count per neuron that a layer should not exceed. The penalty is the
        excess of the mean count of the layer, averaged over trials.
    upper_power : {1, 2}
        Power of that excess.
    weight_decay : float
        Strength of the penalty of half the squared weights, which leaves out biases and intrinsic
        parameters.
    intrinsic_decay : float
        Strength of the penalty of half the squared learned intrinsic parameters, in SI units.

    Raises
    ------
    ModelError
        For a strength or count that is negative or not finite, or a power other than 1 or 2.
    """

    lower: float = 0.0
    lower_count: float = 1e-3
    upper: float = 0.0
    upper_count: float = 100.0
    upper_power: int = 2
    weight_decay: float = 0.0
    intrinsic_decay: float = 0.0

    def __post_init__(self) -> None:
        numbers = (
            self.lower,
            self.upper,
            self.weight_decay,
            self.intrinsic_decay,
            self.lower_count,
            self.upper_count,
        )
        if not all(0 <= number < math.inf for number in numbers) or self.upper_power not in (1, 2):
            raise ModelError(
                "Strengths and counts of a regulariser must be finite and not negative, and its "
                "upper power must be 1 or 2."
            )

    def activity(self, spikes: Sequence[Array]) -> Array:
        """Return the penalty of the spikes (time, batch, n) of all layers."""
        total = jnp.zeros(())
        for layer in spikes:
            counts = jnp.sum(layer, axis=0)
            lack = jnp.maximum(self.lower_count - counts, 0.0)
            excess = jnp.maximum(jnp.mean(counts, axis=1) - self.upper_count, 0.0)
            total += self.lower * jnp.mean(lack**2) + self.upper * jnp.mean(
                excess**self.upper_power
            )
        return total

    def weights(self, network: Network) -> Array:
        """Return the penalty of the weights of a network."""
        connections = [part for layer in network.layers for part in layer.connections] + list(
            network.readout.connections
        )
        weights = [weight for part in connections for weight in weights_of(part)]
        return 0.5 * self.weight_decay * sum((jnp.sum(w**2) for w in weights), jnp.zeros(()))

    def intrinsic(self, network: Network) -> Array:
        """Return the penalty of the learned intrinsic parameters of a network."""
        values = [
            layer.intrinsic.values()[name]
            for layer in network.populations
            for name in layer.intrinsic.coordinates
        ]
        return (
            0.5 * self.intrinsic_decay * sum((jnp.sum(value**2) for value in values), jnp.zeros(()))
        )

    def __call__(self, network: Network, spikes: Sequence[Array]) -> Array:
        """Return the penalty of a network and its spikes."""
        penalty = jnp.zeros(())
        if self.lower or self.upper:
            penalty += self.activity(spikes)
        if self.weight_decay:
            penalty += self.weights(network)
        return penalty + self.intrinsic(network) if self.intrinsic_decay else penalty
