"""Panels of spikes and rates; every function draws on axes and returns them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from neurocode.recordings.trains import SpikeTrainLike, repeats_of
from neurocode.style import PREDICTED, RECORDED


def raster(
    axes: Axes, trains: Sequence[SpikeTrainLike], *, color: str = RECORDED, label: str = "Repeat"
) -> Axes:
    """Plot the spikes of repeats, one row per repeat, over time in seconds.

    Repeats are Neo trains in any unit, or spike times in seconds.
    """
    trains = repeats_of(trains)
    axes.eventplot(
        trains,
        colors=color,
        linewidths=0.5,
        linelengths=0.8,
        lineoffsets=list(range(1, len(trains) + 1)),
    )
    axes.set_ylim(0.3, len(trains) + 0.7)
    axes.set_yticks([1, len(trains)] if len(trains) > 1 else [1])
    axes.set_ylabel(label)
    return axes


def trace(
    axes: Axes, times: np.ndarray, values: np.ndarray, label: str, *, color: str = RECORDED
) -> Axes:
    """A signal over time."""
    axes.plot(times, values, color=color, linewidth=0.5)
    axes.set_ylabel(label)
    return axes


def rates(axes: Axes, times: np.ndarray, recorded: np.ndarray, predicted: np.ndarray) -> Axes:
    """Recorded and predicted peristimulus time histograms (Hz)."""
    axes.fill_between(times, recorded, color="0.75", linewidth=0, label="Recorded")
    axes.plot(times, predicted, color=PREDICTED, label="Predicted")
    axes.set_ylabel("Rate (Hz)")
    axes.legend(
        loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0, handlelength=1.2
    )
    return axes


def spike_effect(axes: Axes, times: np.ndarray, effect: np.ndarray, unit: str) -> Axes:
    """Change of the distance to threshold after a spike."""
    axes.axhline(0, color="0.7", linewidth=0.5)
    axes.plot(times * 1e3, effect, color=PREDICTED)
    axes.set_xscale("log")
    axes.set_xlabel("Time since spike (ms)")
    axes.set_ylabel(f"Effect of a spike ({unit})" if unit else "Effect of a spike")
    return axes


def rescaling(axes: Axes, quantiles: np.ndarray, band: float) -> Axes:
    """Quantiles of rescaled intervals against the uniform distribution, with the 95 % band."""
    expected = (np.arange(len(quantiles)) + 0.5) / max(len(quantiles), 1)
    axes.fill_between(
        [0, 1], [-band, 1 - band], [band, 1 + band], color="0.88", linewidth=0, label="95 % band"
    )
    axes.plot(expected, quantiles, color=PREDICTED)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set_xlabel("Uniform quantile")
    axes.set_ylabel("Rescaled interval")
    axes.legend(loc="lower right", borderaxespad=0, handlelength=1.2)
    return axes


def estimates(
    axes: Axes, names: Sequence[str], deviations: np.ndarray, half_widths: np.ndarray, label: str
) -> Axes:
    """Estimates as points with 95 % intervals around a reference at zero."""
    axes.axvline(0, color="0.7", linewidth=0.5)
    rows = np.arange(len(names))[::-1]
    axes.errorbar(
        deviations, rows, xerr=half_widths, fmt="o", color=PREDICTED, markersize=2.5, elinewidth=0.8
    )
    axes.set_yticks(rows, names)
    axes.set_xlabel(label)
    return axes
