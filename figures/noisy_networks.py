"""Noisy spiking networks: figure from the tables of ``analyses/noisy_networks``.

neurocode figures noisy-networks

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.judging import sound
from analyses.noisy_networks.claims import equally_good
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.style import TWO_COLUMNS

KINDS = {
    "deterministic": ("deterministic", "#000000"), "released": ("deterministic, wide surrogate", "#999999"),
    "escape": ("escape noise", "#D55E00"), "diffusive": ("diffusive noise", "#0072B2"), "both": ("both", "#009E73"),
    "learned": ("escape, width learned", "#CC79A7"),
}  # fmt: skip
DATASETS = {"digits": "Digits", "mnist10k": "MNIST, 10 000", "braille": "Braille"}
FAMILIES = {
    "gaussian": "Gaussian noise (s.d. of inputs)", "pgd": "Size of attack (s.d. of inputs)",
    "flips": "Share of flipped spikes",
}  # fmt: skip


def accuracies(axes: Axes, table: pd.DataFrame) -> Axes:
    """Test accuracy of every kind and data set: seeds and their mean."""
    for number, (kind, (label, colour)) in enumerate(KINDS.items()):
        for place, name in enumerate(DATASETS):
            own = table[(table["kind"] == kind) & (table["dataset"] == name)]["test_score"]
            x = place + 0.12 * (number - 2.5)
            axes.plot(np.full(len(own), x), own, "o", markersize=1.5, color=colour, alpha=0.5)
            axes.plot([x - 0.05, x + 0.05], [own.mean()] * 2, color=colour, label=label if not place else None)
    axes.set(xticks=range(len(DATASETS)), ylabel="Test accuracy")
    axes.set_xticklabels(DATASETS.values())
    axes.legend(loc="lower left", ncols=2)
    return axes


def curve(axes: Axes, table: pd.DataFrame, family: str) -> Axes:
    """Accuracy against the level of a disturbance, mean over data sets and seeds; for attacks, dotted, the random control."""
    for kind, own in table.groupby("kind"):
        label, colour = KINDS[kind]
        axes.plot(*_means(own, family), "-o", markersize=2.5, color=colour, label=label)
        if family == "pgd":
            axes.plot(*_means(own, "random"), ":", color=colour)
    axes.set(xlabel=FAMILIES[family], ylabel="Test accuracy", ylim=(0, 1))
    return axes


def _means(table: pd.DataFrame, family: str) -> tuple[list[float], list[float]]:
    """Levels from zero on, and mean accuracies."""
    names = [name for name in table.columns if name.rpartition("_")[0] == family]
    return [0.0, *(float(name.rpartition("_")[2]) for name in names)], [table["clean"].mean(), *table[names].mean()]


def complete(table: pd.DataFrame) -> pd.DataFrame:
    """Data sets and seeds of which every kind is there, so that all curves are means over the same."""
    kinds = table.groupby(["dataset", "seed"])["kind"].transform("nunique")
    return table[kinds == table["kind"].nunique()]


def widths(axes: Axes, table: pd.DataFrame) -> Axes:
    """Accuracy on digits against the width of the noise, alone and of twenty passes."""
    for name, label, line in (("test_score", "one pass", "-"), ("ensemble_score", "20 passes", "--")):
        values = table.groupby("width")[name]
        axes.errorbar(values.mean().index, values.mean(), values.std(), linestyle=line, marker="o", markersize=2.5, capsize=1.5,
                      color=KINDS["escape"][1], label=label)  # fmt: skip
    axes.set(xlabel="Width of the escape noise", ylabel="Test accuracy", ylim=(0.96, 0.99))
    axes.legend(loc="lower left")
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """Accuracies, and robustness below them once its table is there."""
    found = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
    if not {"training", "widths"} <= set(found):
        return []
    robust = "robustness" in found
    with house_style():
        layout, height = ("aab;cde", 4.0) if robust else ("aab", 2.2)
        figure, axes = plt.subplot_mosaic(layout, figsize=(TWO_COLUMNS, height), layout="constrained")
        accuracies(axes["a"], found["training"])
        middle = found["training"].query("dataset == 'digits' and kind == 'escape'")
        widths(axes["b"], pd.concat([found["widths"], middle]))
        if robust:
            matched = complete(equally_good(found["robustness"]))
            for letter, family in zip("cde", ("gaussian", "pgd", "flips"), strict=True):
                curve(axes[letter], matched, family)
            axes["c"].legend(loc="lower left")
        for letter, own in axes.items():
            label_panel(own, letter)
        return save_figure(figure, output / "noisy_networks.pdf")
