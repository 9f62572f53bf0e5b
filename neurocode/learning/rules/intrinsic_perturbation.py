"""Intrinsic parameters that learn by perturbation: they move in the direction that served the goal
of the neuron."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError, TrainingError
from neurocode.learning.layer import Layer
from neurocode.learning.objective import Batch

Array = jax.Array
GOALS = ("reward", "homeostasis")


@dataclass(frozen=True)
class IntrinsicPerturbation:
    """Simultaneous perturbation of the parameters of every neuron, once in the direction of random
    signs and once against it (Spall 1992; the goals are our choice, not from the paper).

    Neurons without connections among them do not affect each other, so each is judged by its own
    goal. ``"reward"`` is the difference between its rate for its class and its rate for other
    classes, divided by their sum. ``"homeostasis"``, a control that does not use labels, is minus
    the squared relative distance of its rate from a target.

    Attributes
    ----------
    goal : {"reward", "homeostasis"}
    learning_rate, size : float
        Learning rate and size of the perturbation, in the coordinates of
        :class:`~neurocode.learning.intrinsic.Intrinsic`.
    target : float
        Spikes per step that homeostasis maintains.

    Raises
    ------
    TrainingError
        For an unknown goal or numbers that are not positive.

    Examples
    --------
    >>> IntrinsicPerturbation().goal
    'reward'
    """

    goal: str = "reward"
    learning_rate: float = 0.05
    size: float = 0.05
    target: float = 0.1

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise TrainingError(
                f"'{self.goal}' is not a goal of a perturbation; known are {', '.join(GOALS)}."
            )
        if not all(number > 0 for number in (self.learning_rate, self.size, self.target)):
            raise TrainingError("Rate, size and target of a perturbation must be positive.")

    def check(self, layer: Layer) -> None:
        """Raise for a layer whose learned parameters do not have one value per neuron.

        Raises
        ------
        ModelError
            If they do not, or if nothing is learned.
        """
        coordinates = layer.intrinsic.coordinates
        if not coordinates or any(values.shape != (layer.n,) for values in coordinates.values()):
            raise ModelError(
                "Perturbation needs learned intrinsic parameters, each with one value per neuron."
            )

    def moved(self, layer: Layer, batch: Batch, classes: Array, key: Array) -> Layer:
        """Return the layer after one trial on a batch."""
        coordinates = layer.intrinsic.coordinates
        signs = {
            name: jax.random.rademacher(
                jax.random.fold_in(key, number), (layer.n,), jnp.result_type(float)
            )
            for number, name in enumerate(coordinates)
        }
        up, down = (
            self._goal(_shifted(layer, signs, side * self.size), batch, classes)
            for side in (1.0, -1.0)
        )
        step = self.learning_rate * (up - down) / (2 * self.size)
        return _shifted(layer, signs, step)

    def _goal(self, layer: Layer, batch: Batch, classes: Array) -> Array:
        """Return the value (n,) of the goal that each neuron reached on a batch."""
        spikes = layer.driven(layer.current(batch.inputs)) * batch.valid[..., None]
        rates = jnp.sum(spikes, axis=0) / jnp.sum(batch.valid, axis=0)[:, None]
        if self.goal == "homeostasis":
            return -((jnp.mean(rates, axis=0) / self.target - 1) ** 2)
        wanted = classes == batch.targets[:, None]
        inside = jnp.sum(rates * wanted, axis=0) / jnp.maximum(jnp.sum(wanted, axis=0), 1)
        outside = jnp.sum(rates * ~wanted, axis=0) / jnp.maximum(jnp.sum(~wanted, axis=0), 1)
        return (inside - outside) / (inside + outside + 1e-3)


def _shifted(layer: Layer, signs: dict[str, Array], step: Array | float) -> Layer:
    coordinates = {
        name: value + step * signs[name] for name, value in layer.intrinsic.coordinates.items()
    }
    intrinsic = eqx.tree_at(lambda part: part.coordinates, layer.intrinsic, coordinates)
    return eqx.tree_at(lambda part: part.intrinsic, layer, intrinsic.projected())
