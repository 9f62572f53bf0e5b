"""The panels of one unit: raster, rate over time, interspike intervals, autocorrelogram."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, StrMethodFormatter

from neurocode.plotting.correlogram_figure import correlogram
from neurocode.plotting.describe_figure import interval_density
from neurocode.statistics.unit_panels import Raster, RateOverTime, UnitPanels
from neurocode.style import RECORDED, TWO_COLUMNS, house_style, label_panel, note_above

#: Height in inches, and the place of the panels as shares of the figure. A layout that is computed
#: from the texts would take longer than everything else.
HEIGHT = 2.3
LEFT = {"left": 0.068, "right": 0.365, "top": 0.90, "bottom": 0.17}
RIGHT = {"left": 0.45, "right": 0.99, "top": 0.90, "bottom": 0.17, "wspace": 0.42}
#: Space between raster and rate, which share their axis of time where there are repeats.
SHARED_TIME, OWN_TIME = 0.3, 0.85
#: Grey of the ticks that belong to every other stimulus.
OTHER_STIMULUS = "#777777"


def unit_figure(panels: UnitPanels) -> Figure:
    """Draw the panels of one unit, 183 mm wide.

    Parameters
    ----------
    panels : UnitPanels
        From :func:`neurocode.statistics.unit_panels.unit_panels`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure = plt.figure(figsize=(TWO_COLUMNS, HEIGHT))
        space = SHARED_TIME if panels.raster.n_trains > 1 else OWN_TIME
        left, right = (
            np.ravel(grid.subplots())
            for grid in (
                figure.add_gridspec(2, 1, height_ratios=[1.2, 1], hspace=space, **LEFT),
                figure.add_gridspec(1, 2, **RIGHT),
            )
        )
        raster_rows(left[0], panels.raster)
        rate_over_time(left[1], panels.rate, panels.n_spikes)
        interval_density(right[0], panels.intervals.edges, panels.intervals.probability)
        plain_decades(right[0])
        note_above(right[0], f"n = {panels.intervals.n_intervals} intervals")
        correlogram(right[1], panels.autocorrelogram)
        right[1].set_ylabel("Rate after a spike (Hz)")
        if panels.raster.n_trains > 1:
            left[0].tick_params(labelbottom=False)
            left[1].set_xlim(panels.raster.span)
        for letter, axes in zip("abcd", [*left, *right], strict=True):
            label_panel(axes, letter)
        figure.align_ylabels(left)
    return figure


def raster_rows(axes: Axes, raster: Raster) -> Axes:
    """Spikes of repeats, or of a single train cut into lines, the first on top; the repeats of
    every other stimulus in grey."""
    numbers = np.repeat(np.arange(1, len(raster.rows) + 1), [len(row) for row in raster.rows])
    times = np.concatenate([np.empty(0), *raster.rows])
    places = np.unique(raster.stimuli, return_inverse=True)[1]
    odd = np.repeat(places % 2 == 1, [len(row) for row in raster.rows])
    height = max(0.6, min(6.0, 60.0 / len(raster.rows)))
    for chosen, colour in ((~odd, RECORDED), (odd, OTHER_STIMULUS)):
        axes.plot(
            times[chosen],
            numbers[chosen],
            "|",
            color=colour,
            markersize=height,
            markeredgewidth=0.4,
            rasterized=True,
        )
    last = len(raster.rows)
    axes.set(xlim=raster.span, ylim=(last + 0.7, 0.3))
    axes.set_yticks([1, last] if last > 1 else [1])
    if raster.n_trains == 1:
        axes.set(xlabel="Time in line (s)", ylabel="Line")
    else:
        axes.set_ylabel("Repeat")
    if len(raster.rows) < raster.n_trains:
        note_above(axes, f"{len(raster.rows)} of {raster.n_trains} repeats drawn")
    return axes


def rate_over_time(axes: Axes, rate: RateOverTime, n_spikes: int) -> Axes:
    """Rate in bins, of each stimulus where these are few."""
    if len(rate.rates) == 1:
        (values,) = rate.rates.values()
        # The limits of a StepPatch of a thousand bins take longer than everything else here.
        axes.fill_between(
            rate.edges,
            np.append(np.nan_to_num(values), 0.0),
            step="post",
            color="0.45",
            linewidth=0.4,
        )
    else:
        for stimulus, values in rate.rates.items():
            axes.stairs(
                values, rate.edges, baseline=None, linewidth=0.7, label=f"stimulus {stimulus}"
            )
        axes.legend(loc="upper right", handlelength=1.0, labelspacing=0.1, borderaxespad=0)
    axes.set(xlim=(rate.edges[0], rate.edges[-1]), xlabel="Time (s)", ylabel="Rate (Hz)")
    axes.set_ylim(bottom=0)
    repeats = f", {rate.n_trains} repeats" if rate.n_trains > 1 else ""
    return note_above(axes, f"n = {n_spikes} spikes{repeats}; bins {_time(rate.bin_size)}")


def plain_decades(axes: Axes) -> Axes:
    """Label a logarithmic axis with plain numbers and leave out the ticks between them."""
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    return axes


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
