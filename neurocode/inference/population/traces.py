"""Traces of spikes: exponentials that jump by one at each spike."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter


def spike_traces(spikes: NDArray, decays: NDArray) -> NDArray[np.float32]:
    """Return what each trace holds when the threshold of a bin is tested.

    A spike raises its traces by one after the threshold of its bin; the state update of each
    following bin multiplies them by their decays.

    Parameters
    ----------
    spikes : array (..., bins)
    decays : array (traces,)
        Factor per bin of each trace.

    Returns
    -------
    numpy.ndarray of float32 (..., traces, bins)

    Examples
    --------
    >>> spike_traces(np.array([0.0, 1.0, 0.0, 0.0]), np.array([0.5])).tolist()
    [[0.0, 0.0, 0.5, 0.25]]
    """
    columns = [lfilter([0.0, decay], [1.0, -decay], spikes, axis=-1) for decay in decays]
    return np.stack(columns, axis=-2).astype(np.float32)
