"""Auto- and cross-correlograms with the band of unrelated trains."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.statistics.correlograms import Correlogram
from neurocode.style import ONE_COLUMN, RECORDED, house_style, note_above

#: Colour of what unrelated trains give, and height of the figure of a pair in inches.
UNRELATED, HEIGHT = "#0072B2", 2.1
#: What unrelated trains are called.
NULLS = {
    "poisson": "Poisson process",
    "shuffled repeats": "shuffled repeats",
    "smoothed": "smoothed",
}


def correlogram_figure(pair: Correlogram, first: str, second: str) -> Figure:
    """Draw the cross-correlogram of a pair of units, 89 mm wide.

    Parameters
    ----------
    pair : Correlogram
        From :func:`neurocode.statistics.correlograms.cross_correlogram`.
    first, second : str
        Names of the units.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure, axes = plt.subplots(figsize=(ONE_COLUMN, HEIGHT))
        figure.subplots_adjust(left=0.14, right=0.97, top=0.90, bottom=0.19)
        correlogram(axes, pair)
        axes.set_xlabel(f"Lag of {_short(second)} behind {_short(first)} (ms)")
        axes.set_ylabel(f"Rate of {_short(second)} (Hz)")
    return figure


def correlogram(axes: Axes, pair: Correlogram) -> Axes:
    """Counts as the rate of the second unit around a spike of the first, with what unrelated trains
    give and, where there is one, its 95 % band."""
    lags = pair.lags * 1e3
    half = 0.5e3 * pair.bin_size
    edges = np.append(lags - half, lags[-1] + half)
    banded = bool(np.isfinite(pair.low).all())
    if banded:
        axes.stairs(
            pair.rate(pair.high),
            edges,
            baseline=pair.rate(pair.low),
            fill=True,
            color=UNRELATED,
            alpha=0.25,
            linewidth=0,
            label="95 % band",
        )
        axes.stairs(pair.rate(pair.counts), edges, baseline=None, color=RECORDED, linewidth=0.6)
    else:
        axes.stairs(pair.rate(pair.counts), edges, fill=True, color="0.6")
    axes.plot(
        lags, pair.rate(pair.expected), color=UNRELATED, linewidth=0.8, label=NULLS[pair.null]
    )
    axes.axvline(0, color="0.4", linewidth=0.4, linestyle=":")
    axes.set(xlim=(edges[0], edges[-1]), xlabel="Lag (ms)", ylabel="Rate (Hz)")
    axes.set_ylim(0, max(axes.get_ylim()[1], 1e-9) * 1.2)
    axes.legend(loc="upper right", handlelength=1.2, ncols=2, borderaxespad=0, columnspacing=1)
    n = f"n = {pair.n_first}"
    n += f" and {pair.n_second} spikes" if banded else " spikes"
    return note_above(axes, f"{n}; bins {pair.bin_size * 1e3:.3g} ms")


def _short(name: str) -> str:
    """The last part of a name that begins with folder and file."""
    return name.rsplit("/", 1)[-1]
