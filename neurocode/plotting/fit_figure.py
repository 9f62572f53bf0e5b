"""One page of a fit: stimulus, response, prediction, spike effect, goodness of fit."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.plotting import spikes
from neurocode.style import PREDICTED, TWO_COLUMNS, house_style, label_panel

SHOWN_PREDICTIONS = 10


def fit_figure(
    *,
    current: np.ndarray,
    voltage: np.ndarray | None,
    dt: float,
    recorded: list[np.ndarray],
    predicted: list[np.ndarray],
    psth: tuple[np.ndarray, np.ndarray, np.ndarray],
    effect: tuple[np.ndarray, np.ndarray, str],
    quantiles: np.ndarray,
    band: float,
    window: tuple[float, float],
    current_unit: str = "pA",
) -> Figure:
    """Draw the figure of a fit.

    Parameters
    ----------
    current, voltage : numpy.ndarray
        Frozen test current (in ``current_unit``) and one recorded membrane potential (mV), or None.
    dt : float
        Sampling interval of both in seconds.
    recorded, predicted : list of numpy.ndarray
        Spike times of the repeats in seconds.
    psth : tuple
        Times, recorded and predicted rate.
    effect : tuple
        Times since a spike (s), change of the distance to threshold, and its unit.
    quantiles, band : numpy.ndarray, float
        Sorted rescaled intervals and half-width of the 95 % band of the time-rescaling test.
    window : tuple of float
        Part of the test that is shown, in seconds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure = plt.figure(figsize=(TWO_COLUMNS, 5.6), layout="constrained")
        rows = figure.add_gridspec(6, 3, height_ratios=[0.8, 1, 1, 1, 1.1, 2.2])
        axes = [figure.add_subplot(rows[row, :]) for row in range(5)]
        inside = slice(int(window[0] / dt), int(window[1] / dt))
        times = np.arange(len(current))[inside] * dt
        spikes.trace(
            axes[0],
            times,
            current[inside],
            f"Current\n({current_unit})" if current_unit else "Current",
        )
        if voltage is None:
            axes[1].text(
                0.5,
                0.5,
                "no membrane potential recorded",
                transform=axes[1].transAxes,
                ha="center",
                va="center",
            )
            axes[1].set_yticks([])
        else:
            spikes.trace(axes[1], times, voltage[inside], "Potential\n(mV)")
        spikes.raster(axes[2], recorded, label="Recorded\nrepeat")
        spikes.raster(
            axes[3], predicted[:SHOWN_PREDICTIONS], color=PREDICTED, label="Predicted\nrepeat"
        )
        in_window = (psth[0] >= window[0]) & (psth[0] <= window[1])
        spikes.rates(axes[4], *(values[in_window] for values in psth))
        _share_time(axes, window)
        bottom = [figure.add_subplot(rows[5, :2]), figure.add_subplot(rows[5, 2])]
        spikes.spike_effect(bottom[0], *effect)
        spikes.rescaling(bottom[1], quantiles, band)
        bottom[1].set_box_aspect(1)
        for letter, panel in zip("abcdefg", [*axes, *bottom], strict=True):
            label_panel(panel, letter)
        figure.align_ylabels(axes)
    return figure


def _share_time(axes: list[Axes], window: tuple[float, float]) -> None:
    for panel in axes:
        panel.set_xlim(*window)
    for panel in axes[:-1]:
        panel.set_xticklabels([])
    axes[-1].set_xlabel("Time (s)")
