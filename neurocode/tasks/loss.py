"""What a loss is: the base class of those in :mod:`neurocode.tasks.losses` and of one's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array

#: What a loss compares with: a label a sequence, a label a step, or a number for each step and
#: output.
LABELS, LABELS_OF_STEPS, VALUES_OF_STEPS = "labels", "labels of steps", "values of steps"


class Loss(ABC):
    """A loss of a network on a batch, and the score that is shown beside it.

    A subclass says in :meth:`loss_and_score` what it computes, and hands over an object of it as
    the loss of a :class:`~neurocode.tasks.Task` or of :func:`neurocode.learning.train`. Two losses
    of one class are equal where their attributes are, which are numbers, texts, truth values or
    tuples of them.

    Attributes
    ----------
    name : str
        Written into results; that of the class where it has none.
    score_name : str
        What the score is.
    larger_is_better : bool
        Whether a larger score is the better one.
    targets : {"labels", "labels of steps", "values of steps"}
        Of shape (sequences,), (sequences, time) or (sequences, time, outputs). Scores count
        sequences in the first case and valid steps in the others.
    of_potentials : bool
        Whether it reads the potentials of any readout and nothing else of the network.

    Examples
    --------
    >>> class Margin(Loss):
    ...     "One less the lead of the right output in the last step, on average over the batch."
    ...
    ...     def loss_and_score(self, evidence, targets, valid):
    ...         right = jax.nn.one_hot(targets, evidence.shape[-1])
    ...         lead = jnp.sum(evidence[-1] * right, axis=-1) - jnp.max(evidence[-1] - 1e9 * right, axis=-1)
    ...         return jnp.mean(1 - lead), jnp.sum(lead > 0)
    >>> loss, right = Margin().loss_and_score(jnp.array([[[3.0, 1.0], [0.0, 0.5]]]), jnp.array([0, 0]), jnp.ones((1, 2), bool))
    >>> float(loss), int(right)
    (0.25, 1)
    """

    name: ClassVar[str]
    score_name: ClassVar[str] = "share of right answers"
    larger_is_better: ClassVar[bool] = True
    targets: ClassVar[str] = LABELS
    of_potentials: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" not in vars(cls):
            cls.name = cls.__name__

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), tuple(sorted(vars(self).items()))))

    @abstractmethod
    def loss_and_score(self, evidence: Array, targets: Array, valid: Array) -> tuple[Array, Array]:
        """Mean loss of a batch, and the sum of scores over its answers.

        Parameters
        ----------
        evidence : array
            From :meth:`evidence`: potentials (time, batch, outputs) where a loss does not say
            otherwise.
        targets : array
            Labels (batch,) or (time, batch), or values (time, batch, outputs).
        valid : bool array (time, batch)
            Steps that count.
        """

    def evidence(
        self, network: Any, batch: Any, key: Array | None, training: bool
    ) -> tuple[Array, tuple[Array, ...]]:
        """What one pass of a network on a batch gives the loss to judge, and the spikes of its
        layers."""
        response = network(batch.inputs, key, training=training)
        return response.potentials, response.spikes

    def pooled(self, evidence: Array) -> Array:
        """Evidence of several passes of a noisy network (passes, …) taken together: the mean."""
        return jnp.mean(evidence, axis=0)

    def answers(self, valid: Array) -> Array:
        """Number of answers that a score counts: sequences, or valid steps."""
        return jnp.asarray(valid.shape[1]) if self.targets == LABELS else jnp.sum(valid)

    def complaint(self, targets: np.ndarray, steps: tuple[int, int], n_outputs: int) -> str | None:
        """What is wrong with the targets of a part of (sequences, time) ``steps``; None where
        nothing is."""
        shape = {LABELS: steps[:1], LABELS_OF_STEPS: steps, VALUES_OF_STEPS: (*steps, n_outputs)}[
            self.targets
        ]
        if targets.shape != shape:
            return f"targets are of shape {targets.shape}, expected {shape}."
        if self.targets != VALUES_OF_STEPS and (targets.min() < 0 or targets.max() >= n_outputs):
            return (
                f"labels lie between {targets.min()} and {targets.max()}, expected 0 to "
                f"{n_outputs - 1}."
            )
        return None
