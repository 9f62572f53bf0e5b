"""Spike times into bins: the one place where a time becomes the number of a bin.

Bins are half open: bin ``k`` holds the times from its left edge up to, but not including, its
right edge.
Where bins follow from a width, a time that lies before an edge by no more than the rounding of
floating point counts as on the edge: ``0.3 / 0.1`` is 2.9999999999999996, and the spike at 0.3 s
begins the fourth bin of 0.1 s all the same.
"""

from __future__ import annotations

import math

import numpy as np

#: Largest distance before an edge, as a share of a bin, at which a time counts as on the edge.
ROUNDING = 1e-9


def bin_numbers(times: np.ndarray, width: float, *, rounding: float | None = None) -> np.ndarray:
    """Number of the bin that each time falls into; bins are ``width`` wide and the first begins at
    zero.

    Parameters
    ----------
    times : numpy.ndarray
        In seconds from the start of the first bin.
    width : float
        In seconds.
    rounding : float, optional
        Largest distance before an edge, as a share of a bin, at which a time counts as on the edge;
        by default that of :func:`rounding_late` for the latest time. Differences of times need the
        rounding of these times.

    Returns
    -------
    numpy.ndarray of int

    Examples
    --------
    >>> bin_numbers(np.array([0.0, 0.1, 0.3, 0.35]), 0.1)
    array([0, 1, 3, 3])
    """
    times = np.asarray(times)
    if rounding is None:
        rounding = rounding_late(float(np.max(np.abs(times), initial=0.0)), width)
    return np.floor(times / width + rounding).astype(np.int64)


def rounding_late(time: float, width: float) -> float:
    """Rounding for bins up to a time: late on a clock, times are rounded by more than the usual
    share of a bin.

    Examples
    --------
    >>> rounding_late(10.0, 0.002), rounding_late(1e6, 0.002) > 1e-7
    (1e-09, True)
    """
    return max(ROUNDING, 4 * math.ulp(time) / width)


def bins_up_to(duration: float, width: float, *, rounding: float | None = None) -> int:
    """Number of bins that cover a duration, at least one; the last bin is as wide as the others and
    may reach beyond the duration.

    Examples
    --------
    >>> bins_up_to(0.3, 0.1), bins_up_to(0.31, 0.1), bins_up_to(0.0, 0.1)
    (3, 4, 1)
    """
    rounding = rounding_late(duration, width) if rounding is None else rounding
    return max(1, math.ceil(duration / width - rounding))


def whole_bins(duration: float, width: float, *, rounding: float | None = None) -> int:
    """Number of whole bins inside a duration.

    Examples
    --------
    >>> whole_bins(0.3, 0.1), whole_bins(0.39, 0.1)
    (3, 3)
    """
    rounding = rounding_late(duration, width) if rounding is None else rounding
    return math.floor(duration / width + rounding)


def counts_between(times: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number of values in each bin between the edges, compared without rounding; a value on the
    last edge is in the last bin.

    Parameters
    ----------
    times, edges : numpy.ndarray
        In the same unit; edges increase.

    Returns
    -------
    numpy.ndarray of int, shape (edges - 1,)

    Examples
    --------
    >>> counts_between([0.0, 1.0, 1.5, 3.0, 4.0], np.array([0.0, 1.0, 2.0, 3.0]))
    array([1, 2, 1])
    """
    return np.histogram(times, edges)[0]


def interval_numbers(times: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Number of the bin between the edges that each time falls into; times beyond the edges are in
    the first or last bin.

    Examples
    --------
    >>> interval_numbers(np.array([-1.0, 0.0, 1.0, 9.0]), np.array([0.0, 1.0, 2.0]))
    array([0, 0, 1, 1])
    """
    return np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)


def window_counts_at(times: np.ndarray, starts: np.ndarray, width: float) -> np.ndarray:
    """Number of sorted times in each of several windows, which may overlap; times near an edge are
    treated as in :func:`bin_numbers`.

    Examples
    --------
    >>> window_counts_at(np.array([0.1, 0.3, 0.35]), np.array([0.0, 0.1, 0.2]), 0.2)
    array([1, 1, 2])
    """
    starts = np.asarray(starts) - ROUNDING * width
    return np.searchsorted(times, starts + width, "left") - np.searchsorted(times, starts, "left")
