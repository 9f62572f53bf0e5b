"""Cost of a trained classifier: energy of its synaptic operations, and time from an input to a
decision."""

from __future__ import annotations

import time

import equinox as eqx
import jax
import numpy as np
from sklearn.pipeline import Pipeline

from neurocode.learning import Network, Part, energy
from neurocode.learning.energy import MULTIPLY_ACCUMULATE
from neurocode.statistics import raster_complexities

#: Number of inputs that are timed; one more runs before them without being timed.
TIMED = 50


def cost_of(network: Network, part: Part, decoder: Pipeline, seed: int) -> dict[str, float]:
    """Return the mean energy and the median time of a decision by complexity, and the spikes per
    bin and neuron of the last layer.

    The energy counts additions at the synapses of the layers and one product per unit in the linear
    decision. The readout that is used in training takes no part in the decision. Parsing words is
    not a synaptic operation, so it is not counted.
    """
    table = energy(network, part, seed=seed).set_index("connection")
    synaptic = table["picojoule"].drop("readout").sum()
    return {
        "joules": float(1e-12 * (synaptic + MULTIPLY_ACCUMULATE * network.layers[-1].n)),
        "spike_rate": float(table.loc["readout", "rate"]),
        "milliseconds": milliseconds(network, part, decoder),
    }


def milliseconds(network: Network, part: Part, decoder: Pipeline) -> float:
    """Return the median time of a decision in ms, for one input after another on this machine,
    without compilation."""
    weights, offset = linear_decision(decoder)
    taken = []
    for x in part.inputs[: TIMED + 1]:
        began = time.perf_counter()
        trains = np.asarray(_spikes(network, x)).T[None]
        _ = float(raster_complexities(trains)[0] @ weights + offset) > 0
        taken.append(1e3 * (time.perf_counter() - began))
    return float(np.median(taken[1:]))


def linear_decision(decoder: Pipeline) -> tuple[np.ndarray, float]:
    """Return the weights and the offset of a discriminant of two classes on raw features.

    A weighted sum above zero stands for the second class.
    """
    scaler, linear = (step for _, step in decoder.steps)
    weights = linear.coef_[0] / scaler.scale_
    return weights, float(linear.intercept_[0] - scaler.mean_ @ weights)


@eqx.filter_jit
def _spikes(network: Network, x: jax.Array) -> jax.Array:
    """Return the spikes (bins, units) of the last layer for one input (bins, channels)."""
    return network(x[:, None]).spikes[-1][:, 0] > 0.5
