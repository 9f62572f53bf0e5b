"""Networks of the study: 64 neurons of one model behind the input, each speaking for a class, and the rules that train them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import equinox as eqx
import jax
import numpy as np

import neurocode as nc
from analyses.complexity_classification.protocols import HOMEOSTATIC
from neurocode.learning import Dense, Layer, Network, Settings, Task
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

UNITS, STEP, BATCH, LOOKS = 64, 1e-3, 16, 5
#: Spread of the weights at the start around their drive.
SPREAD = (0.2, 1.8)
#: Bounds of what is learned or drawn: ours, around the fixed values.
BOUNDS = {
    "lif": {"tau": (1.0, 50.0), "theta": (0.5, 2.0)},
    "meta": {"a": (0.001, 0.2), "b": (0.0, 0.5), "c": (-0.3, 0.3), "d": (-0.1, 0.3)},
    "adlif": {"a": (0.0, 1.0), "b": (0.0, 2.0)},
}  # fmt: skip
#: Probability of an input spike in a bin, about, by task: constants, so that networks of all seeds are one compiled program.
RATES = {"rates": 0.15, "markov": 0.2, "mnist": 0.03, "breast": 0.1}
RECORDED_RATE = 0.1
#: Rates at a factor of one: of Adam, of the Tempotron over its inputs, of the weights of plasticity, of trials.
GRADIENT, TEMPOTRON, PLASTICITY, TRIAL = 0.03, 0.1, 0.02, 0.05
#: Of intrinsic parameters over weights under the Tempotron, whose rate grows with the inputs.
INTRINSIC = 0.3


def neuron(name: str) -> nc.NeuronModel:
    """A model with the bounds of the study; the meta-neuron takes its input through a sigmoid, as published."""
    model = {"lif": nc.models.normalised_lif, "meta": nc.models.meta_neuron, "adlif": nc.models.adlif}[name]()
    if name == "meta":
        model = replace(model, equations=model.equations.replace("- u + I)", "- u + 0.5 + 0.5*tanh(0.5*I))"))
    own = {
        parameter: replace(model.parameters[parameter], bounds=limits, fixed=False) for parameter, limits in BOUNDS[name].items()
    }
    return replace(model, parameters={**model.parameters, **{key: replace(p, per_neuron=True) for key, p in own.items()}})


def make_network(row: dict[str, Any], task: Task) -> Network:
    """Network of a row at its start.

    Weighted sums are counted in units of what the mean input gives through weights of one, for the meta-neuron in units of its
    standard deviation, so that a drive means the same in every task.
    """
    keys = jax.random.split(jax.random.key(row["seed"]), 3)
    n_in = task.n_inputs
    dense = Dense(n_in, UNITS, key=keys[0])
    drive = row["gain"] * jax.random.uniform(keys[1], (n_in, UNITS), minval=SPREAD[0], maxval=SPREAD[1])
    dense = eqx.tree_at(lambda part: part.weight, dense, drive)
    rate = RATES.get(row["task"], RECORDED_RATE)
    unit = 1 / np.sqrt(n_in * rate * (1 - rate)) if row["neuron"] == "meta" else 1 / (n_in * rate)
    learned = () if row["kind"] == "fixed" else tuple(BOUNDS[row["neuron"]])
    layer = Layer(
        dense, neuron(row["neuron"]), STEP, learned=learned, spread=row["kind"] == "random", current_unit=unit, key=keys[2]
    )
    return Network([layer, population_readout(UNITS, task.n_outputs, STEP)])


def make_rule(row: dict[str, Any], task: Task) -> Rule:
    """Rule of a row, at its factor; every rule makes the same number of updates on batches of the same size."""
    factor, learns = row["factor"], row["kind"] in ("learned", HOMEOSTATIC)
    batch = min(BATCH, len(task.training))
    looks = min(LOOKS, row["updates"])
    course = Course(row["updates"], batch, looks)
    if row["rule"] == "gradient":
        epochs = max(1, row["updates"] // (len(task.training) // batch))
        return SurrogateGradient(Settings(epochs, batch, GRADIENT * factor, clip=1.0, intrinsic=learns))
    if row["rule"] == "tempotron":
        rate = TEMPOTRON * factor * task.n_inputs
        return LayerTempotron(rate, 0.9, course=course, intrinsic_factor=INTRINSIC / task.n_inputs if learns else 0.0)
    drive = row["gain"] * task.n_inputs * RATES.get(row["task"], RECORDED_RATE)
    goal = "homeostasis" if row["kind"] == HOMEOSTATIC else "reward"
    trial = IntrinsicPerturbation(goal, TRIAL * factor) if learns else None
    plasticity = PairSTDP(PLASTICITY * factor, PLASTICITY * factor / 2, w_max=4 * row["gain"])
    return SupervisedSTDP(plasticity, drive, trial, course)
