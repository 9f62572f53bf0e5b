"""Distances between pairs of spike trains: Victor-Purpura, van Rossum, SPIKE."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numba import njit

from neurocode.errors import DataError
from neurocode.recordings.trains import ROUNDING, SpikeTrainLike, repeats_of, spike_times
from neurocode.units import in_si, seconds


def victor_purpura_distance(
    first: SpikeTrainLike, second: SpikeTrainLike, cost: float = 100.0
) -> float:
    """Least cost of turning one train into the other by adding, removing and shifting spikes
    (Victor & Purpura 1996).

    Parameters
    ----------
    first, second : neo.SpikeTrain, quantity, or array of seconds
        Increasing spike times.
    cost : float or quantity
        Cost of a shift per second, as Elephant's ``cost_factor``. Adding or removing a spike costs
        1.

    Raises
    ------
    DataError
        For a train that cannot be used, or a cost that is negative or not a rate.

    Examples
    --------
    >>> round(victor_purpura_distance(np.array([0.1]), np.array([0.105]), cost=100.0), 6)
    0.5
    """
    cost = in_si(cost, "hertz", "The cost")
    if cost < 0:
        raise DataError(f"The cost of a shift is {cost:g} per second, expected zero or more.")
    return float(_victor_purpura(spike_times(first), spike_times(second), cost))


def van_rossum_distance(
    first: SpikeTrainLike, second: SpikeTrainLike, time_constant: float = 10e-3
) -> float:
    """Root of the squared difference of trains filtered with an exponential (van Rossum 2001),
    scaled as in Elephant.

    The distance between a train with a single spike and an empty train is 1.

    Parameters
    ----------
    first, second : neo.SpikeTrain, quantity, or array of seconds
        Increasing spike times.
    time_constant : float or quantity
        Time constant of the exponential in seconds.

    Raises
    ------
    DataError
        For a train that cannot be used, or a time constant that is not a positive time.

    Examples
    --------
    >>> van_rossum_distance(np.array([0.1]), np.array([]))
    1.0
    """
    a, b, time_constant = (
        spike_times(first),
        spike_times(second),
        seconds(time_constant, "The time constant"),
    )
    square = _exponential_product(a, a, time_constant) + _exponential_product(b, b, time_constant)
    return float(np.sqrt(max(0.0, square - 2 * _exponential_product(a, b, time_constant))))


def spike_distance(
    first: SpikeTrainLike, second: SpikeTrainLike, t_start: float, t_stop: float
) -> float:
    """Time average of the SPIKE-distance profile (Kreuz et al. 2013): between 0 and 1, without a
    time scale.

    Edges are treated as in PySpike: before the first and after the last spike of a train, its
    difference is that of this spike, and an empty train counts as one with spikes at both edges.
    (PySpike treats a train of one spike exactly at the start differently from one shortly after;
    here they are alike.)

    Parameters
    ----------
    first, second : neo.SpikeTrain, quantity, or array of seconds
        Increasing spike times inside ``[t_start, t_stop]``.
    t_start, t_stop : float or quantity
        In seconds.

    Raises
    ------
    DataError
        For a train that cannot be used, times outside the interval, or a stop that is not after the
        start.

    Examples
    --------
    >>> spike_distance(np.array([0.2, 0.6]), np.array([0.2, 0.6]), 0.0, 1.0)
    0.0
    """
    t_start, t_stop = in_si(t_start, "second", "The start"), in_si(t_stop, "second", "The stop")
    trains = [
        np.unique(train) if len(train) else np.array([t_start, t_stop])
        for train in map(spike_times, (first, second))
    ]
    if (
        not t_stop > t_start
        or min(t[0] for t in trains) < t_start - ROUNDING
        or max(t[-1] for t in trains) > t_stop + ROUNDING
    ):
        raise DataError(
            f"Spike times must lie inside [{t_start:g}, {t_stop:g}] s, an interval of some length."
        )
    trains = [np.clip(train, t_start, t_stop) for train in trains]
    edges = np.unique(np.concatenate([[t_start, t_stop], *trains]))
    starts, stops = edges[:-1], edges[1:]
    parts = [
        _spike_part(one_train, partner, starts, stops, t_start, t_stop)
        for one_train, partner in (trains, trains[::-1])
    ]
    (isi_a, *a), (isi_b, *b) = parts
    ends = [
        (x * isi_b + y * isi_a) / (0.5 * (isi_a + isi_b) ** 2) for x, y in zip(a, b, strict=True)
    ]
    return float(np.sum(0.5 * (ends[0] + ends[1]) * (stops - starts)) / (t_stop - t_start))


def mean_distance(
    first: Sequence[SpikeTrainLike],
    second: Sequence[SpikeTrainLike] | None,
    distance: Callable[[np.ndarray, np.ndarray], float],
) -> float:
    """Mean of a distance over all pairs between two groups, or over distinct pairs within one.

    Parameters
    ----------
    first, second : sequence of trains
        Neo trains in any unit, or spike times in seconds; without a second group, pairs are within
        the first.
    distance : callable
        Function of two trains in seconds.

    Returns
    -------
    float
        NaN where there is no pair.

    Raises
    ------
    DataError
        For a train that cannot be used.

    Examples
    --------
    >>> mean_distance([[0.1], [0.1], []], None, van_rossum_distance) == 2 / 3
    True
    """
    first = repeats_of(first)
    if second is None:
        values = [distance(a, b) for i, a in enumerate(first) for b in first[i + 1 :]]
    else:
        second = repeats_of(second)
        values = [distance(a, b) for a in first for b in second]
    return float(np.mean(values)) if values else np.nan


def _spike_part(
    train: np.ndarray,
    partner: np.ndarray,
    starts: np.ndarray,
    stops: np.ndarray,
    t_start: float,
    t_stop: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the interspike interval of a train around each stretch, and its spike differences from
    its partner at both ends of the stretch."""
    partner_first, partner_last = _auxiliary(partner, t_start, t_stop)
    pooled = np.concatenate([[partner_first], partner, [partner_last]])
    index = np.clip(np.searchsorted(pooled, train), 1, len(pooled) - 1)
    nearest = np.minimum(np.abs(train - pooled[index - 1]), np.abs(pooled[index] - train))
    first, last = _auxiliary(train, t_start, t_stop)
    knots = np.concatenate([[first], train, [last]])
    differences = np.concatenate([[nearest[0]], nearest, [nearest[-1]]])
    segment = np.searchsorted(knots, 0.5 * (starts + stops)) - 1
    width = knots[segment + 1] - knots[segment]

    def at(times: np.ndarray) -> np.ndarray:
        return (
            differences[segment] * (knots[segment + 1] - times)
            + differences[segment + 1] * (times - knots[segment])
        ) / width

    return width, at(starts), at(stops)


def _auxiliary(train: np.ndarray, t_start: float, t_stop: float) -> tuple[float, float]:
    """Return the spikes assumed before and after a train: one interval away, or at the edge if that
    is farther."""
    if len(train) < 2:
        return t_start, t_stop
    return min(t_start, 2 * train[0] - train[1]), max(t_stop, 2 * train[-1] - train[-2])


@njit(cache=True, nogil=True)
def _victor_purpura(first: np.ndarray, second: np.ndarray, cost: float) -> float:
    row = np.arange(second.size + 1, dtype=np.float64)
    for i in range(first.size):
        diagonal = row[0]
        row[0] = i + 1.0
        for j in range(second.size):
            shifted = diagonal + cost * abs(first[i] - second[j])
            diagonal = row[j + 1]
            row[j + 1] = min(row[j + 1] + 1.0, row[j] + 1.0, shifted)
    return row[second.size]


@njit(cache=True, nogil=True)
def _exponential_product(first: np.ndarray, second: np.ndarray, time_constant: float) -> float:
    """Sum of exp(-|t - u|/tau) over all pairs, in one pass by recursion on both sides."""
    total, trace, j, last = 0.0, 0.0, 0, -np.inf
    for t in first:
        while j < second.size and second[j] <= t:
            trace = trace * np.exp(-(second[j] - last) / time_constant) + 1.0 if trace > 0 else 1.0
            last = second[j]
            j += 1
        if trace > 0:
            total += trace * np.exp(-(t - last) / time_constant)
    trace, j, last = 0.0, second.size - 1, np.inf
    for k in range(first.size - 1, -1, -1):
        while j >= 0 and second[j] > first[k]:
            trace = trace * np.exp(-(last - second[j]) / time_constant) + 1.0 if trace > 0 else 1.0
            last = second[j]
            j -= 1
        if trace > 0:
            total += trace * np.exp(-(last - first[k]) / time_constant)
    return total
