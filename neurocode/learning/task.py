"""What a network is to learn: inputs, targets and the steps that count, in three parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import numpy as np

from neurocode.errors import DataError
from neurocode.learning.losses import LIKELIHOOD, LOSSES


@partial(jax.tree_util.register_dataclass, data_fields=["inputs", "targets", "valid"], meta_fields=[])
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

    def select(self, indices: np.ndarray) -> Part:
        """Some of the sequences."""
        return Part(self.inputs[indices], self.targets[indices], self.valid[indices])


@dataclass(frozen=True)
class Task:
    """A task.

    Attributes
    ----------
    name : str
    training, validation, test : Part
        Validation chooses; the test part is read once, at the end.
    loss : str
        See :func:`neurocode.learning.losses.loss_and_score`.
    n_outputs : int
    dt : float
        Time step in seconds.
    free_running_from : int, optional
        Step from which the network's own output is its input.

    Raises
    ------
    DataError
        For shapes that do not fit, values that are not finite, labels outside the outputs, or an unknown loss.
    """

    name: str
    training: Part
    validation: Part
    test: Part
    loss: str
    n_outputs: int
    dt: float
    free_running_from: int | None = None

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise DataError(f"Task '{self.name}': '{self.loss}' is no loss; known are {', '.join(LOSSES)}.")
        for label in ("training", "validation", "test"):
            _check(getattr(self, label), f"Task '{self.name}', {label} part", self.loss, self.n_outputs)

    @property
    def n_inputs(self) -> int:
        """Number of input channels."""
        return self.training.inputs.shape[2]


def _check(part: Part, where: str, loss: str, n_outputs: int) -> None:
    if part.inputs.ndim != 3 or part.valid.shape != part.inputs.shape[:2] or len(part.targets) != len(part.inputs):
        raise DataError(f"{where}: inputs {part.inputs.shape}, targets {part.targets.shape}, valid {part.valid.shape} do not fit.")
    if not len(part):
        raise DataError(f"{where} holds no sequence.")
    if not np.all(np.isfinite(part.inputs)) or not np.all(np.isfinite(part.targets)):
        raise DataError(f"{where} holds values that are not finite.")
    expected = {"per_step": part.valid.shape, **dict.fromkeys(("squared_error", LIKELIHOOD), (*part.valid.shape, n_outputs))}
    expected = expected.get(loss, (len(part),))
    if part.targets.shape != expected:
        raise DataError(f"{where}: targets are of shape {part.targets.shape}, expected {expected}.")
    if loss == LIKELIHOOD and not np.all((part.targets == 0) | (part.targets == 1)):
        raise DataError(f"{where}: recorded spikes are 0 or 1 in every step; take a finer step.")
    if loss not in ("squared_error", LIKELIHOOD) and (part.targets.min() < 0 or part.targets.max() >= n_outputs):
        raise DataError(
            f"{where}: labels lie between {part.targets.min()} and {part.targets.max()}, expected 0 to {n_outputs - 1}."
        )
    if not part.valid.any(axis=1).all():
        raise DataError(f"{where}: sequence {int(np.argmin(part.valid.any(axis=1)))} has no valid step.")


def split(inputs: np.ndarray, targets: np.ndarray, valid: np.ndarray, shares: tuple[float, float], seed: int) -> list[Part]:
    """Training, validation and test parts of sequences, each in random order; ``shares`` are those of the first two."""
    order = np.random.default_rng(seed).permutation(len(inputs))
    edges = np.cumsum([round(share * len(inputs)) for share in shares])
    return [Part(inputs, targets, valid).select(part) for part in np.split(order, edges)]


def stratified(part: Part, sequences: int, seed: int) -> Part:
    """Some sequences of a part, every label in proportion, in random order.

    Where each sequence has one label, a label is left out only if there are fewer sequences than labels, and how often each is
    taken depends on its number and the seed, not on the order of the part (the divisor method of Adams). Sequences with several
    labels or with trajectories are drawn at random.

    Parameters
    ----------
    part : Part
    sequences : int
        How many; a part that has no more is taken whole, in random order.
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
    if sequences < 1 or seed < 0:
        raise DataError(f"A subset takes one sequence at least and a seed from zero, not {sequences} and {seed}.")
    random = np.random.default_rng(seed)
    order = random.permutation(len(part))
    if part.targets.ndim == 1:
        order = order[_in_proportion(part.targets[order], random)]
    return part.select(random.permutation(order[:sequences]))


def shuffled(part: Part, seed: int) -> Part:
    """A part whose sequences come in random order."""
    return part.select(np.random.default_rng(seed).permutation(len(part)))


def _in_proportion(labels: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """An order whose every beginning holds the labels in proportion; those of one label stay in theirs."""
    label, counts = np.unique(labels, return_inverse=True, return_counts=True)[1:]
    number_within = np.empty(len(labels), int)
    number_within[np.argsort(label, kind="stable")] = np.concatenate([np.arange(count) for count in counts])
    turn = random.permutation(len(counts))
    return np.lexsort((turn[label], number_within / counts[label]))
