"""One page of a fit to spike times: intervals, their serial correlation, goodness of fit."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.plotting import spikes
from neurocode.recordings.binning import counts_between
from neurocode.style import PREDICTED, RECORDED, TWO_COLUMNS, house_style, label_panel

MOST_BINS = 80


def spike_times_figure(
    *,
    recorded: np.ndarray,
    simulated: np.ndarray,
    correlations: tuple[np.ndarray, np.ndarray],
    quantiles: np.ndarray,
    band: float,
) -> Figure:
    """Draw the figure of a fit to spike times.

    Parameters
    ----------
    recorded, simulated : numpy.ndarray
        Interspike intervals of the unit and of the fitted model, in seconds.
    correlations : tuple of numpy.ndarray
        Serial correlation of each from lag 1 on.
    quantiles, band : numpy.ndarray, float
        Sorted rescaled intervals and half-width of the 95 % band of the time-rescaling test.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure, axes = plt.subplots(
            1, 3, figsize=(TWO_COLUMNS, 2.1), layout="constrained", width_ratios=[1.4, 1, 1]
        )
        interval_histogram(axes[0], recorded, simulated)
        serial_correlation(axes[1], *correlations, n=len(recorded))
        spikes.rescaling(axes[2], quantiles, band)
        axes[2].set_box_aspect(1)
        for letter, panel in zip("abc", axes, strict=True):
            label_panel(panel, letter)
    return figure


def interval_histogram(axes: Axes, recorded: np.ndarray, simulated: np.ndarray) -> Axes:
    """Plot densities of recorded and simulated intervals up to the recorded 99th percentile."""
    end = float(np.quantile(recorded, 0.99))
    spread = float(np.subtract(*np.quantile(recorded, [0.75, 0.25])))
    bin_width = 2 * spread / len(recorded) ** (1 / 3)
    edges = np.linspace(0, end, int(np.clip(end / max(bin_width, 1e-6), 15, MOST_BINS)) + 1)
    widths = np.diff(edges)
    axes.stairs(
        counts_between(recorded, edges) / (len(recorded) * widths),
        edges * 1e3,
        fill=True,
        color="0.75",
        label="recorded",
    )
    if len(simulated):
        axes.stairs(
            counts_between(simulated, edges) / (len(simulated) * widths),
            edges * 1e3,
            color=PREDICTED,
            label="model",
        )
    axes.set(xlabel="Interspike interval (ms)", ylabel="Density (1/s)", xlim=(0, end * 1e3))
    axes.legend(frameon=False)
    return axes


def serial_correlation(axes: Axes, recorded: np.ndarray, simulated: np.ndarray, n: int) -> Axes:
    """Serial correlation coefficients by lag, with the 95 % range of independent intervals."""
    lags = np.arange(1, len(recorded) + 1)
    axes.axhspan(-1.96 / np.sqrt(n), 1.96 / np.sqrt(n), color="0.9", linewidth=0)
    axes.plot(lags, recorded, "o-", color=RECORDED, markersize=2.5, label="recorded")
    axes.plot(lags, simulated, "s-", color=PREDICTED, markersize=2.5, label="model")
    axes.set(
        xlabel="Lag (intervals)",
        ylabel="Serial correlation",
        xlim=(0.5, len(recorded) + 0.5),
        xticks=lags[::3],
    )
    return axes
