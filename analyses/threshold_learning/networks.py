"""Networks of the study: the released neuron and voters, shallow and deep, with thresholds that
learn or stay fixed (Sun et al. 2023)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jax

import neurocode as nc
from analyses.datasets import dataset, smaller
from analyses.protocol import settings_of
from neurocode.learning import (
    BatchNorm,
    Chain,
    Convolution,
    Dense,
    JointDecision,
    Layer,
    Network,
    Pool,
    Readout,
    Recurrent,
    Regulariser,
    Settings,
    Surrogate,
    Task,
    Voters,
)
from neurocode.tasks import RateCoding

Row = dict[str, Any]
Connection = Dense | Convolution | Chain

STEP = 1e-3
#: Number of steps for which an image is drawn, as released.
STEPS = 4
SIZES = {"digits": (100, False), "mnist10k": (400, False), "braille": (128, True)}
#: Number of voters per class, and the surrogate of the released code (alpha 2).
VOTERS, SURROGATE = 10, Surrogate("arctan", 2.0)
#: Learned thresholds are stored as a coordinate between the bounds 0.01 and 10. This factor on
#: their learning rate makes their steps as large as those of the weights, as in the released code.
FACTOR = 0.1
#: Decay of the weights, and of the thresholds where they learn, as released.
DECAY = 1e-6
#: Neurons per layer of deep dense networks, and channels per layer of deep convolutional networks.
DEEP_NEURONS, DEEP_CHANNELS = 100, 8
IMAGE = (1, 28, 28)
#: Layers of a deep convolutional network before which images are pooled by two.
POOLED = (0, 2)


def make_task(row: Row) -> Task:
    """Return the task of a row.

    The spikes of an image are drawn anew at every presentation. The loss is the squared error of
    the rates of the voters.
    """
    task = dataset(row["dataset"], row["seed"], STEPS)
    task = smaller(task, row["sequences"], row["seed"]) if row["sequences"] else task
    return replace(
        task,
        loss="rate_squared_error",
        presentation=None if row["dataset"] == "braille" else RateCoding(),
    )


def make_network(row: Row, task: Task) -> Network:
    """Return the network of a row before training: hidden layers and voters.

    If ``joint`` of the row is true, the voters decide together with the potentials of leaky
    integrators.
    """
    keys = jax.random.split(jax.random.key(row["seed"]), 12)
    hidden = HIDDEN[row["net"]](row, task, keys[3:])
    n = hidden[-1].n
    voters = Voters(
        _layer(row, Dense(n, VOTERS * task.n_outputs, bias=False, key=keys[2])), task.n_outputs
    )
    if not row["joint"]:
        return Network([*hidden, voters])
    integrators = Readout(Dense(n, task.n_outputs, key=keys[1]), STEP, 4e-3)
    return Network([*hidden, JointDecision(voters, integrators, task.training.inputs.shape[1])])


def _single(row: Row, task: Task, keys: jax.Array) -> list[Layer]:
    """Return the hidden layer that the study uses for a data set."""
    n, is_recurrent = SIZES[row["dataset"]]
    loop = Recurrent(n, key=keys[1]) if is_recurrent else None
    return [_layer(row, Dense(task.n_inputs, n, bias=False, key=keys[0]), recurrent=loop)]


def _deep_dense(row: Row, task: Task, keys: jax.Array) -> list[Layer]:
    sizes = [task.n_inputs, *[DEEP_NEURONS] * (row["depth"] - 1)]
    return [
        _layer(row, Dense(n, DEEP_NEURONS, bias=False, key=key))
        for n, key in zip(sizes, keys, strict=False)
    ]


def _deep_convolutional(row: Row, task: Task, keys: jax.Array) -> list[Layer]:
    layers, shape = [], IMAGE
    for number, key in zip(range(row["depth"]), keys, strict=False):
        parts: list[Any] = [Pool(shape, 2)] if number in POOLED else []
        shape = parts[-1].out_shape if parts else shape
        parts.append(Convolution(shape, DEEP_CHANNELS, bias=False, key=key))
        shape = parts[-1].out_shape
        layers.append(_layer(row, Chain(parts), channels=DEEP_CHANNELS))
    return layers


HIDDEN = {"single": _single, "dense": _deep_dense, "convolutional": _deep_convolutional}


def _layer(
    row: Row,
    connection: Connection,
    channels: int | None = None,
    recurrent: Recurrent | None = None,
) -> Layer:
    model = nc.models.noisy_lif("none").with_parameters(theta=row["threshold"])
    if row["normalised"]:
        parts = connection.parts if isinstance(connection, Chain) else (connection,)
        connection = Chain([*parts, BatchNorm(connection.n_out, channels)])
    learned = () if row["learned"] == "weights" else ("theta",)
    return Layer(
        connection,
        model,
        STEP,
        learned=learned,
        surrogate=SURROGATE,
        reset_gradient=True,
        recurrent=recurrent,
    )


def make_settings(row: Row) -> Settings:
    """Return the training settings of a row."""
    decay = DECAY if row["learned"] != "weights" else 0.0
    return settings_of(
        row,
        weights=row["learned"] != "thresholds",
        intrinsic_factor=FACTOR,
        regulariser=Regulariser(weight_decay=DECAY, intrinsic_decay=decay),
    )
