"""The page that compares a model's responses with recorded ones."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.errors import DataError
from neurocode.frames import column, kept
from neurocode.plotting.log_axes import logarithmic
from neurocode.plotting.spikes import rates
from neurocode.statistics.compare import Curves
from neurocode.style import PREDICTED, RECORDED, TWO_COLUMNS, house_style, label_panel

#: Statistics whose reference is zero except for chance, so that a ratio to it is meaningless.
PAIRWISE = ("victor_purpura", "van_rossum", "spike_distance")


def compare_figure(table: pd.DataFrame, model: Curves, recorded: Curves) -> Figure:
    """Draw the page.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`neurocode.compare`.
    model, recorded : Curves
        Of one unit, from :func:`neurocode.statistics.compare.curves`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If the two sides do not cover the same time, for example because the end of a train is taken
        from its last spike.
    """
    ends = [float(rate[0][-1]) for rate in (model.psth, recorded.psth)]
    if len(model.psth[0]) != len(recorded.psth[0]):
        raise DataError(
            f"The model's rate ends at {ends[0]:g} s, the recorded one at {ends[1]:g} s; give "
            f"both trains the same t_stop."
        )
    with house_style():
        figure = plt.figure(figsize=(TWO_COLUMNS, 4.6), layout="constrained")
        grid = figure.add_gridspec(3, 3, height_ratios=[1, 1.3, 1.3])
        top = figure.add_subplot(grid[0, :])
        rates(top, *recorded.psth, model.psth[1])
        top.set_xlabel("Time (s)")
        panels = [figure.add_subplot(grid[1:, column]) for column in range(2)]
        steps(
            panels[0],
            recorded.intervals,
            model.intervals,
            1e3,
            "Interspike interval (ms)",
            "Probability",
        )
        panels[0].set_xscale("log")
        top.set_xlim(recorded.psth[0][0], recorded.psth[0][-1])
        variances(panels[1], recorded.counts, model.counts)
        right = [figure.add_subplot(grid[row, 2]) for row in (1, 2)]
        steps(
            right[0],
            recorded.autocorrelogram,
            model.autocorrelogram,
            1e3,
            "Lag (ms)",
            "Rate / mean",
        )
        deviations(right[1], table)
        for letter, panel in zip("abcde", [top, *panels, *right], strict=True):
            label_panel(panel, letter)
    return figure


def steps(
    axes: Axes, recorded: tuple, model: tuple, scale: float, x_label: str, y_label: str
) -> Axes:
    """Plot recorded and modelled histograms."""
    axes.stairs(recorded[1], recorded[0] * scale, fill=True, color="0.75", label="Recorded")
    axes.stairs(model[1], model[0] * scale, color=PREDICTED, label="Model")
    axes.set(xlabel=x_label, ylabel=y_label)
    return axes


def variances(axes: Axes, recorded: tuple, model: tuple) -> Axes:
    """Variance against mean of spike counts in windows; the line shows a Poisson process."""
    for (mean, variance), colour, label in (
        (recorded, RECORDED, "Recorded"),
        (model, PREDICTED, "Model"),
    ):
        axes.plot(
            mean,
            variance,
            "o",
            color=colour,
            markersize=2.5,
            markeredgewidth=0,
            alpha=0.6,
            label=label,
        )
    largest = max(
        [0.5, *(float(variance.max()) for _, variance in (recorded, model) if variance.size)]
    )
    axes.plot([0, largest], [0, largest], color="0.7", linewidth=0.5)
    axes.set(xlabel="Mean count in 100 ms", ylabel="Variance of count")
    axes.legend(loc="upper left", handletextpad=0.2)
    return axes


def deviations(axes: Axes, table: pd.DataFrame) -> Axes:
    """Plot differences relative to those between halves of the recording, one row per statistic for
    which this ratio is positive."""
    ratio = column(table, "difference") / column(table, "reference")
    ratio = kept(ratio, column(table, "note") == "")
    ratio = kept(ratio, np.isfinite(ratio) & (ratio > 0) & ~ratio.index.isin(PAIRWISE))
    rows = np.arange(len(ratio))[::-1]
    axes.axvline(1, color="0.7", linewidth=0.5)
    axes.plot(ratio, rows, "o", color=PREDICTED, markersize=3, markeredgewidth=0)
    axes.set_yticks(rows, [str(name).replace("_", " ") for name in ratio.index], fontsize=6)
    axes.set(xlabel="Difference / reference", ylim=(-0.6, len(ratio) - 0.4))
    logarithmic(axes, "x")
    return axes
