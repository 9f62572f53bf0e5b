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
    """A network in which a share of the outgoing spikes of every layer is lost, and the same share
    of silent steps spikes.

    Hidden layers only; voters are spared. Of each sequence, over all neurons and steps, the shares
    are taken of spikes and of silences and rounded down; the reset of a neuron and connections
    inside a layer see its own spikes.

    Parameters
    ----------
    network : Network
    share : float
        Between 0 and 1.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        For a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ModelError(f"A share of spikes lies between 0 and 1, not at {share}.")
    return Network([*network.layers, network.readout], _Flips(share))


def membrane_noise(network: Network, deviation: float) -> Network:
    """A network whose membrane potentials take a Gaussian number of this standard deviation in
    every step, and carry it on.

    The noise is a term of the equations, ``membrane_noise*xi_membrane/sqrt(membrane_step)``, on the
    first variable that the margin reads, beside any noise of the model. Hidden layers only.

    Parameters
    ----------
    network : Network
        Of models whose integrator takes noise, such as ``"euler"``.
    deviation : float
        In the unit of the membrane potential.

    Returns
    -------
    Network

    Raises
    ------
    ModelError
        For a negative deviation, or an integrator that takes no noise.
    """
    if deviation < 0:
        raise ModelError(
            f"The standard deviation of membrane noise is not negative, but {deviation}."
        )
    layers = [
        layer.with_model(_with_membrane_noise(layer.model, deviation, network.dt))
        for layer in network.layers
    ]
    return eqx.tree_at(lambda own: own.layers, network, tuple(layers))


@dataclass(frozen=True)
class _Flips:
    share: float

    def __call__(self, spikes: Array, key: Array) -> Array:
        order = jax.random.uniform(key, spikes.shape)
        return jnp.abs(
            spikes - _first(order, spikes > 0, self.share) - _first(order, spikes == 0, self.share)
        )


def _first(order: Array, chosen: Array, share: float) -> Array:
    """Of the entries chosen in each sequence (time, batch, n), one in the share that comes first in
    a random order."""
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
    more = {
        "membrane_noise": Parameter(
            deviation,
            unit,
            fixed=True,
            description="standard deviation of the disturbance in a step",
        ),
        "membrane_step": Parameter.of(f"{dt} s", fixed=True, description="step that it refers to"),
    }
    return replace(model, equations="\n".join(lines), parameters={**model.parameters, **more})
