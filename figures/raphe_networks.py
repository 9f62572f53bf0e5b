"""One neuron, four jobs: figure from the tables of ``analyses/raphe_networks``.

neurocode figures raphe-networks

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.drawing import counted, differences, margin, seeds
from analyses.judging import sound
from analyses.protocol import is_trained, paired
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.plotting.log_axes import logarithmic
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS

ARMS = {
    "fitted": ("fitted to cells", "#0072B2"),
    "shuffled": ("parameters permuted", "#E69F00"),
    "library": ("library", "#000000"),
    "learned": ("fitted, then learned", "#CC79A7"),
}
TASKS = {"ecg": "ECG", "braille": "Braille", "bursts": "bursts (quick)"}
#: Accuracy of always giving the most frequent answer.
CHANCE = {"ecg": 30.5, "braille": 100 / 27, "bursts": 20.0}


def accuracy(axes: Axes, table: pd.DataFrame, tasks: dict[str, str]) -> Axes:
    """Draw the test accuracy of every seed of every kind of neuron, and that of the most frequent
    answer."""
    seeds(axes, table, "arm", "test_score", ARMS, tasks)
    for place, name in enumerate(tasks):
        axes.plot(
            [place - 0.45, place + 0.45], [CHANCE[name]] * 2, "--", color="0.6", linewidth=0.6
        )
    axes.set(ylabel="Test accuracy (%)", ylim=(0, 102))
    axes.annotate(
        "dashed: most frequent answer",
        (0.03, 0.42),
        xycoords="axes fraction",
        fontsize=6,
        color="0.3",
    )
    return counted(axes, table)


def gains(axes: Axes, table: pd.DataFrame, tasks: dict[str, str]) -> Axes:
    """Draw the gain of other kinds of neurons over fitted ones of the same seed."""
    parts = [table[table["dataset"] == name] for name in tasks]
    pairs = {
        arm: [paired(part, "arm", arm, "fitted", "test_score") for part in parts]
        for arm in ARMS
        if arm != "fitted"
    }
    differences(margin(axes, 1.0), pairs, ARMS, list(tasks.values()))
    axes.set(ylabel="Gain over fitted neurons (points)")
    for label, colour in ARMS.values():
        axes.plot([], [], color=colour, label=label)
    handles, labels = axes.get_legend_handles_labels()
    handle_of = dict(zip(labels, handles, strict=True))
    axes.legend(
        handle_of.values(),
        handle_of.keys(),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.12),
        ncols=2,
        fontsize=6,
    )
    return counted(axes, table)


def unlikeness(axes: Axes, table: pd.DataFrame, tasks: dict[str, str]) -> Axes:
    """Draw the difference between the spikes of a network and its cells before and after training.

    It is divided by the difference between halves of a recording.
    """
    trained = table[is_trained(table)]
    step = 0.8 / len(ARMS)
    for number, (arm, (_, colour)) in enumerate(ARMS.items()):
        for place, name in enumerate(tasks):
            rows = trained[(trained["arm"] == arm) & (trained["dataset"] == name)]
            for shift, when, marker in ((-0.15, "before", "s"), (0.15, "after", "o")):
                values = rows[f"{when}_unlikeness"].to_numpy(float)
                if not len(values):
                    continue
                x = place + step * (number - 1.5 + shift)
                filled = colour if when == "after" else "none"
                axes.plot(
                    x,
                    np.exp(values.mean()),
                    marker,
                    markersize=3,
                    color=colour,
                    markerfacecolor=filled,
                )
                if len(values) > 1:
                    axes.plot([x] * 2, np.exp(mean_interval(values)), color=colour, linewidth=0.8)
    axes.axhline(1, color="0.6", linewidth=0.8, linestyle="--")
    axes.set(yscale="log", ylabel="Unlikeness to the cells\n(1: as halves of a recording)")
    logarithmic(axes, "y")
    axes.annotate(
        "open squares: before training; dashed: halves of a recording",
        (0.03, 0.02),
        xycoords="axes fraction",
        fontsize=6,
        color="0.3",
    )
    axes.set_xticks(range(len(tasks)), list(tasks.values()))
    return counted(axes, table)


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the page if the table of trained networks exists."""
    table = (
        sound(study_table(tables / "training.parquet"))
        if (tables / "training.parquet").exists()
        else pd.DataFrame()
    )
    if not len(table):
        return []
    tasks = {name: label for name, label in TASKS.items() if (table["dataset"] == name).any()}
    with house_style():
        figure, axes = plt.subplot_mosaic("abc", figsize=(TWO_COLUMNS, 2.9), layout="constrained")
        accuracy(axes["a"], table, tasks)
        gains(axes["b"], table, tasks)
        unlikeness(axes["c"], table, tasks)
        for letter, panel in axes.items():
            label_panel(panel, letter)
        return save_figure(figure, output / "raphe_networks.pdf")
