"""Intrinsic parameters of a layer of neurons, learned or fixed."""

from __future__ import annotations

from collections.abc import Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.models.bounds import Bounds
from neurocode.models.model import NeuronModel

Array = jax.Array


class Intrinsic(eqx.Module):
    """Values of the parameters of a model for each neuron of a layer.

    Learned parameters are kept in the coordinates of :class:`~neurocode.models.bounds.Bounds`, as
    in fits, with one exception: a parameter with two finite bounds is kept as its relative position
    between them and is projected back into them after every update. The coordinates of parameters
    with a single bound or none are in units of the starting value.

    Parameters
    ----------
    model : NeuronModel
    learned : sequence of str
        Parameters to learn. Those that the model declares ``per_neuron`` have one value per neuron;
        the others are shared.
    n : int
        Number of neurons.
    key : jax.Array, optional
        Random key with which learned parameters with two bounds are drawn uniformly between them;
        without it all start at the model's value.
    shared : sequence of str
        Learned parameters with one value for the layer, whatever the model declares.

    Raises
    ------
    ModelError
        For a parameter that the model does not have or that it fixes, a parameter that is shared
        but not learned, or a value that starts on a single bound.
    """

    coordinates: dict[str, Array]
    model: NeuronModel = eqx.field(static=True)

    def __init__(
        self,
        model: NeuronModel,
        learned: Sequence[str],
        n: int,
        key: Array | None = None,
        shared: Sequence[str] = (),
    ) -> None:
        self.model = model
        if odd := [name for name in shared if name not in learned]:
            raise ModelError(f"Parameter '{odd[0]}' is to be shared, but it is not learned.")
        unknown = [name for name in learned if name not in model.free]
        if unknown:
            raise ModelError(
                f"Model '{model.name}' has no free parameter '{unknown[0]}'; it has "
                f"{', '.join(model.free) or 'none'}."
            )
        self.coordinates = {}
        for number, name in enumerate(learned):
            shape = (n,) if model.parameters[name].per_neuron and name not in shared else ()
            draw_key = None if key is None else jax.random.fold_in(key, number)
            self.coordinates[name] = _start(model, name, shape, draw_key)

    def values(self) -> dict[str, Array | float]:
        """Return the values of all parameters of the model in SI units."""
        fixed = {
            name: float(value) if np.ndim(value) == 0 else jnp.asarray(value)
            for name, value in self.model.values.items()
        }
        return {
            **fixed,
            **{name: _value(_bounds(self.model, name), c) for name, c in self.coordinates.items()},
        }

    def projected(self) -> Intrinsic:
        """Return a copy with every parameter inside its bounds."""
        inside = {
            name: jnp.clip(c, 0.0, 1.0) if _bounds(self.model, name).two_sided else c
            for name, c in self.coordinates.items()
        }
        return eqx.tree_at(lambda module: module.coordinates, self, inside)


def _bounds(model: NeuronModel, name: str) -> Bounds:
    """Return the bounds of a parameter with its scale: the distance of the model's value from a
    single bound or, without bounds, the magnitude of that value."""
    low, high = model.parameters[name].si_bounds
    bound, value = low if np.isfinite(low) else high, float(np.mean(model.values[name]))
    return Bounds(
        low, high, abs(value - bound) if np.isfinite(bound) else abs(value) or 1.0, place=True
    )


def _start(model: NeuronModel, name: str, shape: tuple[int, ...], key: Array | None) -> Array:
    bounds, value = (
        _bounds(model, name),
        np.broadcast_to(np.asarray(model.values[name], float), shape),
    )
    if bounds.two_sided and key is not None:
        return jax.random.uniform(key, shape)
    if bounds.one_sided and bounds.scale == 0:
        raise ModelError(f"Parameter '{name}' starts on its bound; give it a value inside.")
    return jnp.asarray(_sign(bounds) * bounds.coordinate(value), float)


def _value(bounds: Bounds, coordinate: Array) -> Array:
    return bounds.value(coordinate if _sign(bounds) > 0 else -coordinate)


def _sign(bounds: Bounds) -> int:
    """Return minus one if the single bound is an upper one, as files of networks hold the logarithm
    of the distance to it; otherwise one."""
    return -1 if bounds.one_sided and np.isfinite(bounds.high) else 1
