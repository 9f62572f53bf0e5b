"""Learned intrinsic parameters and classification by complexity: figures from ``analyses/complexity_classification``.

neurocode figures complexity-classification

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.complexity_classification.claims import paired
from analyses.judging import sound
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS

TASKS = {"rates": "Bernoulli\n0.1, 0.2", "markov": "Bernoulli,\nMarkov", "mnist": "MNIST\n4, 9"}
RULES = {"gradient": "gradient", "tempotron": "Tempotron", "stdp": "STDP"}
NEURONS = {"lif": "LIF", "meta": "meta-neuron"}
KINDS = {
    "fixed": ("fixed", "#0072B2"), "learned": ("learned", "#D55E00"), "random": ("random, fixed", "#999999"),
    "homeostatic": ("homeostatic", "#CC79A7"),
}  # fmt: skip
SHORT = {
    "direction, subthalamic nucleus": "movement,\nsubthalamic", "light, retina": "light,\nretina",
    "images (ten pairs), retina": "image pairs,\nretina",
}  # fmt: skip
READOUTS = {
    "complexity": ("complexity", "#D55E00"),
    "count": ("count", "#0072B2"),
    "bursts": ("bursts", "#E69F00"),
    "timing": ("timing", "#009E73"),
}
TABLES = ("training", "controls", "states", "capacity")


def cells(axes: Axes, table: pd.DataFrame, controls: pd.DataFrame, task: str) -> Axes:
    """SNN-LZC accuracy of every cell of a task, mean and 95 % interval over seeds, and the raw input."""
    own = table[table["task"] == task]
    places = [(neuron, rule) for neuron in NEURONS for rule in RULES]
    for shift, (kind, (text, colour)) in zip((-0.27, -0.09, 0.09, 0.27), KINDS.items(), strict=True):
        for place, (neuron, rule) in enumerate(places):
            values = own[(own["neuron"] == neuron) & (own["rule"] == rule) & (own["kind"] == kind)]["test_complexity"]
            if len(values):
                axes.plot([place + shift] * 2, mean_interval(values), color=colour)
                axes.plot(place + shift, values.mean(), "o", markersize=2.5, color=colour)
        axes.plot([], [], "o", markersize=2.5, color=colour, label=text)
    raw = controls[(controls["task"] == task) & (controls["kind"] == "raw")]
    for name, style in (("complexity", "--"), ("count", ":")):
        axes.axhline(raw[f"test_{name}"].mean(), color="0.4", linewidth=0.7, linestyle=style, label=f"raw {name}")
    axes.axvline(len(RULES) - 0.5, color="0.8", linewidth=0.5)
    axes.set_xticks(range(len(places)), [f"{RULES[rule]}" for _, rule in places], rotation=30, ha="right")
    for number, name in enumerate(NEURONS.values()):
        axes.text((len(RULES) * number + 1), 1.01, name, transform=axes.get_xaxis_transform(), ha="center", va="bottom")
    axes.set(ylabel="Test accuracy, SNN-LZC")
    return axes


def gains(axes: Axes, table: pd.DataFrame) -> Axes:
    """Points gained by learning intrinsic parameters, by task, neuron and rule, 95 % intervals over seeds."""
    found = paired(table, "learned", "fixed")
    shifts = np.linspace(-0.3, 0.3, len(NEURONS) * len(RULES))
    for shift, (neuron, rule) in zip(shifts, [(n, r) for n in NEURONS for r in RULES], strict=True):
        for place, task in enumerate(TASKS):
            own = 100 * found[(found["neuron"] == neuron) & (found["rule"] == rule) & (found["task"] == task)]["gain"]
            if own.empty:
                continue
            colour = {"gradient": "#D55E00", "tempotron": "#009E73", "stdp": "#CC79A7"}[rule]
            filled = colour if neuron == "lif" else "white"
            axes.plot([place + shift] * 2, mean_interval(own), color=colour)
            label = f"{NEURONS[neuron]}, {RULES[rule]}"
            label = None if label in axes.get_legend_handles_labels()[1] else label
            axes.plot(place + shift, own.mean(), "o", markersize=2.5, color=colour, markerfacecolor=filled, label=label)
    axes.axhline(0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set_xticks(range(len(TASKS)), TASKS.values())
    axes.set(ylabel="Gain of learning (points)")
    return axes


def states(axes: Axes, table: pd.DataFrame) -> Axes:
    """Balanced accuracy over chance of every readout of recorded states; open where rates are matched by thinning."""
    shown = table.assign(group=table["title"].str.replace(r"images.*", "images (ten pairs), retina", regex=True))
    groups = list(dict.fromkeys(shown["group"]))
    for shift, (name, (text, colour)) in zip((-0.24, -0.08, 0.08, 0.24), READOUTS.items(), strict=True):
        for matched in (False, True):
            column = f"{name}_matched" if matched else name
            means = shown.groupby("group")[column].mean().reindex(groups)
            axes.plot(np.arange(len(groups)) + shift, means, "o", markersize=3, color=colour,
                      markerfacecolor="white" if matched else colour, label=None if matched else text)  # fmt: skip
    chance = 1 / shown.groupby("group")["states"].first().reindex(groups)
    for place, level in enumerate(chance):
        axes.plot([place - 0.35, place + 0.35], [level, level], color="0.6", linewidth=0.6, linestyle=":")
    axes.plot([], [], "o", markersize=3, color="0.3", markerfacecolor="white", label="rates matched")
    axes.set_xticks(
        range(len(groups)), [SHORT.get(name, name.replace("song, starling ", "song,\n")) for name in groups], fontsize=6
    )
    axes.set(ylabel="Balanced accuracy", ylim=(0, 1.04))
    return axes


def capacity(axes: Axes, table: pd.DataFrame) -> Axes:
    """Share of seeds in which a Tempotron learned all its patterns, and the capacity that is published."""
    share = table.groupby("load")["learned"].mean()
    axes.plot(share.index, share, "o-", markersize=3, color="#0072B2")
    axes.axvline(3.0, color="0.4", linewidth=0.7, linestyle="--")
    axes.annotate("published", (3.0, 1.0), (3, 0), textcoords="offset points", va="center", fontsize=6)
    axes.set(xlabel="Patterns per synapse", ylabel="Seeds that learned all", ylim=(-0.04, 1.04))
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """The figure, once its tables are there; without the tasks that a quick run leaves out."""
    found = {name: sound(study_table(tables / f"{name}.parquet")) for name in TABLES if (tables / f"{name}.parquet").exists()}
    if set(found) != set(TABLES) or "markov" not in set(found["training"]["task"]):
        return []
    with house_style():
        figure, axes = plt.subplot_mosaic("aaabbb;ccccdd", figsize=(TWO_COLUMNS, 4.8), layout="constrained")
        cells(axes["a"], found["training"], found["controls"], "markov").legend(fontsize=6, loc="lower left", labelspacing=0.2)
        gains(axes["b"], found["training"]).legend(fontsize=6, ncols=2, labelspacing=0.2)
        states(axes["c"], found["states"]).legend(fontsize=6, ncols=5, loc="lower left", bbox_to_anchor=(0, 1))
        capacity(axes["d"], found["capacity"])
        for letter, own in axes.items():
            label_panel(own, letter)
        return save_figure(figure, output / "complexity_classification.pdf")
