"""One page of a fitted population: rasters, PSTHs, variability, noise correlations, couplings."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from neurocode.statistics.population_scores import RepeatStatistics, repeat_statistics
from neurocode.style import (
    PREDICTED,
    RECORDED,
    TWO_COLUMNS,
    house_style,
    label_panel,
    note_above,
)

#: Cells whose responses are drawn, trials of a raster, and seconds that are shown.
SHOWN_CELLS, SHOWN_TRIALS, SHOWN_SECONDS = 3, 20, 3.0
#: Letters of the name of a cell above its panel.
LONGEST_NAME = 28


def population_figure(
    *,
    couplings: pd.DataFrame,
    names: Sequence[str],
    dt: float,
    recorded: NDArray | None = None,
    simulated: NDArray | None = None,
    start: float = 0.0,
) -> Figure:
    """Draw the figure of a fitted population.

    Parameters
    ----------
    couplings : pandas.DataFrame
        Of the fit.
    names : sequence of str
        Of the cells.
    dt : float
        Length of a bin in seconds.
    recorded, simulated : array (cells, bins, trials), optional
        Test repeats and free runs; without them only the couplings are drawn.
    start : float
        Time of their first bin in seconds.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        if recorded is None or simulated is None:
            figure, alone = plt.subplots(figsize=(TWO_COLUMNS / 2, 2.6), layout="constrained")
            coupling_matrix(alone, couplings, names)
            return figure
        figure = plt.figure(figsize=(TWO_COLUMNS, 5.6), layout="constrained")
        rows = figure.add_gridspec(2, 1, height_ratios=[1.7, 1])
        above, below = figure.add_subfigure(rows[0]), figure.add_subfigure(rows[1])
        shown = _cells_shown(recorded)
        columns = above.subplots(2, len(shown), squeeze=False, sharex=True)
        model, data = repeat_statistics(simulated), repeat_statistics(recorded)
        for column, cell in enumerate(shown):
            rasters(columns[0, column], recorded[cell], simulated[cell], dt, start)
            columns[0, column].set_title(_short(names[int(cell)]), loc="left")
            psth(columns[1, column], data.psth[cell], model.psth[cell], dt, start)
        columns[1, 0].legend(frameon=False)
        note_above(
            columns[1, -1], f"n = {recorded.shape[2]} repeats, {simulated.shape[2]} free runs"
        )
        panels = below.subplots(1, 3)
        fano_factors(panels[0], data, model)
        correlations(panels[1], data, model)
        coupling_matrix(panels[2], couplings, names)
        for letter, panel in zip("abcde", [columns[0, 0], columns[1, 0], *panels], strict=True):
            label_panel(panel, letter)
    return figure


def _short(name: str) -> str:
    """Return the end of a name, which tells cells apart, as long as fits above a panel.

    Examples
    --------
    >>> _short("retina/session 12/left eye/unit 7")
    '…/session 12/left eye/unit 7'
    """
    return name if len(name) <= LONGEST_NAME else f"…{name[1 - LONGEST_NAME :]}"


def _cells_shown(recorded: NDArray) -> NDArray[np.int64]:
    """Return cells from the lowest to the highest rate."""
    order = np.argsort(recorded.sum(axis=(1, 2)))
    places = np.linspace(0, len(order) - 1, min(SHOWN_CELLS, len(order))).round().astype(int)
    return order[places]


def rasters(axes: Axes, recorded: NDArray, simulated: NDArray, dt: float, start: float) -> Axes:
    """Draw recorded repeats above free runs, both (bins, trials) from a time in seconds."""
    last = round(SHOWN_SECONDS / dt)
    place = 0
    for spikes, colour in ((recorded, RECORDED), (simulated, PREDICTED)):
        for trial in spikes[:last, :SHOWN_TRIALS].T:
            times = start + np.flatnonzero(trial) * dt
            axes.plot(times, np.full(len(times), place), "|", markersize=2, color=colour)
            place += 1
    axes.set(ylim=(place, -1), yticks=[], ylabel="Trials")
    return axes


def psth(axes: Axes, recorded: NDArray, simulated: NDArray, dt: float, start: float) -> Axes:
    """Draw smoothed rates in hertz over time, from a time in seconds."""
    last = round(SHOWN_SECONDS / dt)
    times = start + np.arange(min(last, len(recorded))) * dt
    axes.plot(times, recorded[:last] / dt, color=RECORDED, label="recorded")
    axes.plot(times, simulated[:last] / dt, color=PREDICTED, label="free run")
    axes.set(xlabel="Time (s)", ylabel="Rate (Hz)", ylim=(0, None))
    return axes


def fano_factors(axes: Axes, data: RepeatStatistics, model: RepeatStatistics) -> Axes:
    """Draw the Fano factor of every cell, free runs against the recording."""
    _against(axes, data.fano, model.fano)
    axes.set(xlabel="Recorded Fano factor", ylabel="Fano factor of free runs")
    return note_above(axes, f"n = {len(data.fano)} cells")


def correlations(axes: Axes, data: RepeatStatistics, model: RepeatStatistics) -> Axes:
    """Draw the noise correlation of every pair, free runs against the recording."""
    _against(axes, data.over_noise, model.over_noise)
    axes.set(xlabel="Recorded noise correlation", ylabel="Noise correlation of free runs")
    return note_above(axes, f"n = {len(data.over_noise)} pairs")


def coupling_matrix(axes: Axes, couplings: pd.DataFrame, names: Sequence[str]) -> Axes:
    """Draw the strength of every coupling; pairs without a significant one are grey."""
    size = len(names)
    place = {name: number for number, name in enumerate(names)}
    strength = np.full((size, size), np.nan)
    columns = [couplings[name] for name in ("sender", "receiver", "strength", "verdict")]
    for sender, receiver, value, verdict in zip(*columns, strict=True):
        if verdict != "none":
            strength[place[receiver], place[sender]] = value
    real = np.abs(strength[np.isfinite(strength)])
    limit = float(np.quantile(real, 0.98)) if len(real) else 1.0
    axes.set_facecolor("0.92")
    shown = axes.imshow(strength, cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="equal")
    axes.set(xlabel="Sender", ylabel="Receiver")
    ticks = np.unique(np.linspace(0, size - 1, min(size, 6)).round().astype(int))
    axes.set_xticks(ticks)
    axes.set_yticks(ticks)
    axes.figure.colorbar(shown, ax=axes, label="Strength (noise x ms)", shrink=0.8)
    return note_above(axes, f"{len(real)} of {len(couplings)} couplings")


def _against(axes: Axes, recorded: NDArray, simulated: NDArray) -> None:
    """Draw values of free runs against recorded ones, on two equal axes with their diagonal."""
    axes.plot(recorded, simulated, "o", markersize=2.5, color=PREDICTED)
    known = np.concatenate([recorded, simulated])
    known = known[np.isfinite(known)]
    if len(known):
        low, high = float(known.min()), float(known.max())
        edge = 0.06 * (high - low) or 0.1
        limits = (low - edge, high + edge)
        axes.plot(limits, limits, color="0.6", linewidth=0.6)
        axes.set(xlim=limits, ylim=limits)
    axes.set_box_aspect(1)
