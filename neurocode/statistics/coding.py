"""Responses to a repeated stimulus: the peristimulus time histogram."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d

from neurocode.errors import DataError


def psth(
    trains: Sequence[np.ndarray], duration: float, *, bin_size: float = 1e-3, sigma: float = 10e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Peristimulus time histogram smoothed with a Gaussian.

    Parameters
    ----------
    trains : sequence of numpy.ndarray
        Spike times in seconds from the start of the stimulus.
    duration, bin_size, sigma : float
        In seconds.

    Returns
    -------
    times, rate : numpy.ndarray
        Bin centres in seconds and rate in hertz.

    Raises
    ------
    DataError
        If there is no train or the bins do not fit.

    Examples
    --------
    >>> times, rate = psth([np.array([0.5])], 1.0)
    >>> round(float(rate.sum() * 1e-3), 6)
    1.0
    """
    n_bins = round(duration / bin_size)
    if not trains or n_bins < 1:
        raise DataError("A histogram needs at least one spike train and one bin.")
    counts, edges = np.histogram(np.concatenate([*trains]), bins=n_bins, range=(0, n_bins * bin_size))
    rate = counts / (len(trains) * bin_size)
    return 0.5 * (edges[:-1] + edges[1:]), gaussian_filter1d(rate, sigma / bin_size, mode="constant")


def psth_correlation(first: Sequence[np.ndarray], second: Sequence[np.ndarray], duration: float, *, sigma: float = 10e-3) -> float:
    """Pearson correlation of two smoothed histograms; NaN where one is constant."""
    rates = [psth(trains, duration, sigma=sigma)[1] for trains in (first, second)]
    if min(np.ptp(rate) for rate in rates) == 0:
        return np.nan
    return float(np.corrcoef(*rates)[0, 1])
