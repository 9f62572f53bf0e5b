"""Learned thresholds: figure from the tables of ``analyses/threshold_learning``.

neurocode figures threshold-learning

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.drawing import DATASETS, counted, differences, margin, seeds
from analyses.judging import sound
from analyses.protocol import is_trained, paired
from analyses.threshold_learning.claims import LOWEST_RATE, with_derived
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.plotting.log_axes import logarithmic
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS

ARMS = {
    "both": ("synapses and thresholds", "#D55E00"),
    "weights": ("synapses", "#0072B2"),
    "thresholds": ("thresholds", "#999999"),
    "joint": ("both, joint decision", "#009E73"),
}
NORMALISED = {True: ("normalised", "#D55E00"), False: ("not normalised", "#0072B2")}
NETS = {"dense": "Dense", "convolutional": "Convolutional"}
MOSAIC = "aaabbb;ccddee;ffgghh"
#: Space in points between a panel and its title, which leaves room for the number of seeds.
TITLE_PAD = 9


def accuracy(axes: Axes, table: pd.DataFrame, normalised: bool) -> Axes:
    """Draw the test accuracy of every seed, with or without normalisation."""
    rows = table[table["normalised"] == normalised]
    seeds(axes, rows, "arm", "test_score", ARMS, DATASETS)
    axes.set(ylabel="Test accuracy (%)", ylim=(0, 100))
    axes.set_title(NORMALISED[normalised][0], pad=TITLE_PAD)
    return counted(axes, rows)


def gains(axes: Axes, table: pd.DataFrame, first: str, second: str, title: str) -> Axes:
    """Draw paired differences of two arms on each data set, with and without normalisation."""
    pairs = {
        normalised: [
            paired(
                table[(table["dataset"] == name) & (table["normalised"] == normalised)],
                "arm",
                first,
                second,
                "test_score",
            )
            for name in DATASETS
        ]
        for normalised in NORMALISED
    }
    differences(margin(axes, 1.0), pairs, NORMALISED, list(DATASETS.values()))
    axes.set(ylabel="Gain in accuracy (points)")
    axes.set_title(title, pad=TITLE_PAD)
    return counted(axes, table[table["arm"].isin((first, second))])


def noise(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw how much less accuracy learned thresholds lose to disturbances of the same images."""
    rows = with_derived(table).assign(kept=lambda t: -t["lost"])
    pairs = {
        normalised: [
            paired(
                rows[(rows["dataset"] == name) & (rows["normalised"] == normalised)],
                "arm",
                "both",
                "weights",
                "kept",
            )
            for name in DATASETS
        ]
        for normalised in NORMALISED
    }
    differences(margin(axes, 1.0), pairs, NORMALISED, list(DATASETS.values()))
    axes.set(ylabel="Less accuracy lost (points)")
    axes.set_title("disturbed: STL minus SL", pad=TITLE_PAD)
    return counted(axes, table[table["arm"].isin(("both", "weights"))])


def rates(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the hidden rate against the initial threshold on each data set without normalisation.

    Drawn are mean and 95 % interval of the trained networks; an interval ends at the bounds of a
    rate, zero and one spike per step.
    """
    rows = table[~table["normalised"] & is_trained(table)]
    for arm in ("both", "weights"):
        for name, line in zip(DATASETS, ("-", "--", ":"), strict=True):
            groups = rows[(rows["arm"] == arm) & (rows["dataset"] == name)].groupby("threshold")[
                "rate_hidden"
            ]
            if not len(groups):
                continue
            intervals = np.array([mean_interval(values) for _, values in groups])
            low, high = np.clip(intervals, LOWEST_RATE, 1.0).T
            place, mean = groups.mean().index, groups.mean().to_numpy()
            axes.errorbar(
                place,
                mean,
                (mean - low, high - mean),
                linestyle=line,
                marker="o",
                markersize=2,
                capsize=1.5,
                color=ARMS[arm][1],
            )
    axes.set(
        xscale="log",
        xlabel="Initial threshold",
        ylabel="Spikes per neuron and step",
    )
    axes.set_title("not normalised", pad=TITLE_PAD)
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.1 * (high - low), high)  # room for the text below the lines
    axes.set_xticks(
        sorted(rows["threshold"].unique()), [f"{t:g}" for t in sorted(rows["threshold"].unique())]
    )
    axes.minorticks_off()
    axes.annotate(
        "solid digits, dashed MNIST, dotted Braille",
        (0.03, 0.02),
        xycoords="axes fraction",
        fontsize=6,
        color="0.3",
    )
    return counted(axes, table[~table["normalised"]])


def depth(axes: Axes, table: pd.DataFrame, net: str) -> Axes:
    """Draw accuracy against energy for one to eight hidden layers: means with 95 % intervals in
    both directions."""
    rows = table[(table["net"] == net) & is_trained(table)]
    for arm in ("weights", "both"):
        path = []
        for layers, part in rows[rows["arm"] == arm].groupby("depth"):
            energy, score = part["nanojoule"], 100 * part["test_score"]
            colour = ARMS[arm][1]
            if len(part) > 1:
                axes.plot(mean_interval(energy), [score.mean()] * 2, color=colour)
                axes.plot(
                    [energy.mean()] * 2, np.clip(mean_interval(score), 0.0, 100.0), color=colour
                )
            axes.annotate(
                f"{layers:g}",
                (energy.mean(), score.mean()),
                (3, 3),
                textcoords="offset points",
                fontsize=6,
                color=colour,
            )
            path.append((energy.mean(), score.mean()))
        if path:
            axes.plot(
                *zip(*path, strict=True),
                "-o",
                markersize=2.5,
                linewidth=0.7,
                color=ARMS[arm][1],
                label=ARMS[arm][0],
            )
    logarithmic(axes, "x")
    axes.set(xlabel="Energy per image (nJ)", ylabel="Test accuracy (%)")
    axes.set_title(f"{NETS[net]}, MNIST, by hidden layers", pad=TITLE_PAD)
    return counted(axes, table[table["net"] == net])


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the page if its tables exist; every panel keeps data sets apart."""
    read = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
    if not {"training", "starts", "depth"} <= set(read):
        return []
    training, starts = read["training"], read["starts"]
    with house_style():
        figure, axes = plt.subplot_mosaic(MOSAIC, figsize=(TWO_COLUMNS, 6.4), layout="constrained")
        accuracy(axes["a"], training, True)
        accuracy(axes["b"], training, False)
        axes["b"].legend(loc="lower left")
        gains(
            axes["c"],
            starts[starts["threshold"] == 1.0],
            "both",
            "weights",
            "STL minus SL, from threshold 1",
        )
        gains(axes["d"], training, "both", "weights", "STL minus SL, thresholds tuned")
        axes["d"].legend()
        noise(axes["e"], training)
        rates(axes["f"], starts)
        depth(axes["g"], read["depth"], "dense")
        depth(axes["h"], read["depth"], "convolutional")
        axes["g"].legend(loc="lower left")
        for letter, panel in axes.items():
            label_panel(panel, letter)
        return save_figure(figure, output / "threshold_learning.pdf")
