"""The Tempotron for neurons without a fixed potential: derivatives through the step of their model.

The trajectory without resets gives each neuron and sequence the time of its highest potential;
where that trajectory leaves all bounds, as a quadratic neuron's does above threshold, the time of
its first crossing stands for it. The derivative of the potential at that time, held fixed, moves
weights and intrinsic parameters of the neurons that were wrong.
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
#: leaving all bounds.
RUNAWAY = 10.0


@dataclass(frozen=True)
class LayerTempotron:
    """The Tempotron as the learning rule of a network of one layer, on a task with labels (ours).

    As :class:`Tempotron` moves weights by the derivative of a fixed potential at its maximum, this
    moves weights and learned intrinsic parameters alike by that of the potential of the model, with
    the time of the maximum held.

    Attributes
    ----------
    learning_rate : float
    momentum : float
        Share of the last change that is added.
    course : Course
    intrinsic_factor : float
        Learning rate of the intrinsic parameters over that of the weights; zero holds them.

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
                "The learning rate must be positive, the momentum from 0 up to 1, the factor not "
                "negative."
            )

    def fit(self, network: Network, task: Task, *, seed: int = 0) -> RuleResult:
        """Learn the batches of a task.

        Parameters
        ----------
        network : Network
        task : Task
        seed : int
            Of the order.

        Raises
        ------
        DataError
            If the task does not fit the network, or they are neurons and patterns, which
            :class:`Tempotron` takes.
        ModelError
            For a network of several layers, or with noise or connections inside the layer.
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
        """A network and its last change after a batch, and the share of errors."""
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
    """The network and the last change after a batch, and the share of neurons and sequences that
    were wrong."""
    margins = unreset_margins(network.layers[0], batch.inputs)
    margins = jnp.where(batch.valid[..., None], margins, -jnp.inf)
    wanted = classes_of_neurons(network) == batch.targets[:, None]
    wrong = (margins >= 0).any(axis=0) != wanted
    when = time_of_maximum(margins)
    sign = jnp.where(wanted, -1.0, 1.0) * wrong / len(wanted)
    learned, rest = trainable(network)
    slopes = jax.grad(
        lambda own: jnp.sum(sign * margin_at(eqx.combine(own, rest).layers[0], batch.inputs, when))
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
    """The last change before the first update."""
    return jax.tree.map(jnp.zeros_like, trainable(network)[0])


def unreset_margins(layer: Layer, x: Array) -> Array:
    """Distance to threshold (time, batch, n), in units of the margin, of neurons that never reset."""

    def visit(state: State, now: tuple[Array, Array]) -> tuple[State, Array]:
        return unreset_step(*now, state)

    current, start, unreset_step = _unreset(layer, x)
    return jax.lax.scan(visit, start, (current, jnp.arange(len(current))))[1]


def time_of_maximum(margins: Array) -> Array:
    """Step (batch, n) of the highest margin, or of the first crossing where a trajectory runs away."""
    bounded = jnp.all(jnp.isfinite(margins) | (margins == -jnp.inf), axis=0) & (
        jnp.max(margins, axis=0) < RUNAWAY
    )
    return jnp.where(bounded, jnp.argmax(margins, axis=0), jnp.argmax(margins >= 0, axis=0))


def margin_at(layer: Layer, x: Array, when: Array) -> Array:
    """Distance to threshold (batch, n) at given steps, without resets; nothing after them is
    computed on."""

    def visit(
        carry: tuple[State, Array], now: tuple[Array, Array]
    ) -> tuple[tuple[State, Array], None]:
        state, found = carry
        new, margin = unreset_step(*now, state)
        live = now[1] <= when
        kept = {name: jnp.where(live, value, state[name]) for name, value in new.items()}
        return (kept, jnp.where(now[1] == when, margin, found)), None

    current, start, unreset_step = _unreset(layer, x)
    return jax.lax.scan(
        visit, (start, jnp.zeros(when.shape, current.dtype)), (current, jnp.arange(len(current)))
    )[0][1]


def _unreset(layer: Layer, x: Array) -> tuple[Array, State, Any]:
    """Weighted sums, the state at time zero, and a step without spikes that gives the margin."""
    dynamics, current = layer.dynamics, layer.current(x)
    step = dynamics.step
    names = step.prepare(layer.intrinsic.values())

    def unreset_step(now: Array, number: Array, state: State) -> tuple[State, Array]:
        state = dynamics.integrated(state, now, names, None, number * step.dt)
        margin = step.margin(state, names) / dynamics.distance
        return step.settle(
            state, names, jnp.zeros_like(margin), lambda after, before: before
        ), margin

    return current, step.initial_state(names, current.shape[1:]), unreset_step
