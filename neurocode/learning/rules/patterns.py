"""Patterns of input spikes in continuous time, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurocode.errors import DataError


@dataclass(frozen=True)
class Patterns:
    """Patterns of input spikes, sorted by time, with a label each.

    Attributes
    ----------
    times : numpy.ndarray (spikes,)
        In seconds, all patterns one after another.
    synapses : numpy.ndarray of int (spikes,)
    first : numpy.ndarray of int (patterns + 1,)
        Pattern ``p`` holds spikes ``first[p]`` up to ``first[p + 1]``.
    n_synapses : int
    labels : numpy.ndarray of int (patterns,)
    """

    times: np.ndarray
    synapses: np.ndarray
    first: np.ndarray
    n_synapses: int
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.first) - 1

    @classmethod
    def of(cls, patterns: Sequence[Sequence[Sequence[float]]], labels: Sequence[int]) -> Patterns:
        """From a list of patterns, each a list of spike times (s) for every synapse.

        Raises
        ------
        DataError
            For no pattern, patterns of different numbers of synapses, times that are not finite or
            negative, or labels that are negative, not whole, or not one a pattern.

        Examples
        --------
        >>> Patterns.of([[[0.01], [0.03, 0.002]]], [1]).synapses.tolist()
        [1, 0, 1]
        """
        if not len(patterns):
            raise DataError("There is no pattern to learn.")
        numbers = {len(pattern) for pattern in patterns}
        if len(numbers) > 1:
            raise DataError(f"Patterns have different numbers of synapses: {sorted(numbers)}.")
        given = np.asarray(labels)
        if given.shape != (len(patterns),):
            raise DataError(f"There are {given.size} labels for {len(patterns)} patterns.")
        if np.any(given != given.astype(int)) or np.any(given < 0):
            raise DataError("Labels are whole numbers from zero.")
        times, synapses, counts = [], [], []
        for number, pattern in enumerate(patterns):
            own = np.concatenate([np.asarray(train, float) for train in pattern] or [np.empty(0)])
            if not np.all(np.isfinite(own)) or np.any(own < 0):
                raise DataError(
                    f"Pattern {number} holds spike times that are not finite or negative."
                )
            index = np.repeat(np.arange(len(pattern)), [len(train) for train in pattern])
            order = np.argsort(own, kind="stable")
            times.append(own[order])
            synapses.append(index[order])
            counts.append(len(own))
        return cls(
            np.concatenate(times),
            np.concatenate(synapses),
            np.r_[0, np.cumsum(counts)],
            numbers.pop(),
            given.astype(int),
        )


def latency_patterns(n_patterns: int, n_synapses: int, duration: float, seed: int) -> Patterns:
    """Random latency patterns: one spike per synapse, uniform in time, and labels of one or zero at
    random.

    Parameters
    ----------
    n_patterns, n_synapses : int
    duration : float
        In seconds.
    seed : int

    Returns
    -------
    Patterns

    Examples
    --------
    >>> len(latency_patterns(5, 10, 0.5, seed=0))
    5
    """
    random = np.random.default_rng(seed)
    times = random.uniform(0, duration, (n_patterns, n_synapses))
    order = np.argsort(times, axis=1)
    labels = (random.random(n_patterns) < 0.5).astype(int)
    return Patterns(
        np.take_along_axis(times, order, 1).ravel(),
        order.ravel(),
        np.arange(n_patterns + 1) * n_synapses,
        n_synapses,
        labels,
    )
