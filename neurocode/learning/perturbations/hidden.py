"""Networks whose hidden spikes or membranes are disturbed (definitions of the code released with
Ma, Yan, Tang 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.network import Network
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.models.parameter import Parameter

Array = jax.Array


def spike_flips(network: Network, share: float) -> Network:
    """Return a network in which a share of the outgoing spikes of every layer is removed, and
    spikes are added in the same share of the silent steps.

    Only hidden layers are disturbed, not voters. In each sequence the two shares are taken over all
    neurons and steps and rounded down. The reset of a neuron and recurrent connections see the
    undisturbed spikes.

    Parameters
    ----------
    network : Network
    share : float
        Share of the spikes and of the silent steps, between 0 and 1.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        For a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ModelError(f"A share of spikes must lie between 0 and 1, not at {share}.")
    return Network([*network.layers, network.readout], _Flips(share))


def membrane_noise(network: Network, deviation: float) -> Network:
    """Return a network in which a Gaussian number of this standard deviation is added to each
    membrane potential in every step and persists in the dynamics.

    The noise is a term of the equations, ``membrane_noise*xi_membrane/sqrt(membrane_step)``, of the
    first variable that the margin reads, in addition to any noise of the model. Only hidden layers
    are disturbed.

    Parameters
    ----------
    network : Network
        A network of models whose integrator takes noise, such as ``"euler"``.
    deviation : float
        Standard deviation in the unit of the membrane potential.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        For a negative deviation, or an integrator that does not take noise.
    """
    if deviation < 0:
        raise ModelError(
            f"The standard deviation of membrane noise must not be negative, not {deviation}."
        )
    layers = [
        layer.with_model(_with_membrane_noise(layer.model, deviation, network.dt))
        for layer in network.layers
    ]
    return eqx.tree_at(lambda part: part.layers, network, tuple(layers))


@dataclass(frozen=True)
class _Flips:
    share: float

    def __call__(self, spikes: Array, key: Array) -> Array:
        order = jax.random.uniform(key, spikes.shape)
        return jnp.abs(
            spikes - _first(order, spikes > 0, self.share) - _first(order, spikes == 0, self.share)
        )


def _first(order: Array, chosen: Array, share: float) -> Array:
    """Return an array (time, batch, n) that is one at a share of the chosen entries of each
    sequence, those that come first in a random order, and zero elsewhere."""
    count = jnp.floor(share * jnp.sum(chosen, axis=(0, 2))).astype(int)
    among = jnp.where(chosen, order, jnp.inf)
    ranked = jnp.sort(jnp.moveaxis(among, 1, 0).reshape(order.shape[1], -1), axis=1)
    last = jnp.take_along_axis(ranked, jnp.maximum(count - 1, 0)[:, None], axis=1)[:, 0]
    return ((among <= last[:, None]) & (count > 0)[:, None]).astype(order.dtype)


def _with_membrane_noise(model: NeuronModel, deviation: float, dt: float) -> NeuronModel:
    if deviation == 0:
        return model
    variable = next(name for name in model.states if name in names_in(model.margin))
    lines = []
    for line in model.equations.splitlines():
        if line.strip().startswith(f"d{variable}/dt"):
            text, _, rest = line.partition(":")
            line = f"{text} + membrane_noise*xi_membrane/sqrt(membrane_step) :{rest}"
        lines.append(line)
    unit = next(equation.unit for equation in model.parsed if equation.name == variable)
    parameters = {
        "membrane_noise": Parameter(
            deviation,
            unit,
            fixed=True,
            description="standard deviation of the disturbance in a step",
        ),
        "membrane_step": Parameter.of(f"{dt} s", fixed=True, description="step that it refers to"),
    }
    return replace(model, equations="\n".join(lines), parameters={**model.parameters, **parameters})
