"""Dense, recurrent and convolutional networks of one membrane model, with and without noise (Ma,
Yan, Tang 2023)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jax
import numpy as np

import neurocode as nc
from analyses.datasets import dataset, smaller
from neurocode.learning import (
    Chain,
    Convolution,
    Dense,
    Layer,
    Network,
    Pool,
    Readout,
    Recurrent,
    Surrogate,
    Task,
    Voters,
    architectures,
    stratified,
)
from neurocode.tasks import Shifts
from neurocode.tasks.losses import CrossEntropy, mean_potential

Row = dict[str, Any]
Options = dict[str, Any]

STEP = 1e-3
#: Number of steps for which an image is shown to each network. Two is that of the shipped CIFAR-10
#: command; four is our choice, not from the paper.
STEPS = {"dense": 4, "lenet": 4, "cifar": 2}
#: Hidden neurons of dense networks, and whether they are connected with each other.
SIZES = {"digits": (100, False), "mnist10k": (200, False), "braille": (128, True)}
#: Time constant in seconds of the integrators that read images. Those of convolutional networks do
#: not integrate, as released, so theirs is practically zero.
READOUT, NO_INTEGRATION = 4e-3, 1e-9
#: Number of voters for each Braille letter.
VOTERS = 10
IMAGE = (1, 28, 28)
#: Largest shift of the images in pixels while convolutional networks train.
SHIFT = 1
#: Share of the channels and units of the released CIFARNet that is kept.
CIFAR_WIDTH = 1 / 8
#: Channels, kernel and dense units of LeNet-5 (LeCun et al. 1998).
LENET_CHANNELS, LENET_KERNEL, LENET_DENSE = (6, 16), 5, (120, 84)
#: Factor from weights that are uniform within one over the root of the number of inputs to those of
#: He et al. 2015, with which convolutional networks start.
HE = float(np.sqrt(6.0))


class CountedVotes(CrossEntropy):
    """Cross entropy of the labels under a softmax of the number of voters of each class that spike,
    averaged over the valid steps.

    The released loss for voters without noise is the squared error of their rates. It has one
    correct class and 26 wrong ones, so it first silences all voters, and with noise the voters of
    some letters never fire again.
    """

    name = "counted_votes"

    def __init__(self, voters: int) -> None:
        self.voters = voters

    def aggregate(self, potentials: jax.Array, valid: jax.Array) -> jax.Array:
        """Return the mean number of voters of each class that spike."""
        return self.voters * mean_potential(potentials, valid)


def make_task(row: Row) -> Task:
    """Return the task of a row.

    Training and validation are divided anew for each seed. The training part is reduced to
    ``training_size`` of the row if that is not zero.
    """
    task = dataset(row["dataset"], row["seed"], STEPS[row["net"]])
    if row["dataset"] == "braille":
        task = replace(task, loss=CountedVotes(VOTERS))
    if row["net"] != "dense":
        task = replace(task, presentation=Shifts(IMAGE, SHIFT))
    if row["sequences"]:
        task = smaller(task, row["sequences"], row["seed"])
    if row["training_size"]:
        task = replace(task, training=stratified(task.training, row["training_size"], row["seed"]))
    return task


def layer_options(kind: str, width: float) -> tuple[nc.NeuronModel, Options]:
    """Return the neuron of a kind of network, and the options of its layers.

    ``deterministic`` has a Gaussian density of the given width as its surrogate derivative,
    ``escape`` draws its spikes, ``diffusive`` has noise on the membrane, and ``both`` is the
    released combination of the two noises. ``corrected`` is ``escape`` with a gradient that is
    exact to second order in a spike and its reset.
    """
    mode = {"deterministic": "none", "corrected": "escape"}.get(kind, kind)
    model = nc.models.noisy_lif(mode)
    model = model.with_parameters(
        {name: width for name in ("scale", "sigma") if name in model.parameters}
    )
    options: Options = {"surrogate": None, "reset_gradient": True}
    if model.noise is None:
        options["surrogate"] = Surrogate("gaussian", 1 / width, 1 / (width * np.sqrt(2 * np.pi)))
    if kind == "corrected":
        options["draw_gradient"] = "trapezoid_secant"
    return model, options


def make_network(row: Row, task: Task) -> Network:
    """Return the network of a row before training; every kind starts with the same weights."""
    model, options = layer_options(row["kind"], row["width"])
    return BUILDERS[row["net"]](row, task, model, options, jax.random.key(row["seed"]))


def _dense(
    row: Row, task: Task, model: nc.NeuronModel, options: Options, key: jax.Array
) -> Network:
    n, is_recurrent = SIZES[row["dataset"]]
    a, b, c = jax.random.split(key, 3)
    hidden = Layer(
        Dense(task.n_inputs, n, key=a),
        model,
        STEP,
        recurrent=Recurrent(n, key=b) if is_recurrent else None,
        **options,
    )
    if row["dataset"] != "braille":
        return Network([hidden, Readout(Dense(n, task.n_outputs, key=c), STEP, READOUT)])
    voters = Layer(Dense(n, VOTERS * task.n_outputs, key=c), model, STEP, **options)
    return Network([hidden, Voters(voters, task.n_outputs)])


def _cifar(
    row: Row, task: Task, model: nc.NeuronModel, options: Options, key: jax.Array
) -> Network:
    net = architectures.cifar_net(
        IMAGE,
        task.n_outputs,
        model,
        STEP,
        width=CIFAR_WIDTH,
        readout=NO_INTEGRATION,
        key=key,
        **options,
    )
    return _started_as_he(net)


def _lenet(
    row: Row, task: Task, model: nc.NeuronModel, options: Options, key: jax.Array
) -> Network:
    """Return LeNet-5 with neurons after each of its four maps."""
    keys = jax.random.split(key, 5)
    first = Convolution(IMAGE, LENET_CHANNELS[0], LENET_KERNEL, key=keys[0])
    pool = Pool(first.out_shape, 2)
    second = Convolution(pool.out_shape, LENET_CHANNELS[1], LENET_KERNEL, key=keys[1])
    last = Pool(second.out_shape, 2)
    wide, narrow = LENET_DENSE
    maps = (
        first,
        Chain([pool, second]),
        Chain([last, Dense(last.n_out, wide, key=keys[2])]),
        Dense(wide, narrow, key=keys[3]),
    )
    layers = [Layer(connection, model, STEP, **options) for connection in maps]
    return _started_as_he(
        Network(
            [*layers, Readout(Dense(narrow, task.n_outputs, key=keys[4]), STEP, NO_INTEGRATION)]
        )
    )


def _started_as_he(network: Network) -> Network:
    """Return the network with weights of the variance of He et al. 2015."""

    def scaled(path: tuple, array: jax.Array) -> jax.Array:
        return HE * array if path[-1] == jax.tree_util.GetAttrKey("weight") else array

    return jax.tree_util.tree_map_with_path(scaled, network)


BUILDERS: dict[str, Callable[..., Network]] = {"dense": _dense, "cifar": _cifar, "lenet": _lenet}
