"""Intrinsic parameters of a layer of neurons, learned or fixed."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel

Array = jax.Array


class Intrinsic(eqx.Module):
    """Values of the parameters of a model for each neuron of a layer.

    A learned parameter with two finite bounds is kept as its place between them, from 0 to 1, and projected back there after
    every update (as in Baronig et al. 2025); one with a single bound as the logarithm of its distance to it, in units of its
    start; one with none in units of its start.

    Parameters
    ----------
    model : NeuronModel
    learned : sequence of str
        Parameters to learn. Those that the model declares ``per_neuron`` have a value for each neuron, others are shared.
    n : int
        Neurons.
    key : jax.Array, optional
        Draws learned parameters with two bounds uniformly between them; without it all start at the model's value.
    shared : sequence of str
        Learned parameters with one value for the layer, whatever the model declares.

    Raises
    ------
    ModelError
        For a parameter that the model does not have or that it fixes, one that is shared but not learned, or a start on a single
        bound.
    """

    coordinates: dict[str, Array]
    model: NeuronModel = eqx.field(static=True)

    def __init__(
        self, model: NeuronModel, learned: Sequence[str], n: int, key: Array | None = None, shared: Sequence[str] = ()
    ) -> None:
        self.model = model
        if odd := [name for name in shared if name not in learned]:
            raise ModelError(f"Parameter '{odd[0]}' is to be shared, but it is not learned.")
        unknown = [name for name in learned if name not in model.free]
        if unknown:
            raise ModelError(
                f"Model '{model.name}' has no free parameter '{unknown[0]}'; it has {', '.join(model.free) or 'none'}."
            )
        self.coordinates = {}
        for number, name in enumerate(learned):
            shape = (n,) if model.parameters[name].per_neuron and name not in shared else ()
            own = None if key is None else jax.random.fold_in(key, number)
            self.coordinates[name] = _start(model, name, shape, own)

    def values(self) -> dict[str, Array | float]:
        """Values in SI of all parameters of the model."""
        fixed = {name: float(value) if np.ndim(value) == 0 else jnp.asarray(value) for name, value in self.model.values.items()}
        return {**fixed, **{name: _value(self.model, name, c) for name, c in self.coordinates.items()}}

    def projected(self) -> Intrinsic:
        """With every parameter inside its bounds."""
        inside = {
            name: jnp.clip(c, 0.0, 1.0) if _kind(self.model, name) == "interval" else c for name, c in self.coordinates.items()
        }
        return eqx.tree_at(lambda module: module.coordinates, self, inside)


def _kind(model: NeuronModel, name: str) -> str:
    finite = np.isfinite(model.parameters[name].si_bounds)
    return "interval" if all(finite) else "half-line" if any(finite) else "line"


def _distance(model: NeuronModel, name: str) -> tuple[float, float]:
    """The single bound of a parameter, and the signed distance of its value to it."""
    low, high = model.parameters[name].si_bounds
    bound = low if np.isfinite(low) else high
    return bound, float(np.mean(model.values[name])) - bound


def _start(model: NeuronModel, name: str, shape: tuple[int, ...], key: Array | None) -> Array:
    kind, value = _kind(model, name), np.broadcast_to(np.asarray(model.values[name], float), shape)
    if kind == "interval":
        low, high = model.parameters[name].si_bounds
        return jnp.asarray((value - low) / (high - low), float) if key is None else jax.random.uniform(key, shape)
    if kind == "half-line":
        bound, distance = _distance(model, name)
        if distance == 0:
            raise ModelError(f"Parameter '{name}' starts on its bound; give it a value inside.")
        return jnp.asarray(np.log((value - bound) / distance), float)
    return jnp.asarray(value / (_scale(model, name)), float)


def _scale(model: NeuronModel, name: str) -> float:
    return abs(float(np.mean(model.values[name]))) or 1.0


def _value(model: NeuronModel, name: str, coordinate: Array) -> Array:
    kind = _kind(model, name)
    if kind == "interval":
        low, high = model.parameters[name].si_bounds
        return low + (high - low) * coordinate
    if kind == "half-line":
        bound, distance = _distance(model, name)
        return bound + distance * jnp.exp(coordinate)
    return coordinate * _scale(model, name)
