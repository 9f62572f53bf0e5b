"""Goodness of fit of a point process by time rescaling, corrected for discrete time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurocode.errors import DataError
from neurocode.units import unmasked

#: Asymptotic 95 % point of sqrt(n) times the Kolmogorov-Smirnov statistic.
KS_95 = 1.358


@dataclass(frozen=True)
class TimeRescaling:
    """Outcome of a time-rescaling test.

    Attributes
    ----------
    statistic : float
        Kolmogorov-Smirnov distance to the uniform distribution.
    band : float
        95 % point of that distance under a correct model.
    passed : bool
    quantiles : numpy.ndarray
        Sorted rescaled intervals, uniform on (0, 1) under a correct model.
    """

    statistic: float
    band: float
    passed: bool
    quantiles: np.ndarray


def rescaled_intervals(
    probability: np.ndarray, spikes: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Interspike intervals in units of the integrated hazard, mapped to (0, 1).

    A spike is placed at random inside its bin from the distribution that the hazard implies, which
    removes the bias of binning (Haslinger, Pipa & Brown 2010, eqs 2.14-2.16).

    Parameters
    ----------
    probability : numpy.ndarray
        Conditional probability of a spike in each bin.
    spikes : numpy.ndarray of bool
        One value per bin.
    random : numpy.random.Generator

    Returns
    -------
    numpy.ndarray
        One value per interval between two spikes.

    Raises
    ------
    DataError
        For probabilities outside [0, 1], more than one spike in a bin, or arrays of different
        length.
    """
    probability, spikes = (
        unmasked(probability, "The probability").astype(float),
        unmasked(spikes, "The spikes"),
    )
    if np.any((spikes != 0) & (spikes != 1)):
        raise DataError("Time rescaling needs at most one spike in each bin.")
    if (
        probability.ndim != 1
        or probability.shape != spikes.shape
        or np.any(~(probability >= 0))
        or np.any(probability > 1)
    ):
        raise DataError("Time rescaling needs one probability in [0, 1] for each bin.")
    hazard = -np.log1p(-np.minimum(probability, 1 - 1e-15))
    total = np.concatenate([[0.0], np.cumsum(hazard)])
    bins = np.flatnonzero(spikes)
    within = -np.log1p(-random.uniform(size=len(bins)) * probability[bins])
    elapsed = total[bins[1:]] - total[bins[:-1] + 1] + within[1:]
    return -np.expm1(-elapsed)


def time_rescaling(
    probabilities: Sequence[np.ndarray], spikes: Sequence[np.ndarray], *, seed: int = 0
) -> TimeRescaling:
    """Kolmogorov-Smirnov test of a point process on its rescaled intervals, pooled over sweeps.

    Parameters
    ----------
    probabilities, spikes : sequence of numpy.ndarray
        One array per sweep; see :func:`rescaled_intervals`.
    seed : int

    Returns
    -------
    TimeRescaling
        If there is no interval, its values are NaN and ``passed`` is False.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> time_rescaling([np.full(100_000, 0.01)], [random.uniform(size=100_000) < 0.01]).passed
    True
    """
    random = np.random.default_rng(seed)
    pairs = zip(probabilities, spikes, strict=True)
    return uniform_test(
        np.concatenate([np.empty(0), *(rescaled_intervals(p, s, random) for p, s in pairs)])
    )


def uniform_test(values: np.ndarray) -> TimeRescaling:
    """Kolmogorov-Smirnov test that rescaled intervals are uniform on (0, 1).

    Parameters
    ----------
    values : numpy.ndarray

    Returns
    -------
    TimeRescaling
        If there is no interval, its values are NaN and ``passed`` is False.

    Examples
    --------
    >>> uniform_test(np.linspace(0.05, 0.95, 10)).passed
    True
    """
    values = np.sort(values)
    n = len(values)
    if n == 0:
        return TimeRescaling(np.nan, np.nan, False, values)
    above = np.max(np.arange(1, n + 1) / n - values)
    below = np.max(values - np.arange(n) / n)
    statistic, band = float(max(above, below)), KS_95 / np.sqrt(n)
    return TimeRescaling(statistic, float(band), bool(statistic < band), values)
