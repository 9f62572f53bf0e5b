"""Spikes from a membrane potential."""

from __future__ import annotations

import neo
import numpy as np

from neurocode.errors import DataError
from neurocode.units import number_in

THRESHOLD_MV = 0.0
DEAD_TIME_MS = 3.0


def detect_spikes(
    voltage: neo.AnalogSignal, *, threshold: float = THRESHOLD_MV, dead_time: float = DEAD_TIME_MS
) -> neo.SpikeTrain:
    """Upward threshold crossings of a membrane potential.

    Parameters
    ----------
    voltage : neo.AnalogSignal
        One channel.
    threshold : float
        In mV.
    dead_time : float
        In ms; crossings closer than this to the previous spike are ignored.

    Returns
    -------
    neo.SpikeTrain
        Times of the first sample at or above threshold.

    Raises
    ------
    DataError
        If there is more than one channel, or a value is not finite.

    Examples
    --------
    >>> import quantities as pq
    >>> v = neo.AnalogSignal([-70.0, 20.0, -70.0], units="mV", sampling_rate=10 * pq.kHz)
    >>> detect_spikes(v).magnitude
    array([0.0001])
    """
    values = voltage.rescale("mV").magnitude
    if values.shape[1] != 1:
        raise DataError(f"The voltage has {values.shape[1]} channels, expected 1.")
    values = values[:, 0]
    if not np.all(np.isfinite(values)):
        raise DataError(
            f"The voltage holds {np.sum(~np.isfinite(values))} values that are not finite."
        )
    crossings = np.flatnonzero((values[1:] >= threshold) & (values[:-1] < threshold)) + 1
    period = number_in(voltage.sampling_period, "s")
    kept = after_dead_time(crossings * period, dead_time * 1e-3)
    start = number_in(voltage.t_start, "s")
    return neo.SpikeTrain(
        start + kept, units="s", t_start=start, t_stop=start + len(values) * period
    )


def after_dead_time(times: np.ndarray, dead_time: float) -> np.ndarray:
    """Times that follow the previously kept time by more than ``dead_time``, in seconds."""
    kept: list[float] = []
    for time in times:
        if not kept or time - kept[-1] > dead_time:
            kept.append(float(time))
    return np.array(kept)
