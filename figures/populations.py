"""Populations: figure from the tables of ``analyses/populations``.

neurocode figures populations

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.judging import sound
from analyses.populations.claims import NOMINAL_COVERAGE, NOMINAL_FALSE
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS, note_above

FIT, CORRELOGRAMS, NOMINAL = "#0072B2", "#E69F00", "0.6"
RECORDINGS = {
    "retina-movie-1": "retina 1",
    "retina-movie-2": "retina 2",
    "aplysia-1": "Aplysia 1",
    "aplysia-2": "Aplysia 2",
}
SCORES = {
    "psth_r": "PSTH, r",
    "fano_error": "Fano error",
    "correlation_error_noise": "noise correlation error",
}


def shares(axes: Axes, networks: pd.DataFrame) -> Axes:
    """Draw the coverage and the share of false couplings of every network, with means, 95 %
    intervals and nominal levels."""
    columns = {
        "coverage": "covered",
        "coverage_coupled": "covered,\ncoupled",
        "false_share": "false",
    }
    nominal = (NOMINAL_COVERAGE, NOMINAL_COVERAGE, NOMINAL_FALSE)
    for place, (column, level) in enumerate(zip(columns, nominal, strict=True)):
        _values(axes, place, 100 * networks[column].dropna(), FIT)
        axes.plot([place - 0.4, place + 0.4], [100 * level] * 2, "--", color=NOMINAL)
    axes.set_xticks(range(len(columns)), list(columns.values()))
    axes.set(ylabel="Pairs of a network (%)", ylim=(0, 100))
    return note_above(axes, f"n = {len(networks)} networks; dashed: nominal")


def areas(axes: Axes, networks: pd.DataFrame) -> Axes:
    """Draw the area under the ROC curve of every network for the fit and for cross-correlograms."""
    both = networks[["area_correlogram", "area"]].dropna()
    axes.plot(both.to_numpy().T, color="0.85", linewidth=0.4, zorder=0)
    for place, (column, colour) in enumerate((("area_correlogram", CORRELOGRAMS), ("area", FIT))):
        _values(axes, place, both[column], colour)
    axes.set_xticks([0, 1], ["cross-\ncorrelograms", "fit"])
    axes.set(ylabel="Area under the ROC curve", xlim=(-0.5, 1.5))
    return note_above(axes, f"n = {len(both)} networks")


def rate_ratios(axes: Axes, recordings: pd.DataFrame) -> Axes:
    """Draw the range over cells of the rates of free runs over the recorded ones."""
    rows = recordings.set_index("dataset")
    names = [name for name in RECORDINGS if name in rows.index]
    for place, name in enumerate(names):
        row = rows.loc[name]
        axes.plot([place] * 2, [row["lowest_rate_ratio"], row["highest_rate_ratio"]], color=FIT)
        axes.annotate(
            f"{row['runaways']:g}/{row['free_runs']:g}",
            (place, row["highest_rate_ratio"]),
            (0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=6,
        )
    axes.axhline(1.0, linestyle="--", color=NOMINAL)
    cells = [f"{RECORDINGS[name]}\nn = {rows.loc[name, 'cells']:g}" for name in names]
    axes.set_xticks(range(len(names)), cells)
    axes.margins(x=0.2, y=0.2)
    axes.set(ylabel="Rate of free runs over recorded")
    return note_above(axes, "lowest to highest cell; runs that run away")


def scores(axes: Axes, recordings: pd.DataFrame) -> Axes:
    """Draw the scores of free runs with their intervals beside those of one half of the recorded
    repeats against the other."""
    rows = recordings[recordings["repeats"] > 0]
    for number, (_, row) in enumerate(rows.iterrows()):
        for place, score in enumerate(SCORES):
            x = place + 0.2 * (number - (len(rows) - 1) / 2)
            axes.plot([x] * 2, [row[f"{score}_low_95"], row[f"{score}_high_95"]], color=FIT)
            first = number + place == 0
            axes.plot(
                x, row[f"{score}_model"], "o", color=FIT, label="free runs" if first else None
            )
            axes.plot(
                x,
                row[f"{score}_recorded"],
                "s",
                color="black",
                label="recording, halves" if first else None,
            )
    axes.set_xticks(range(len(SCORES)), [name.replace(" ", "\n", 1) for name in SCORES.values()])
    axes.set(ylabel="Score", ylim=(0, 1))
    axes.legend(loc="upper right")
    return note_above(axes, f"n = {len(rows)} retinas, 95 % intervals over repeats")


def _values(axes: Axes, place: float, values: pd.Series, colour: str) -> None:
    """Draw single networks beside their mean and its 95 % interval."""
    spread = np.random.default_rng(0).uniform(-0.2, 0.2, len(values))
    axes.plot(place + spread, values, "o", markersize=1.5, color=colour, alpha=0.4)
    axes.plot([place] * 2, mean_interval(values), color="black")
    axes.plot(place, values.mean(), "o", markersize=3, color="black")


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the page; the panels of recordings only if their table exists."""
    read = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
    if "networks" not in read:
        return []
    with house_style():
        has_recordings = "recordings" in read
        mosaic = "ab;cd" if has_recordings else "ab"
        figure, axes = plt.subplot_mosaic(
            mosaic, figsize=(TWO_COLUMNS, 4.6 if has_recordings else 2.4), layout="constrained"
        )
        shares(axes["a"], read["networks"])
        areas(axes["b"], read["networks"])
        if has_recordings:
            rate_ratios(axes["c"], read["recordings"])
            scores(axes["d"], read["recordings"])
        for letter, panel in axes.items():
            label_panel(panel, letter)
        return save_figure(figure, output / "populations.pdf")
