"""Active electrode compensation: the response of the electrode is estimated from noise and
subtracted from the voltage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_toeplitz
from scipy.optimize import least_squares
from scipy.signal import fftconvolve

from neurocode.errors import DataError

#: Length of the whole response, end of the part that may belong to the electrode, and start of the
#: part that belongs to the membrane alone, in seconds.
RESPONSE, ELECTRODE, MEMBRANE_ALONE = 80e-3, 3e-3, 5e-3


@dataclass(frozen=True)
class ElectrodeKernel:
    """Response of an electrode to current.

    Attributes
    ----------
    kernel : numpy.ndarray
        Voltage after a unit of current in one sample, in volts per ampere.
    dt : float
        Sampling interval in seconds.
    """

    kernel: np.ndarray
    dt: float

    @property
    def resistance(self) -> float:
        """Resistance of the electrode in ohms."""
        return float(np.sum(self.kernel))

    def compensate(self, voltage: np.ndarray, current: np.ndarray) -> np.ndarray:
        """Voltage (V) without the drop of the current (A) over the electrode."""
        return voltage - fftconvolve(current, self.kernel)[: len(current)]


def electrode_kernel(voltage: np.ndarray, current: np.ndarray, dt: float) -> ElectrodeKernel:
    """Estimate the electrode's response from a subthreshold recording under weak noise.

    The linear response of electrode and membrane together is the filter that best predicts the
    voltage from the current; the exponential of the membrane is fitted to its tail and what remains
    in the first 3 ms is the electrode's (Brette et al. 2008; Badel et al. 2008).

    Parameters
    ----------
    voltage, current : numpy.ndarray
        In volts and amperes, sampled alike.
    dt : float
        Sampling interval in seconds.

    Returns
    -------
    ElectrodeKernel

    Raises
    ------
    DataError
        If the recording is shorter than 1 s, the current is constant, or no membrane response is
        found.

    Examples
    --------
    >>> current = 1e-11 * np.random.default_rng(1).standard_normal(100_000)
    >>> response = 2.5e7 * np.eye(1, 600)[0] + 4e5 * np.exp(-np.arange(600) * 1e-4 / 20e-3)
    >>> voltage = fftconvolve(current, response)[:100_000]
    >>> round(electrode_kernel(voltage, current, 1e-4).resistance / 1e6)
    25
    """
    if len(current) * dt < 1.0:
        raise DataError(
            f"The electrode recording lasts {len(current) * dt:g} s, at least 1 s is needed."
        )
    if not np.ptp(current) > 0:
        raise DataError("The current of the electrode recording is constant.")
    response = _linear_response(
        voltage - voltage.mean(), current - current.mean(), round(RESPONSE / dt)
    )
    time = np.arange(len(response)) * dt
    membrane = time >= MEMBRANE_ALONE
    tail = least_squares(
        lambda p: p[0] * np.exp(-time[membrane] / p[1]) - response[membrane],
        (response[membrane][0], 20e-3),
        x_scale="jac",
    )
    size, decay = tail.x
    if not (decay > 0 and size > 0):
        raise DataError("The electrode recording shows no exponential response of the membrane.")
    first = time < ELECTRODE
    return ElectrodeKernel(response[first] - size * np.exp(-time[first] / decay), dt)


def _linear_response(voltage: np.ndarray, current: np.ndarray, length: int) -> np.ndarray:
    """Least-squares filter from current to voltage, computed from their correlations."""
    full = len(current) - 1
    auto = fftconvolve(current, current[::-1])[full : full + length]
    cross = fftconvolve(voltage, current[::-1])[full : full + length]
    return solve_toeplitz(auto, cross)
