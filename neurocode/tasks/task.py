"""The definition of a task: inputs, targets and the steps that count, in three parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import as_loss
from neurocode.tasks.presentation import Presentation


@partial(
    jax.tree_util.register_dataclass, data_fields=["inputs", "targets", "valid"], meta_fields=[]
)
@dataclass(frozen=True)
class Part:
    """Sequences of one part of a task.

    Attributes
    ----------
    inputs : numpy.ndarray (sequences, time, channels)
    targets : numpy.ndarray
        Labels (sequences,) or (sequences, time), or trajectories (sequences, time, outputs).
    valid : numpy.ndarray of bool (sequences, time)
        Steps that count.
    """

    inputs: np.ndarray
    targets: np.ndarray
    valid: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs)

    def select(self, indices: np.ndarray | jax.Array) -> Part:
        """Return a part with the sequences at the given indices."""
        return Part(self.inputs[indices], self.targets[indices], self.valid[indices])


@dataclass(frozen=True)
class Task:
    """A task that a network learns.

    Attributes
    ----------
    name : str
    training, validation, test : Part
        Sequences for training, for the choice of the best network, and for the test, which is used
        only once, at the end.
    loss : str or Loss
        Name of one of :data:`neurocode.tasks.losses.LOSSES`, or an object of :class:`Loss`; it is
        kept as a :class:`Loss`.
    n_outputs : int
    dt : float
        Time step in seconds.
    free_running_from : int, optional
        Step from which the network's own output is its input.
    presentation : Presentation, optional
        How sequences are shown, anew for every batch: :class:`RateCoding`, :class:`Shifts` or
        another subclass of :class:`Presentation`. Without it they are shown as they are.

    Raises
    ------
    DataError
        For shapes that do not fit, values that are not finite, labels outside the outputs, or an
        unknown loss.
    """

    name: str
    training: Part
    validation: Part
    test: Part
    loss: str | Loss
    n_outputs: int
    dt: float
    free_running_from: int | None = None
    presentation: Presentation | None = None

    def __post_init__(self) -> None:
        try:
            loss = as_loss(self.loss)
        except ModelError as error:
            raise DataError(f"Task '{self.name}': {error}") from None
        object.__setattr__(self, "loss", loss)
        if self.free_running_from is not None and not loss.of_potentials:
            raise DataError(
                f"Task '{self.name}': the loss '{loss.name}' cannot be used with a network "
                f"that runs freely."
            )
        for label in ("training", "validation", "test"):
            part, where = getattr(self, label), f"Task '{self.name}', {label} part"
            _check(part, where, loss, self.n_outputs)
            if (
                self.presentation is not None
                and (wrong := self.presentation.complaint(part.inputs)) is not None
            ):
                raise DataError(f"{where}: {wrong}")

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self.training.inputs.shape[2]

    def shown(self, inputs: jax.Array, key: jax.Array, *, training: bool) -> jax.Array:
        """Return the inputs (time, batch, channels) of a batch as the network receives them in
        training or in evaluation."""
        return (
            inputs if self.presentation is None else self.presentation.shown(inputs, key, training)
        )


def _check(part: Part, where: str, loss: Loss, n_outputs: int) -> None:
    if (
        part.inputs.ndim != 3
        or part.valid.shape != part.inputs.shape[:2]
        or len(part.targets) != len(part.inputs)
    ):
        raise DataError(
            f"{where}: inputs {part.inputs.shape}, targets {part.targets.shape}, valid "
            f"{part.valid.shape} do not fit."
        )
    if not len(part):
        raise DataError(f"{where} holds no sequence.")
    if not np.all(np.isfinite(part.inputs)) or not np.all(np.isfinite(part.targets)):
        raise DataError(f"{where} holds values that are not finite.")
    if (wrong := loss.complaint(part.targets, part.valid.shape, n_outputs)) is not None:
        raise DataError(f"{where}: {wrong}")
    if not part.valid.any(axis=1).all():
        raise DataError(
            f"{where}: sequence {int(np.argmin(part.valid.any(axis=1)))} has no valid step."
        )


def split(
    inputs: np.ndarray,
    targets: np.ndarray,
    valid: np.ndarray,
    shares: tuple[float, float],
    seed: int,
) -> list[Part]:
    """Split sequences into training, validation and test parts, each in random order; ``shares``
    are those of the first two."""
    order = np.random.default_rng(seed).permutation(len(inputs))
    edges = np.cumsum([round(share * len(inputs)) for share in shares])
    return [Part(inputs, targets, valid).select(part) for part in np.split(order, edges)]


def stratified(part: Part, n_sequences: int, seed: int) -> Part:
    """Return some sequences of a part in random order, with labels in proportion.

    If each sequence has one label, a label is left out only if fewer sequences than labels are
    requested. How often a label is taken depends on its count and the seed, not on the order of the
    part (the divisor method of Adams). Sequences with several labels or with trajectories are drawn
    at random.

    Parameters
    ----------
    part : Part
    n_sequences : int
        Number of sequences. A part with no more than these is taken whole, in random order.
    seed : int

    Returns
    -------
    Part

    Raises
    ------
    DataError
        For fewer than one sequence, or a seed that is negative.

    Examples
    --------
    >>> part = Part(np.zeros((6, 1, 1)), np.array([0, 0, 0, 0, 1, 1]), np.ones((6, 1), bool))
    >>> sorted(stratified(part, 3, seed=0).targets.tolist())
    [0, 0, 1]
    """
    if n_sequences < 1 or seed < 0:
        raise DataError(
            f"A subset needs at least one sequence and a seed of at least zero, not {n_sequences} "
            f"and {seed}."
        )
    random = np.random.default_rng(seed)
    order = random.permutation(len(part))
    if part.targets.ndim == 1:
        order = order[_in_proportion(part.targets[order], random)]
    return part.select(random.permutation(order[:n_sequences]))


def shuffled(part: Part, seed: int) -> Part:
    """Return a part with its sequences in random order."""
    return part.select(np.random.default_rng(seed).permutation(len(part)))


def _in_proportion(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return an order of sequences in which the first ``k`` hold the labels in proportion for every
    ``k``; sequences with the same label keep their order."""
    label, counts = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    number_within = np.empty(len(labels), int)
    number_within[np.argsort(label, kind="stable")] = np.concatenate(
        [np.arange(count) for count in counts]
    )
    turn = random.permutation(len(counts))
    return np.lexsort((turn[label], number_within / counts[label]))
