"""Figure of a simulation: current and potential of the first trial, and all spikes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from neurocode.plotting import spikes
from neurocode.style import TWO_COLUMNS

#: Largest number of points of a line; more could not be distinguished.
POINTS = 4000


def simulation_figure(
    signals: Sequence[tuple[str, np.ndarray]], trains: Sequence[np.ndarray], duration: float
) -> Figure:
    """Draw signals of one trial above the spikes of all trials, over the same time.

    Parameters
    ----------
    signals : sequence of (str, numpy.ndarray)
        Axis label with unit, and values at equal intervals over the duration.
    trains : sequence of numpy.ndarray
        Spike times in seconds.
    duration : float
        In seconds.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> len(simulation_figure([("v (mV)", np.zeros(10))], [np.array([0.5])], 1.0).axes)
    2
    """
    figure = Figure(figsize=(TWO_COLUMNS, 1.1 * len(signals) + 2.2), layout="constrained")
    axes = figure.subplots(
        len(signals) + 1, 1, sharex=True, squeeze=False, height_ratios=[*[1.1] * len(signals), 2.0]
    )[:, 0]
    for axis, (label, values) in zip(axes, signals, strict=False):
        stride = -(-len(values) // POINTS)
        spikes.trace(
            axis,
            np.arange(0, len(values), stride) * duration / len(values),
            values[::stride],
            label,
        )
    spikes.raster(axes[-1], trains, label="Trial")
    axes[-1].set(xlabel="Time (s)", xlim=(0, duration))
    return figure
