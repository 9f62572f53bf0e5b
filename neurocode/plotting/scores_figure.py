"""Held-out scores: recorded and predicted repeats, their rates, and time-rescaled intervals."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from neurocode.plotting import spikes
from neurocode.style import ONE_COLUMN, PREDICTED, TWO_COLUMNS, house_style

SHOWN_PREDICTIONS = 10


def scores_figure(
    quantiles: np.ndarray,
    band: float,
    *,
    recorded: list[np.ndarray] | None = None,
    predicted: list[np.ndarray] | None = None,
    psth: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> Figure:
    """Draw the figure of held-out scores.

    Parameters
    ----------
    quantiles, band : numpy.ndarray, float
        Sorted rescaled intervals and half-width of the 95 % band of the time-rescaling test.
    recorded, predicted : list of numpy.ndarray, optional
        Spike times of the repeats of one stimulus in seconds; without them, only the rescaled
        intervals are drawn.
    psth : tuple, optional
        Times, recorded and predicted rate.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> len(scores_figure(np.array([0.2, 0.7]), 0.5).axes)
    1
    """
    with house_style():
        if recorded is None or predicted is None or psth is None:
            figure, axes = plt.subplots(figsize=(ONE_COLUMN, ONE_COLUMN), layout="constrained")
            spikes.rescaling(axes, quantiles, band)
            return figure
        figure = plt.figure(figsize=(TWO_COLUMNS, 3.0), layout="constrained")
        grid = figure.add_gridspec(3, 2, width_ratios=[2.2, 1])
        rows = [figure.add_subplot(grid[row, 0]) for row in range(3)]
        spikes.raster(rows[0], recorded, label="Recorded\nrepeat")
        spikes.raster(
            rows[1], predicted[:SHOWN_PREDICTIONS], color=PREDICTED, label="Predicted\nrepeat"
        )
        spikes.rates(rows[2], *psth)
        for panel in rows:
            panel.set_xlim(psth[0][0], psth[0][-1])
        rows[2].set_xlabel("Time (s)")
        spikes.rescaling(figure.add_subplot(grid[:, 1]), quantiles, band)
        figure.align_ylabels(rows)
    return figure
