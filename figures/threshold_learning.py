"""Learned thresholds: figure from the tables of ``analyses/threshold_learning``.

neurocode figures threshold-learning

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from analyses.judging import sound
from analyses.threshold_learning.claims import at_best_threshold
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS

LEARNED = {
    "both": ("weights and thresholds", "#D55E00"), "weights": ("weights", "#0072B2"), "thresholds": ("thresholds", "#999999"),
}  # fmt: skip
DATASETS = {"digits": "Digits", "mnist10k": "MNIST, 10 000", "braille": "Braille"}


def over_thresholds(axes: Axes, table: pd.DataFrame, name: str, label: str) -> Axes:
    """A column against the initial threshold, mean over data sets and seeds, for every way of learning."""
    for learned, (text, colour) in LEARNED.items():
        values = table[table["learned"] == learned].groupby("threshold")[name].mean()
        axes.plot(values.index, values, "-o", markersize=2.5, color=colour, label=text)
    axes.set(xlabel="Initial threshold", ylabel=label, xscale="log")
    axes.set_xticks(sorted(table["threshold"].unique()), [f"{t:g}" for t in sorted(table["threshold"].unique())])
    axes.minorticks_off()
    return axes


def gains(axes: Axes, table: pd.DataFrame) -> Axes:
    """Accuracy gained by learning thresholds besides: from threshold 1, and each at its best threshold; 95 % intervals."""
    for shift, own, marker, text in (
        (-0.1, table[table["threshold"] == 1.0], "o", "from threshold 1"),
        (0.1, at_best_threshold(table), "s", "thresholds tuned"),
    ):
        scores = own.pivot(index=["dataset", "seed"], columns="learned", values="test_score")
        gain = 100 * (scores["both"] - scores["weights"])
        for place, name in enumerate(DATASETS):
            if name not in gain:
                continue
            low, high = mean_interval(gain[name])
            axes.plot([place + shift] * 2, [low, high], color="0.3")
            axes.plot(place + shift, gain[name].mean(), marker, markersize=3, color="0.3", label=None if place else text)
    axes.axhline(0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xticks=range(len(DATASETS)), ylabel="Gain (points of accuracy)")
    axes.set_xticklabels(DATASETS.values())
    axes.legend()
    return axes


def disturbed(axes: Axes, table: pd.DataFrame) -> Axes:
    """Accuracy lost to noise, salt and pepper, and flipped spikes, from threshold 1; 95 % intervals over seeds."""
    names = {"noise": "Gaussian", "salt": "salt,\npepper", "flips": "flips"}
    own = table[table["threshold"] == 1.0]
    for shift, (learned, (text, colour)) in zip((-0.2, 0.0, 0.2), LEARNED.items(), strict=True):
        means = own[own["learned"] == learned].groupby("seed")[["test_score", *names]].mean()
        for place, name in enumerate(names):
            lost = 100 * (means["test_score"] - means[name])
            axes.plot([place + shift] * 2, mean_interval(lost), color=colour)
            axes.plot(place + shift, lost.mean(), "o", markersize=2.5, color=colour, label=None if place else text)
    axes.set(xticks=range(len(names)), ylabel="Points of accuracy lost", ylim=(0, None))
    axes.set_xticklabels(names.values())
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """The figure, once its table is there: a row for networks without normalisation and one for those with it."""
    path = tables / "training.parquet"
    if not path.exists():
        return []
    table = sound(study_table(path))
    kinds = (("not normalised", table[~table["normalised"]]), ("normalised", table[table["normalised"]]))
    rows = {kind: shown for kind, shown in kinds if len(shown)}
    with house_style():
        figure, axes = plt.subplots(len(rows), 3, figsize=(TWO_COLUMNS, 2.0 * len(rows)), layout="constrained", squeeze=False)
        for (kind, shown), row in zip(rows.items(), axes, strict=True):
            over_thresholds(row[0], shown, "test_score", "Test accuracy").set(title=kind, ylim=(0, 1))
            gains(row[1], shown).set(title=kind)
            if kind == "normalised":
                disturbed(row[2], shown).set(title=kind)
            else:
                over_thresholds(row[2], shown, "rate_hidden", "Spikes per neuron and step").set(title=kind)
        axes[0, 0].legend(loc="lower left")
        for letter, panel in zip("abcdef", axes.flat, strict=False):
            label_panel(panel, letter)
        return save_figure(figure, output / "threshold_learning.pdf")
