"""Voltage, current and spikes of recorded sweeps, one below the other."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.recordings.repeat import Repeat, sampled
from neurocode.style import RECORDED, TWO_COLUMNS, house_style

#: Most sweeps that are drawn as traces, and most points of a trace: more could not be seen.
MOST_TRACES, MOST_POINTS = 12, 4000


def experiment_figure(repeats: Sequence[Repeat]) -> Figure:
    """Draw sweeps on top of each other, long ones with fewer points, and a raster of their spikes.

    Parameters
    ----------
    repeats : sequence of Repeat

    Returns
    -------
    matplotlib.figure.Figure
        One panel each for voltage and current where they were recorded, and one for spikes with one
        row per sweep.

    Examples
    --------
    >>> len(experiment_figure([Repeat(np.array([0.1]), 1.0)]).axes)
    1
    """
    signals = [
        (name, label, unit)
        for name, label, unit in SIGNALS
        if any(getattr(r, name) is not None for r in repeats)
    ]
    with house_style():
        heights = [1.0] * len(signals) + [min(2.0, 0.3 + 0.06 * len(repeats))]
        size = (TWO_COLUMNS, 0.5 + 1.1 * sum(heights))
        figure, axes = plt.subplots(
            len(heights),
            1,
            figsize=size,
            sharex=True,
            layout="constrained",
            squeeze=False,
            height_ratios=heights,
        )
        for panel, (name, label, unit) in zip(axes[:, 0], signals, strict=False):
            _traces(panel, repeats, name, unit)
            panel.set_ylabel(label)
        _raster(axes[-1, 0], repeats)
        axes[-1, 0].set_xlabel("Time in the sweep (s)")
    return figure


SIGNALS = (("voltage", "Voltage (mV)", 1e-3), ("current", "Current (pA)", 1e-12))


def _traces(axes: Axes, repeats: Sequence[Repeat], name: str, unit: float) -> None:
    for repeat in repeats[:MOST_TRACES]:
        if getattr(repeat, name) is not None:
            values, dt = sampled(repeat, name)
            step = max(1, len(values) // MOST_POINTS)
            axes.plot(np.arange(0, len(values), step) * dt, values[::step] / unit, linewidth=0.5)


def _raster(axes: Axes, repeats: Sequence[Repeat]) -> None:
    rows = list(range(1, len(repeats) + 1))
    axes.eventplot(
        [repeat.spike_times for repeat in repeats],
        colors=RECORDED,
        linewidths=0.5,
        linelengths=0.8,
        lineoffsets=rows,
    )
    axes.set_ylim(len(repeats) + 0.7, 0.3)
    labelled = rows if len(repeats) <= MOST_TRACES else [rows[0], rows[-1]]
    axes.set_yticks(labelled, [str(repeats[row - 1].number) for row in labelled])
    axes.set_ylabel("Sweep")
