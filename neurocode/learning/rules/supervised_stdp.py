"""Spike-timing-dependent plasticity that learns labels, with a teacher's current or a reward."""

from __future__ import annotations

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, ModelError, TrainingError
from neurocode.learning.connections import Dense, as_dense
from neurocode.learning.layer import Layer
from neurocode.learning.network import Network
from neurocode.learning.objective import Batch
from neurocode.learning.readout import as_integrators
from neurocode.learning.rules.intrinsic_perturbation import IntrinsicPerturbation
from neurocode.learning.rules.rule import Course, RuleResult, classes_of_neurons, only_layer
from neurocode.learning.rules.stdp import PairSTDP
from neurocode.tasks.task import Task

Array = jax.Array


@dataclass(frozen=True)
class SupervisedSTDP:
    """Pair-based plasticity of one layer in which each neuron stands for a class (our choice, not
    from a paper; see :func:`population_readout`).

    With a teacher, a current excites the neurons of the right class during training and inhibits
    the others; the mean change over a batch is written after the batch. Without a teacher the
    neurons run freely. The changes of the neurons that stand for the answer of the network are then
    multiplied by a reward, which is one for a right answer and minus one for a wrong one, minus the
    mean over the batch.

    The weights of the network are clipped between zero and ``w_max`` at the start, and from then on
    the sum of the weights of each neuron is kept (Diehl & Cook 2015); otherwise all synapses that
    are used would end at the same weight. A neuron with a single synapse therefore learns nothing
    through it. Spike-timing rules do not change intrinsic parameters; these are learned by
    ``perturbation`` where it is given.

    Attributes
    ----------
    plasticity : PairSTDP
        Rule without ``tau_reward``, as the eligibility lasts for the whole sequence.
    teacher : float or None
        Weighted sum that is added for the right class and subtracted for the others. None takes the
        reward instead.
    perturbation : IntrinsicPerturbation, optional
    course : Course

    Raises
    ------
    TrainingError
        For a teacher that is not positive, or plasticity with ``tau_reward``.

    Examples
    --------
    >>> SupervisedSTDP(PairSTDP(a_plus=0.02, mu=1.0)).teacher
    1.0
    """

    plasticity: PairSTDP = PairSTDP()  # noqa: RUF009  a frozen value
    teacher: float | None = 1.0
    perturbation: IntrinsicPerturbation | None = None
    course: Course = Course()  # noqa: RUF009  a frozen value

    def __post_init__(self) -> None:
        if self.teacher is not None and not self.teacher > 0:
            raise TrainingError(f"The teacher's current must be positive, not {self.teacher:g}.")
        if self.plasticity.tau_reward is not None:
            raise TrainingError(
                "Supervised plasticity keeps its eligibility for the whole sequence: leave "
                "tau_reward out."
            )

    def fit(self, network: Network, task: Task, *, seed: int = 0) -> RuleResult:
        """Learn a task with labels.

        Raises
        ------
        ModelError
            For a network other than one dense layer without noise, or perturbation without learned
            parameters.
        DataError
            If the task does not fit the network, or its inputs are not spikes.
        """
        layer = only_layer(network, "Plasticity by spike timing")
        if not isinstance(layer.connection, Dense):
            raise ModelError("Plasticity by spike timing needs a dense connection.")
        if not np.all((task.training.inputs == 0) | (task.training.inputs == 1)):
            raise DataError(
                f"Task '{task.name}': plasticity by spike timing needs inputs of zero or one."
            )
        if self.perturbation is not None:
            self.perturbation.check(layer)
        start = eqx.tree_at(lambda network: network.layers[0], network, self._bounded(layer))
        return self.course.run(start, task, self, None, seed)

    def update(
        self, network: Network, memory: None, batch: Batch, key: Array
    ) -> tuple[Network, None, Array]:
        """Return the network after a batch, an empty memory, and the share of wrong answers."""
        classes, layer = classes_of_neurons(network), network.layers[0]
        if self.perturbation is not None:
            layer = self.perturbation.moved(layer, batch, classes, key)
        layer, wrong = self._changed(network, layer, batch, classes)
        return eqx.tree_at(lambda part: part.layers[0], network, layer), memory, wrong

    def _bounded(self, layer: Layer) -> Layer:
        return eqx.tree_at(
            lambda part: part.connection.weight,
            layer,
            jnp.clip(as_dense(layer.connection).weight, 0, self.plasticity.w_max),
        )

    def _changed(
        self, network: Network, layer: Layer, batch: Batch, classes: Array
    ) -> tuple[Layer, Array]:
        counted = batch.valid[..., None].astype(batch.inputs.dtype)
        signs = jnp.where(classes == batch.targets[:, None], 1.0, -1.0)
        free = layer.driven(layer.current(batch.inputs)) * counted
        votes = jnp.sum(free, axis=0) @ as_dense(as_integrators(network.readout).connection).weight
        answer = jnp.argmax(votes, axis=1)
        right = answer == batch.targets
        if self.teacher is None:
            reward = jnp.where(right, 1.0, -1.0)
            post, share = free * (classes == answer[:, None]), reward - jnp.mean(reward)
        else:
            post = layer.driven(layer.current(batch.inputs) + self.teacher * signs) * counted
            share = jnp.ones(len(signs))
        weights = as_dense(layer.connection).weight
        change = self.plasticity.held_change(
            weights, batch.inputs * counted, post, network.dt, share / len(signs)
        )
        new = jnp.clip(weights + change, 0, self.plasticity.w_max)
        new = jnp.clip(
            new * jnp.sum(weights, axis=0) / jnp.maximum(jnp.sum(new, axis=0), 1e-12),
            0,
            self.plasticity.w_max,
        )
        return eqx.tree_at(lambda part: part.connection.weight, layer, new), 1 - jnp.mean(right)
