"""Electroreceptor afferents: recorded intervals and those of three models, from the table of
``analyses/punit``.

neurocode figures punit

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.style import TWO_COLUMNS

COLOURS = {"constant": "#56B4E9", "periodic": "#D55E00", "laboratory": "#009E73"}
LABELS = {
    "constant": "constant input",
    "periodic": "periodic drive",
    "laboratory": "laboratory's model",
}
MARKERS = {"constant": "v", "periodic": "o", "laboratory": "s"}
BINS = np.linspace(0.0, 12.0, 121)


def scatter(axes: Axes, cells: pd.DataFrame, column: str, label: str) -> Axes:
    """Draw the value of each model against the recorded one."""
    recorded = cells[cells["model"] == "recorded"].set_index("cell")[column]
    for model, colour in COLOURS.items():
        values = cells[cells["model"] == model].set_index("cell")[column].dropna()
        axes.plot(
            recorded[values.index],
            values,
            MARKERS[model],
            color=colour,
            markersize=3,
            alpha=0.8,
            label=LABELS[model],
        )
    low, high = recorded.min(), recorded.max()
    margin = 0.05 * (high - low)
    axes.plot(
        [low - margin, high + margin],
        [low - margin, high + margin],
        color="0.6",
        linewidth=0.6,
        zorder=0,
        label="equal",
    )
    axes.set(xlabel=f"{label}, recorded", ylabel=f"{label}, model")
    axes.set_box_aspect(1)
    return axes


def intervals(axes: Axes, cells: pd.DataFrame, cell: str) -> Axes:
    """Draw the interval histogram of one cell and those of the models fitted to it."""
    rows = cells[cells["cell"] == cell].set_index("model")
    for model in ("recorded", *COLOURS):
        if model in rows.index and isinstance(rows.loc[model, "histogram"], str):
            values = np.array(rows.loc[model, "histogram"].split(), float) / np.diff(BINS)
            filled = model == "recorded"
            axes.stairs(
                values,
                BINS,
                fill=filled,
                color="0.8" if filled else COLOURS[model],
                linewidth=0.8,
                label=LABELS.get(model, model),
            )
    axes.set(xlabel="Interspike interval (ms)", ylabel="Density (1/ms)", xlim=(0, 10))
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the figure from the table of the cells."""
    cells = pd.read_csv(tables / "cells.csv")
    periodic = cells[cells["model"] == "periodic"].dropna(subset=["distance"])
    with_laboratory = periodic[periodic["tabulated"]].sort_values("distance")["cell"].tolist()
    examples = [
        with_laboratory[len(with_laboratory) // 4],
        with_laboratory[(3 * len(with_laboratory)) // 4],
    ]
    with house_style():
        figure, axes = plt.subplot_mosaic(
            [["a", "a", "a", "b", "b", "b"], ["c", "c", "d", "d", "e", "e"]],
            figsize=(TWO_COLUMNS, 4.2),
            layout="constrained",
        )
        for letter, cell in zip("ab", examples, strict=True):
            intervals(axes[letter], cells, cell)
            axes[letter].set_title(f"Cell {cell.removesuffix('-invivo-1')}", fontsize=7)
        axes["b"].legend(frameon=False)
        for letter, column, label in (
            ("c", "rate", "Rate (Hz)"),
            ("d", "cv", "CV"),
            ("e", "rho_1", "Serial correlation"),
        ):
            scatter(axes[letter], cells, column, label)
        axes["c"].legend(frameon=False)
        for letter, panel in axes.items():
            label_panel(panel, letter)
        return save_figure(figure, output / "punit.pdf")
