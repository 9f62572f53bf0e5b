"""The page that describes many units: spikes, intervals, variability, complexity."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.frames import column, kept
from neurocode.plotting.log_axes import logarithmic
from neurocode.style import PREDICTED, RECORDED, TWO_COLUMNS, house_style, label_panel

ALPHA = 0.05


def describe_figure(
    table: pd.DataFrame,
    *,
    shown: Sequence[np.ndarray],
    intervals: tuple[np.ndarray, np.ndarray],
    count_moments: tuple[np.ndarray, np.ndarray],
    bin_effect: tuple[np.ndarray, np.ndarray],
) -> Figure:
    """Draw the page.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`neurocode.describe`.
    shown : sequence of numpy.ndarray
        Spike times (s) for the raster, one row per train.
    intervals : (numpy.ndarray, numpy.ndarray)
        Edges (s) and probability of the pooled interspike intervals.
    count_moments : (numpy.ndarray, numpy.ndarray)
        Means and variances of spike counts, one point per pair.
    bin_effect : (numpy.ndarray, numpy.ndarray)
        Bins as a fraction of the mean interval, and the complexity ratio at each, units along the
        rows.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure, axes = plt.subplots(2, 3, figsize=(TWO_COLUMNS, 4.3), layout="constrained")
        spike_rows(axes[0, 0], shown)
        interval_density(axes[0, 1], *intervals)
        lv, cv = column(table, "lv"), column(table, "cv")
        scatter(axes[0, 2], lv, cv, "Local variation LV", "CV of intervals", 1.0)
        mean_and_variance(axes[1, 0], *count_moments)
        complexity_and_rate(axes[1, 1], table)
        bins(axes[1, 2], *bin_effect)
        for letter, panel in zip("abcdef", axes.flat, strict=True):
            label_panel(panel, letter)
    return figure


def spike_rows(axes: Axes, shown: Sequence[np.ndarray]) -> Axes:
    """Plot the spikes of several trains, one row per train."""
    axes.eventplot(
        list(shown),
        colors=RECORDED,
        linewidths=0.3,
        linelengths=0.9,
        lineoffsets=list(range(1, len(shown) + 1)),
    )
    axes.set(xlabel="Time (s)", ylabel="Train", ylim=(0.3, len(shown) + 0.7))
    axes.set_yticks([1, len(shown)] if len(shown) > 1 else [1])
    return axes


def interval_density(axes: Axes, edges: np.ndarray, probability: np.ndarray) -> Axes:
    """Density of the logarithm of interspike intervals: the area over each decade is the share of
    intervals in it, whatever the widths of the bins."""
    density = probability / np.diff(np.log10(edges))
    axes.stairs(density, edges * 1e3, fill=True, color="0.6")
    axes.set(xlabel="Interspike interval (ms)", ylabel="Density (per decade)")
    axes.set_xlim(edges[0] * 1e3, edges[-1] * 1e3)
    logarithmic(axes, "x")
    axes.set_ylim(bottom=0)
    return axes


def scatter(
    axes: Axes, x: pd.Series, y: pd.Series, x_label: str, y_label: str, reference: float
) -> Axes:
    """Units as points, with the value of a Poisson process on both axes."""
    axes.axvline(reference, color="0.8", linewidth=0.5)
    axes.axhline(reference, color="0.8", linewidth=0.5)
    axes.plot(x, y, "o", color=PREDICTED, markersize=2.5, markeredgewidth=0, alpha=0.7)
    axes.set(xlabel=x_label, ylabel=y_label)
    return axes


def mean_and_variance(axes: Axes, mean: np.ndarray, variance: np.ndarray) -> Axes:
    """Variance against mean of spike counts; the line shows a Poisson process."""
    positive = (mean > 0) & (variance > 0)
    if positive.any():
        span = np.array([mean[positive].min(), mean[positive].max()])
        axes.plot(span, span, color="0.7", linewidth=0.5)
        axes.plot(
            mean[positive],
            variance[positive],
            "o",
            color=PREDICTED,
            markersize=2,
            markeredgewidth=0,
            alpha=0.5,
        )
        logarithmic(axes, "x", "y")
    else:
        axes.text(
            0.5, 0.5, "not defined:\none window", transform=axes.transAxes, ha="center", va="center"
        )
    axes.set(xlabel="Mean spike count", ylabel="Variance of spike count")
    return axes


def complexity_and_rate(axes: Axes, table: pd.DataFrame) -> Axes:
    """Plot the complexity relative to rate-matched surrogates against the rate; filled points are
    significant after correction."""
    axes.axhline(1, color="0.8", linewidth=0.5)
    if "lz_ratio" in table:
        table = kept(table, column(table, "lz_ratio").notna())
        significant = table["lz_q"] < ALPHA
        for rows, face, label in (
            (significant, PREDICTED, f"q < {ALPHA:g}"),
            (~significant, "white", "n.s."),
        ):
            part = table[rows]
            if part.empty:
                continue
            axes.plot(
                part["rate"],
                part["lz_ratio"],
                "o",
                markersize=3,
                color=PREDICTED,
                markerfacecolor=face,
                markeredgewidth=0.5,
                label=label,
            )
        axes.legend(loc="best", handletextpad=0.2)
        logarithmic(axes, "x")
    axes.set(xlabel="Rate (Hz)", ylabel="LZ complexity / surrogates")
    return axes


def bins(axes: Axes, fractions: np.ndarray, ratios: np.ndarray) -> Axes:
    """Complexity ratio against the bin: units in grey, their median on top."""
    axes.axhline(1, color="0.8", linewidth=0.5)
    axes.plot(fractions, ratios.T, color="0.75", linewidth=0.4)
    if ratios.size:
        axes.plot(fractions, np.nanmedian(ratios, axis=0), color=PREDICTED, linewidth=1.2)
    logarithmic(axes, "x")
    axes.set(xlabel="Bin / mean interval", ylabel="LZ complexity / surrogates")
    return axes
