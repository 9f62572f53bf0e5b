"""The step in which spike times were written down, found from the times themselves."""

from __future__ import annotations

import math

import numpy as np

from neurocode.recordings.trains import Trains

#: Steps below this many seconds are not looked for: no histogram here has bins as fine.
FINEST = 1e-6
#: Differences of this many seconds are those of rounding.
SAME_TIME = 1e-9
#: How many of the smallest distinct intervals are compared with a step, how many are needed to try
#: steps below the smallest of them, and the largest divisor that is tried.
COMPARED, NEEDED, LARGEST_DIVISOR = 200, 8, 1000
#: Share of a step by which an interval may miss a multiple of it.
TOLERANCE = 0.05


def time_resolution(trains: Trains) -> float:
    """Step of the clock that spike times were written down with.

    The step is the smallest difference between distinct spike times of a train, or a whole fraction
    of it, of which the 200 shortest distinct intervals are all multiples to within 5 % of the step.
    Sampling at 30 kHz gives 33 µs, and times in whole milliseconds give 1 ms.

    Parameters
    ----------
    trains : Trains
        Written down with one clock. Times that are not finite or not sorted are left out.

    Returns
    -------
    float
        In seconds. Zero where there is no such step of 1 µs or more, and where fewer than two
        distinct intervals leave it open; with fewer than eight, only the smallest interval itself
        is tried.

    Examples
    --------
    >>> round(time_resolution(Trains.of([[0.010, 0.012, 0.017], [0.004, 0.105]])), 9)
    0.0
    >>> round(time_resolution(Trains.of([[0.010, 0.012, 0.016], [0.004, 0.104]])), 9)
    0.002
    """
    intervals = [np.diff(trains.train(number)) for number in range(trains.n_trains)]
    pooled = np.concatenate([np.empty(0), *intervals])
    distinct = np.unique(np.round(pooled[pooled > SAME_TIME] / SAME_TIME))[:COMPARED] * SAME_TIME
    if len(distinct) < 2:
        return 0.0
    smallest = distinct[0]
    most = LARGEST_DIVISOR if len(distinct) >= NEEDED else 1
    steps = smallest / np.arange(1, most + 1)
    steps = steps[steps >= FINEST * (1 - TOLERANCE)]
    numbers = distinct / steps[:, None]
    fitting = np.flatnonzero(np.abs(numbers - np.round(numbers)).max(axis=1) <= TOLERANCE)
    if not fitting.size:
        return 0.0
    multiples = np.round(numbers[fitting[0]])
    return float(np.sum(distinct * multiples) / np.sum(multiples**2))


def grid_width(resolution: float, width: float) -> float:
    """Least width of bins, not below ``width``, that lie evenly on a grid of times.

    A width of an odd number of steps has no multiple of the step on an edge where bins are centred
    on one, so that every bin holds equally many of them.

    Parameters
    ----------
    resolution : float
        In seconds; zero for times on no grid.
    width : float
        In seconds.

    Examples
    --------
    >>> grid_width(0.0, 1e-3), grid_width(2e-3, 1e-3), round(grid_width(4e-4, 1e-3), 9)
    (0.001, 0.002, 0.0012)
    """
    if resolution <= 0:
        return width
    steps = max(1, math.ceil(width / resolution - TOLERANCE))
    return (steps + (steps % 2 == 0)) * resolution
