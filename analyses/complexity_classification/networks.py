"""Networks of the study: one or two layers of neurons of one model behind the input, and the rules
that train them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import numpy as np

import neurocode as nc
from analyses.complexity_classification.data import DT, P
from analyses.protocol import BATCH, settings_of
from neurocode.learning import Dense, Layer, Network, Task
from neurocode.learning.rules import (
    Course,
    IntrinsicPerturbation,
    LayerTempotron,
    PairSTDP,
    Rule,
    SupervisedSTDP,
    SurrogateGradient,
    population_readout,
)

Row = dict[str, Any]

#: Number of times that a local rule looks at validation.
LOOKS = 10
#: Range of the initial weights relative to their drive, and spike probability of a hidden layer
#: that is assumed when the next layer is scaled.
SPREAD, HIDDEN_RATE = (0.2, 1.8), 0.1
MODELS = {
    "lif": nc.models.normalised_lif,
    "threshold": nc.models.normalised_lif,
    "adlif": nc.models.adlif,
    "meta": nc.models.meta_neuron,
}
#: Intrinsic parameters that are learned or drawn, and their bounds, which are chosen here around
#: the fixed values. Time constants are in ms.
BOUNDS = {
    "lif": {"tau": (1.0, 50.0)},
    "threshold": {"theta": (0.5, 2.0)},
    "adlif": {"a": (0.0, 1.0), "b": (0.0, 2.0)},
    "meta": {"a": (0.001, 0.2), "b": (0.0, 0.5), "c": (-0.3, 0.3), "d": (-0.1, 0.3)},
}
#: Initial weighted sums divided by the threshold; for the meta-neuron their standard deviation.
DRIVE = {"lif": 0.9, "threshold": 0.9, "adlif": 6.0, "meta": 3.0}
#: Factor on the weights of the readout relative to those of a mean. Without it, rates of about a
#: tenth would differ too little for the cross entropy.
READOUT = 100.0
#: Learning rates: of the Tempotron per input; of its intrinsic parameters relative to its weights,
#: whose rate grows with the number of inputs; of the weights under plasticity; and of the trials.
TEMPOTRON, INTRINSIC, PLASTICITY, TRIAL = 0.1, 0.3, 0.02, 0.05
#: Kinds whose intrinsic parameters start at random values, and kinds that learn them.
RANDOM, LEARNING = ("random", "both"), ("learned", "both")


def neuron(name: str) -> nc.NeuronModel:
    """Return a model with the bounds of the study; the meta-neuron receives its input through a
    sigmoid, as published."""
    model = MODELS[name]()
    if name == "meta":
        model = replace(
            model, equations=model.equations.replace("- u + I)", "- u + 0.5 + 0.5*tanh(0.5*I))")
        )
    bounded = {
        parameter: replace(model.parameters[parameter], bounds=limits, fixed=False, per_neuron=True)
        for parameter, limits in BOUNDS[name].items()
    }
    return replace(model, parameters={**model.parameters, **bounded})


def make_network(row: Row, task: Task) -> Network:
    """Return the network of a row before training; all kinds start with the same weights."""
    keys = jax.random.split(jax.random.key(row["seed"]), 2 * row["depth"])
    layers, n_in, rate = [], task.n_inputs, P
    for number in range(row["depth"]):
        layers.append(_layer(row, n_in, rate, *keys[2 * number : 2 * number + 2]))
        n_in, rate = row["units"], HIDDEN_RATE
    readout = population_readout(row["units"], task.n_outputs, DT)
    louder = eqx.tree_at(
        lambda part: part.connection.weight, readout, READOUT * readout.connection.weight
    )
    return Network([*layers, louder])


def _layer(
    row: Row, n_in: int, rate: float, weight_key: jax.Array, intrinsic_key: jax.Array
) -> Layer:
    """Return a layer with initial weights in units of its input.

    The unit of the weighted sums is the mean input through weights of one. For the meta-neuron,
    whose sigmoid receives sums around zero, it is their standard deviation.
    """
    name, learned = row["neuron"], () if row["kind"] == "fixed" else tuple(BOUNDS[row["neuron"]])
    shape, scale = (n_in, row["units"]), DRIVE[name]
    if name == "meta":
        weight, unit = scale * jax.random.normal(weight_key, shape), 1 / np.sqrt(n_in * rate)
    else:
        weight, unit = (
            scale * jax.random.uniform(weight_key, shape, minval=SPREAD[0], maxval=SPREAD[1]),
            1 / (n_in * rate),
        )
    dense = eqx.tree_at(lambda part: part.weight, Dense(*shape, key=weight_key), weight)
    return Layer(
        dense,
        neuron(name),
        DT,
        learned=learned,
        spread=row["kind"] in RANDOM,
        current_unit=float(unit),
        key=intrinsic_key,
    )


def make_rule(row: Row, task: Task) -> Rule:
    """Return the rule of a row; every rule makes the same number of updates on batches of the same
    size."""
    batch, learns = min(BATCH, len(task.training)), row["kind"] in LEARNING
    updates = row["epochs"] * (len(task.training) // batch)
    course = Course(updates, batch, min(LOOKS, updates))
    if row["rule"] == "gradient":
        return SurrogateGradient(settings_of(row, intrinsic=learns))
    if row["rule"] == "tempotron":
        rate = TEMPOTRON * row["rate"] * task.n_inputs
        return LayerTempotron(
            rate, 0.9, course=course, intrinsic_factor=INTRINSIC / task.n_inputs if learns else 0.0
        )
    strength = DRIVE[row["neuron"]]
    plasticity = PairSTDP(
        PLASTICITY * row["rate"], PLASTICITY * row["rate"] / 2, w_max=4 * strength
    )
    trial = IntrinsicPerturbation("reward", TRIAL) if learns else None
    teacher = strength * task.n_inputs * P if row["rule"] == "teacher" else None
    return SupervisedSTDP(plasticity, teacher, trial, course)
