"""Raised cosines in the logarithm of the lag (Pillow et al. 2008), at the resolution of bins, for a
stimulus that is constant within a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Lag in bins that is added before the logarithm; it sets how far the first cosines are apart.
OFFSET_BINS = 5.0


def raised_cosines(n_lags: int, count: int) -> NDArray[np.float64]:
    """Return ``count`` functions of the lags 1 to ``n_lags`` in bins, each of unit norm.

    Returns
    -------
    numpy.ndarray (n_lags, count)

    Examples
    --------
    >>> raised_cosines(100, 6).shape
    (100, 6)
    """
    places = np.log(np.arange(1, n_lags + 1) + OFFSET_BINS)
    centres = np.linspace(places[0], places[-1] * 0.985, count)
    width = 2 * (centres[1] - centres[0]) if count > 1 else places[-1] - places[0]
    phase = np.clip((places[:, None] - centres) / width, -1.0, 1.0)
    functions = 0.5 * (1 + np.cos(np.pi * phase))
    return functions / np.linalg.norm(functions, axis=0)


def framewise(functions: NDArray[np.float64], bins_per_frame: int) -> NDArray[np.float64]:
    """Sum functions of the lag in bins over the bins of each frame of the stimulus.

    Parameters
    ----------
    functions : array (n_lags, count)
        Functions of the lags 1 to ``n_lags``.
    bins_per_frame : int

    Returns
    -------
    numpy.ndarray (frame lags, bins_per_frame, count)
        Entry ``[l, q]`` is the weight of frame ``m - l`` in bin ``q`` of frame ``m``.

    Examples
    --------
    >>> framewise(np.ones((2, 1)), 2)[:, :, 0].tolist()
    [[0.0, 1.0], [2.0, 1.0]]
    """
    n_lags, count = functions.shape
    bins = np.arange(bins_per_frame)[None, :]
    frames_back = -((bins - np.arange(1, n_lags + 1)[:, None]) // bins_per_frame)
    weights = np.zeros((frames_back.max() + 1, bins_per_frame, count))
    for q in range(bins_per_frame):
        np.add.at(weights[:, q], frames_back[:, q], functions)
    return weights
