"""The base class of losses, of those in :mod:`neurocode.tasks.losses` and of those users write."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import jax
import jax.numpy as jnp
import numpy as np

Array = jax.Array

#: Targets of a loss: one label per sequence, one label per step, or one number per step and output.
LABELS, LABELS_OF_STEPS, VALUES_OF_STEPS = "labels", "labels of steps", "values of steps"


class Loss(ABC):
    """A loss of a network on a batch, and the score that is reported with it.

    A subclass defines in :meth:`loss_and_score` what it computes. An object of it is passed as the
    loss of a :class:`~neurocode.tasks.Task` or to :func:`neurocode.learning.train`. Two losses of
    one class are equal if their attributes are equal; attributes are numbers, strings, truth values
    or tuples of them.

    Attributes
    ----------
    name : str
        Name that is written into results; the name of the class where none is given.
    score_name : str
        Name of the quantity that the score measures.
    larger_is_better : bool
        Whether a larger score is better.
    targets : {"labels", "labels of steps", "values of steps"}
        Kind of the targets, which have the shape (sequences,), (sequences, time) or (sequences,
        time, outputs). Scores count sequences in the first case and valid steps in the others.
    of_potentials : bool
        Whether the loss reads only the potentials of the readout and nothing else of the network.

    Examples
    --------
    >>> class Margin(Loss):
    ...     "One minus the lead of the right output in the last step, averaged over the batch."
    ...
    ...     def loss_and_score(self, evidence, targets, valid):
    ...         right, last = jax.nn.one_hot(targets, evidence.shape[-1]), evidence[-1]
    ...         rivals = jnp.max(last - 1e9 * right, axis=-1)
    ...         lead = jnp.sum(last * right, axis=-1) - rivals
    ...         return jnp.mean(1 - lead), jnp.sum(lead > 0)
    >>> evidence = jnp.array([[[3.0, 1.0], [0.0, 0.5]]])
    >>> targets, valid = jnp.array([0, 0]), jnp.ones((1, 2), bool)
    >>> loss, right = Margin().loss_and_score(evidence, targets, valid)
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
        """Return the mean loss of a batch, and the sum of scores over its answers.

        Parameters
        ----------
        evidence : array
            Result of :meth:`evidence`: potentials (time, batch, outputs) unless a subclass defines
            it otherwise.
        targets : array
            Labels (batch,) or (time, batch), or values (time, batch, outputs).
        valid : bool array (time, batch)
            Steps that count.
        """

    def evidence(
        self, network: Any, batch: Any, key: Array | None, training: bool
    ) -> tuple[Array, tuple[Array, ...]]:
        """Return the evidence that the loss takes from one pass of a network on a batch, and the
        spikes of the layers."""
        response = network(batch.inputs, key, training=training)
        return response.potentials, response.spikes

    def pooled(self, evidence: Array) -> Array:
        """Return the evidence of several passes of a noisy network (passes, …) pooled: the mean."""
        return jnp.mean(evidence, axis=0)

    def answers(self, valid: Array) -> Array:
        """Return the number of answers that a score counts: sequences, or valid steps."""
        return jnp.asarray(valid.shape[1]) if self.targets == LABELS else jnp.sum(valid)

    def complaint(self, targets: np.ndarray, steps: tuple[int, int], n_outputs: int) -> str | None:
        """Return what is wrong with the targets of a part with ``steps`` (sequences, time), or None
        if nothing is."""
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
