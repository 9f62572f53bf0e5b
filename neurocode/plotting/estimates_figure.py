"""Estimates with their intervals, one row per parameter."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from neurocode.style import ONE_COLUMN, PREDICTED, house_style

ROW_HEIGHT = 0.42


def estimates_figure(
    labels: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    *,
    n: int,
) -> Figure:
    """Draw estimates with intervals, each on its own axis.

    Parameters
    ----------
    labels : sequence of str
        Names with units.
    values : sequence of float
    intervals : sequence of (float, float)
        95 % intervals.
    n : int
        Number of spikes from which they were estimated.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> len(estimates_figure(["V_T (mV)"], [-45.0], [(-46.0, -44.0)], n=100).axes)
    1
    """
    with house_style():
        size = (ONE_COLUMN, 0.35 + ROW_HEIGHT * len(labels))
        figure, axes = plt.subplots(
            len(labels), 1, figsize=size, layout="constrained", squeeze=False
        )
        for panel, label, value, (low, high) in zip(
            axes[:, 0], labels, values, intervals, strict=True
        ):
            ends = np.array([[low, high]]).T
            finite = np.where(np.isfinite(ends), ends, value)
            panel.errorbar(
                [value],
                [0],
                xerr=np.abs(finite - value),
                fmt="o",
                color=PREDICTED,
                markersize=3,
                capsize=2,
            )
            panel.set_yticks([0], [label])
            panel.spines["left"].set_visible(False)
            panel.tick_params(axis="y", length=0)
        axes[0, 0].set_title(f"95 % intervals from {n} spikes")
    return figure
