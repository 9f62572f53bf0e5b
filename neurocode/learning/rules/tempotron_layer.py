"""The Tempotron for neurons without a fixed potential, with derivatives through the step of their
model.

The trajectory without resets gives the time of the highest potential for each neuron and sequence.
If that trajectory diverges, as that of a quadratic neuron does above threshold, the time of its
first threshold crossing is taken instead. The derivative of the potential at that time, which is
held fixed, changes weights and intrinsic parameters of the neurons that were wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from neurocode.errors import DataError, TrainingError
from neurocode.extras import Library
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network
from neurocode.learning.objective import Batch
from neurocode.learning.rules.rule import Course, RuleResult, classes_of_neurons, only_layer
from neurocode.learning.trainable import scaled_intrinsic, trainable
from neurocode.simulation.step import State
from neurocode.tasks.task import Task

optax = Library("optax")
Array = jax.Array

#: Distance to threshold, in units of the margin, beyond which a trajectory without resets counts as
#: diverging.
RUNAWAY = 10.0


@dataclass(frozen=True)
class LayerTempotron:
    """The Tempotron as a learning rule of a network with one layer, on a task with labels (our
    choice, not from the paper).

    :class:`Tempotron` changes weights by the derivative of a fixed potential at its maximum. This
    rule changes both weights and learned intrinsic parameters by the derivative of the potential of
    the model, with the time of the maximum held fixed.

    Attributes
    ----------
    learning_rate : float
    momentum : float
        Share of the last change that is added.
    course : Course
    intrinsic_factor : float
        Learning rate of the intrinsic parameters relative to that of the weights; with zero they
        stay fixed.

    Raises
    ------
    TrainingError
        For a rate that is not positive, a negative factor, or a momentum outside [0, 1).

    Examples
    --------
    >>> LayerTempotron(learning_rate=0.1).momentum
    0.99
    """

    learning_rate: float = 1e-3
    momentum: float = 0.99
    course: Course = Course()  # noqa: RUF009  a frozen value
    intrinsic_factor: float = 1.0

    def __post_init__(self) -> None:
        if (
            not self.learning_rate > 0
            or not 0 <= self.momentum < 1
            or not self.intrinsic_factor >= 0
        ):
            raise TrainingError(
                "The learning rate must be positive, the momentum must be from 0 up to 1, and the "
                "factor must not be negative."
            )

    def fit(self, network: Network, task: Task, *, seed: int = 0) -> RuleResult:
        """Learn the batches of a task.

        Parameters
        ----------
        network : Network
        task : Task
        seed : int
            Seed of the order of the batches.

        Raises
        ------
        DataError
            If the task does not fit the network, or neurons and patterns are passed, which
            :class:`Tempotron` takes.
        ModelError
            For a network with several layers, noise or recurrent connections.
        """
        if not isinstance(network, Network) or not isinstance(task, Task):
            raise DataError(
                "LayerTempotron takes a Network and a Task; TempotronNeurons learn Patterns by "
                "the Tempotron."
            )
        only_layer(network, "The Tempotron")
        return self.course.run(network, task, self, no_change(network), seed)

    def update(
        self, network: Network, memory: Network, batch: Batch, key: Array
    ) -> tuple[Network, Network, Array]:
        """Return the network and its last change after a batch, and the share of errors."""
        return layer_update(
            network, memory, batch, self.learning_rate, self.momentum, self.intrinsic_factor
        )


def layer_update(
    network: Network,
    change: Network,
    batch: Batch,
    learning_rate: float,
    momentum: float,
    intrinsic_factor: float,
) -> tuple[Network, Network, Array]:
    """Return the network and the last change after a batch, and the share of pairs of neuron and
    sequence that were wrong."""
    margins = unreset_margins(network.layers[0], batch.inputs)
    margins = jnp.where(batch.valid[..., None], margins, -jnp.inf)
    wanted = classes_of_neurons(network) == batch.targets[:, None]
    wrong = (margins >= 0).any(axis=0) != wanted
    when = time_of_maximum(margins)
    sign = jnp.where(wanted, -1.0, 1.0) * wrong / len(wanted)
    learned, rest = trainable(network)
    slopes = jax.grad(
        lambda part: jnp.sum(
            sign * margin_at(eqx.combine(part, rest).layers[0], batch.inputs, when)
        )
    )(learned)
    slopes = scaled_intrinsic(slopes, intrinsic_factor)
    change = jax.tree.map(
        lambda last, slope: momentum * last - learning_rate * slope, change, slopes
    )
    return (
        eqx.combine(optax.apply_updates(learned, change), rest).projected(),
        change,
        jnp.mean(wrong),
    )


def no_change(network: Network) -> Network:
    """Return a change of zero, which stands for the last change before the first update."""
    return jax.tree.map(jnp.zeros_like, trainable(network)[0])


def unreset_margins(layer: Layer, x: Array) -> Array:
    """Return the distance to threshold (time, batch, n), in units of the margin, of neurons that
    never reset."""

    def visit(state: State, moment: tuple[Array, Array]) -> tuple[State, Array]:
        return unreset_step(*moment, state)

    current, start, unreset_step = _unreset(layer, x)
    return jax.lax.scan(visit, start, (current, jnp.arange(len(current))))[1]


def time_of_maximum(margins: Array) -> Array:
    """Return the step (batch, n) of the highest margin, or of the first crossing where the
    trajectory diverges."""
    bounded = jnp.all(jnp.isfinite(margins) | (margins == -jnp.inf), axis=0) & (
        jnp.max(margins, axis=0) < RUNAWAY
    )
    return jnp.where(bounded, jnp.argmax(margins, axis=0), jnp.argmax(margins >= 0, axis=0))


def margin_at(layer: Layer, x: Array, when: Array) -> Array:
    """Return the distance to threshold (batch, n) at given steps, without resets; the state stays
    fixed after them."""

    def visit(
        carry: tuple[State, Array], moment: tuple[Array, Array]
    ) -> tuple[tuple[State, Array], None]:
        state, margin_then = carry
        current_now, number = moment
        new, margin = unreset_step(current_now, number, state)
        live = number <= when
        kept = {name: jnp.where(live, value, state[name]) for name, value in new.items()}
        return (kept, jnp.where(number == when, margin, margin_then)), None

    current, start, unreset_step = _unreset(layer, x)
    return jax.lax.scan(
        visit, (start, jnp.zeros(when.shape, current.dtype)), (current, jnp.arange(len(current)))
    )[0][1]


def _unreset(layer: Layer, x: Array) -> tuple[Array, State, Any]:
    """Return the weighted sums, the state at time zero, and the step of neurons that never spike,
    which returns the new state and the margin."""
    dynamics, current = layer.dynamics, layer.current(x)
    step = dynamics.step
    names = step.prepare(layer.intrinsic.values())

    def unreset_step(current_now: Array, number: Array, state: State) -> tuple[State, Array]:
        state = dynamics.integrated(state, current_now, names, None, number * step.dt)
        margin = step.margin(state, names) / dynamics.distance
        return step.settle(
            state, names, jnp.zeros_like(margin), lambda after, before: before
        ), margin

    return current, step.initial_state(names, current.shape[1:]), unreset_step
