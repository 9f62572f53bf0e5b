"""Patterns of input spikes in continuous time, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurocode.errors import DataError


@dataclass(frozen=True)
class Patterns:
    """Patterns of input spikes, sorted by time, with one label per pattern.

    Attributes
    ----------
    times : numpy.ndarray (spikes,)
        Spike times in seconds, all patterns one after another.
    synapses : numpy.ndarray of int (spikes,)
        Synapse at which each spike arrives.
    first : numpy.ndarray of int (patterns + 1,)
        Pattern ``p`` holds the spikes from ``first[p]`` up to, but not including, ``first[p + 1]``.
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
        """Return patterns made from a list of patterns, each a list of spike times in seconds for
        every synapse.

        Raises
        ------
        DataError
            If there is no pattern, patterns differ in the number of synapses, times are negative or
            not finite, or labels are negative, not whole, or not one per pattern.

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
        label_array = np.asarray(labels)
        if label_array.shape != (len(patterns),):
            raise DataError(f"There are {label_array.size} labels for {len(patterns)} patterns.")
        if np.any(label_array != label_array.astype(int)) or np.any(label_array < 0):
            raise DataError("Labels are whole numbers from zero.")
        times, synapses, counts = [], [], []
        for number, pattern in enumerate(patterns):
            trains = [np.asarray(train, float) for train in pattern] or [np.empty(0)]
            spike_times = np.concatenate(trains)
            if not np.all(np.isfinite(spike_times)) or np.any(spike_times < 0):
                raise DataError(
                    f"Pattern {number} holds spike times that are not finite or negative."
                )
            index = np.repeat(np.arange(len(pattern)), [len(train) for train in pattern])
            order = np.argsort(spike_times, kind="stable")
            times.append(spike_times[order])
            synapses.append(index[order])
            counts.append(len(spike_times))
        return cls(
            np.concatenate(times),
            np.concatenate(synapses),
            np.r_[0, np.cumsum(counts)],
            numbers.pop(),
            label_array.astype(int),
        )


def latency_patterns(n_patterns: int, n_synapses: int, duration: float, seed: int) -> Patterns:
    """Return random latency patterns with one spike per synapse, uniform in time, and random labels
    of zero or one.

    Parameters
    ----------
    n_patterns, n_synapses : int
    duration : float
        Duration of a pattern in seconds.
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
