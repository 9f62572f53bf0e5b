"""What all rules share: they take a network and return one that has learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd

from neurocode.errors import DataError, ModelError, TrainingError
from neurocode.learning.connections import Dense, as_dense
from neurocode.learning.evaluation import as_batch, check_fit, evaluate
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network
from neurocode.learning.objective import Batch
from neurocode.learning.readout import Readout, as_integrators
from neurocode.tasks.loss import LABELS
from neurocode.tasks.losses import as_loss
from neurocode.tasks.task import Task

Array = jax.Array


class Learned(Protocol):
    """The result of a rule, which holds at least the network and its history."""

    network: Network
    history: pd.DataFrame


class Rule(Protocol):
    """A learning rule."""

    def fit(self, network: Network, task: Task, *, seed: int = 0) -> Learned:
        """Learn a task."""
        ...


class LocalRule(Protocol):
    """A rule that consists of updates. It is a frozen value, so that equal rules share compiled
    programs."""

    def update(
        self, network: Network, memory: Any, batch: Batch, key: Array
    ) -> tuple[Network, Any, Array]:
        """Return the network and the memory of the rule after a batch, and the share of errors."""
        ...


@dataclass(frozen=True)
class RuleResult:
    """Result of a local rule.

    Attributes
    ----------
    network : Network
        The network with the best validation score of all looks.
    history : pandas.DataFrame
        One row per look: ``update, error, validation_score``; ``error`` is the share of errors of
        the rule since the look before.
    """

    network: Network
    history: pd.DataFrame


@dataclass(frozen=True)
class Course:
    """Length of the learning of a local rule.

    Attributes
    ----------
    updates, batch_size : int
    looks : int
        Number of evaluations on the validation part, at equal distances, the last of them after the
        last update.

    Raises
    ------
    TrainingError
        For numbers that are not positive, or more looks than updates.
    """

    updates: int = 200
    batch_size: int = 32
    looks: int = 10

    def __post_init__(self) -> None:
        if min(self.updates, self.batch_size, self.looks) < 1 or self.looks > self.updates:
            raise TrainingError(
                "Updates, batch size and looks must be positive, with no more looks than updates."
            )

    def run(
        self, network: Network, task: Task, rule: LocalRule, memory: Any, seed: int
    ) -> RuleResult:
        """Make the updates on batches in random order, one epoch after another."""
        require_labels(task)
        check_fit(network, task, self.batch_size)
        random, key = np.random.default_rng(seed), jax.random.key(seed)
        looks = set(np.linspace(0, self.updates, self.looks + 1).round().astype(int)[1:])
        rows, errors, best, order = [], [], network, np.empty(0, int)
        for number in range(1, self.updates + 1):
            if len(order) < self.batch_size:
                order = random.permutation(len(task.training))
            chosen, order = np.sort(order[: self.batch_size]), order[self.batch_size :]
            batch = as_batch(task.training.select(chosen))
            network, memory, error = _updated(
                rule, network, memory, batch, jax.random.fold_in(key, number)
            )
            errors.append(error)
            if number in looks:
                _require_finite(network, number)
                score = evaluate(network, task.validation, task, seed=seed).score
                if not rows or score > max(row["validation_score"] for row in rows):
                    best = network
                rows.append(
                    {
                        "update": number,
                        "error": float(jnp.mean(jnp.stack(errors))),
                        "validation_score": score,
                    }
                )
                errors = []
        return RuleResult(best, pd.DataFrame(rows))


@eqx.filter_jit
def _updated(
    rule: LocalRule, network: Network, memory: Any, batch: Batch, key: Array
) -> tuple[Network, Any, Array]:
    return rule.update(network, memory, batch, key)


def require_labels(task: Task) -> None:
    """Raise for a task without one label per sequence, or one with a presentation."""
    if task.presentation is not None:
        raise DataError(
            f"Task '{task.name}' shows its sequences by {task.presentation!r}, which local rules "
            f"do not support."
        )
    loss = as_loss(task.loss)
    if loss.targets != LABELS:
        raise DataError(
            f"Task '{task.name}' does not have one label per sequence: its loss is '{loss.name}'."
        )


def only_layer(network: Network, rule: str) -> Layer:
    """Return the layer of a network that has one layer of noiseless neurons without recurrent
    connections, read by densely connected integrators.

    Raises
    ------
    ModelError
        For any other network.
    """
    if len(network.layers) != 1 or network.layers[0].recurrent is not None or network.is_stochastic:
        raise ModelError(
            f"{rule} trains one layer of neurons without noise and without connections among them."
        )
    if not isinstance(network.readout, Readout) or not isinstance(
        network.readout.connection, Dense
    ):
        raise ModelError(
            f"{rule} needs a Readout with a dense connection, which gives the class of each neuron."
        )
    return network.layers[0]


def population_readout(n: int, n_classes: int, dt: float, time_constant: float = 100e-3) -> Readout:
    """Return a readout in which neuron ``j`` stands for class ``j`` modulo the number of classes,
    all with the same weight (our choice, not from a paper).

    Parameters
    ----------
    n, n_classes : int
        Numbers of neurons and of classes.
    dt, time_constant : float
        Time step, and time constant of the integrators, in seconds.

    Raises
    ------
    ModelError
        For fewer neurons than classes.

    Examples
    --------
    >>> population_readout(4, 2, 1e-3).connection.weight.tolist()
    [[0.5, 0.0], [0.0, 0.5], [0.5, 0.0], [0.0, 0.5]]
    """
    if n < n_classes:
        raise ModelError(f"{n_classes} classes need at least as many neurons, not {n}.")
    member = jnp.asarray(np.eye(n_classes)[np.arange(n) % n_classes])
    dense = eqx.tree_at(
        lambda part: part.weight,
        Dense(n, n_classes, bias=False, key=jax.random.key(0)),
        member / member.sum(axis=0),
    )
    return Readout(dense, dt, time_constant)


def classes_of_neurons(network: Network) -> Array:
    """Return the class (n,) of each neuron of the layer: the class for which its weight in the
    readout is largest."""
    return jnp.argmax(as_dense(as_integrators(network.readout).connection).weight, axis=1)


def _require_finite(network: Network, number: int) -> None:
    for leaf in jax.tree.leaves(eqx.filter(network, eqx.is_inexact_array)):
        if not bool(jnp.all(jnp.isfinite(leaf))):
            raise TrainingError(
                f"After update {number} weights or intrinsic parameters are not finite; take a "
                f"smaller rate."
            )
