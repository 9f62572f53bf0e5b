"""The robustness of surrogate gradients: figures from the tables of
``analyses/surrogate_gradients``.

neurocode figures surrogate-gradients

"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from sklearn.metrics import roc_curve

from analyses.drawing import counted, differences, margin, seeds
from analyses.judging import sound
from analyses.protocol import FLOOR, Pairs, is_trained, paired
from analyses.surrogate_gradients.learnability import (
    area_by_seed,
    held_out,
    predicted,
    with_features,
)
from analyses.surrogate_gradients.protocols import FITTED, HELD_OUT
from analyses.surrogate_gradients.sparse import fit_broken_line
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.style import TWO_COLUMNS, note_above

DATASETS = {"randman": "Randman", "ecg": "ECG", "braille": "Braille"}
HARDER = {"randman": "benchmark", "randman-rough": "rougher", "randman-2d": "of two dimensions"}
#: Labels and colours of arms.
SHAPES = {
    "reference": ("SuperSpike", "#000000"),
    "sigmoid": ("logistic", "#0072B2"),
    "linear": ("piecewise linear", "#009E73"),
    "constant": ("constant", "#E69F00"),
    "zero": ("zero (true)", "#999999"),
}
CHANGED = {
    "sigmoid": ("logistic", "#0072B2"),
    "linear": ("piecewise linear", "#009E73"),
    "shallow": ("slope 1", "#56B4E9"),
    "steep": ("slope 100", "#CC79A7"),
}
RESETS = {
    "reference": ("normalised, detached", "#000000"),
    "attached": ("normalised, attached", "#0072B2"),
    "asymptotic": ("asymptotic, detached", "#E69F00"),
    "asymptotic attached": ("asymptotic, attached", "#D55E00"),
}
LOOPS = {"reference": ("normalised", "#0072B2"), "asymptotic": ("asymptotic", "#D55E00")}
SILENT = ("silent start", "#999999")
FAMILIES = {
    "superspike": "SuperSpike",
    "sigmoid": "Logistic",
    "piecewise_linear": "Piecewise linear",
    "gaussian": "Gaussian",
    "slayer": "Exponential",
    "arctan": "Arctangent",
}
#: Networks for which differences are drawn: data set, start, kind of network, and tick label.
PLACES = (
    ("randman", "firing", "feedforward", "Randman"),
    ("randman", "silent", "feedforward", "silent"),
    ("ecg", "firing", "feedforward", "ECG"),
    ("braille", "firing", "feedforward", "Braille"),
    ("randman", "firing", "recurrent", "Randman,\nrec."),
    ("randman", "silent", "recurrent", "silent,\nrec."),
    ("ecg", "firing", "recurrent", "ECG,\nrec."),
    ("braille", "firing", "recurrent", "Braille,\nrec."),
)
#: Accuracy of guessing one of ten classes, in percent.
CHANCE = 10.0
MOSAIC = "aaabbb;cccddd;eeefff;ggghhh"


def part_of(table: pd.DataFrame, dataset: str, start: str, net: str) -> pd.DataFrame:
    """Return the rows of one data set, start and kind of network."""
    return table[(table["dataset"] == dataset) & (table["start"] == start) & (table["net"] == net)]


def legend_below(axes: Axes, **options: Any) -> None:
    """Add a legend below the data, and make room for it."""
    low, high = axes.get_ylim()
    axes.set_ylim(low - 0.4 * (high - low), high)
    legend(axes, loc="lower left", **options)


def legend(axes: Axes, **options: Any) -> None:
    """Add a legend if anything with a label was drawn."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**options)


def accuracy(axes: Axes, table: pd.DataFrame, net: str, title: str) -> Axes:
    """Draw the test accuracy of every seed by shape, with a derivative of zero and a constant one
    as controls."""
    rows = table[(table["start"] == "firing") & (table["net"] == net) & table["arm"].isin(SHAPES)]
    rows = rows[rows["dataset"].isin(DATASETS)]
    seeds(axes, rows, "arm", "test_score", SHAPES, DATASETS)
    axes.set(ylabel="Test accuracy (%)", ylim=(0, 103))
    axes.set_title(f"{title}, firing start", loc="left")
    return counted(axes, rows)


def changes(
    axes: Axes,
    table: pd.DataFrame,
    arms: Mapping[str, tuple[str, str]],
    against: Mapping[str, str],
    label: str,
) -> Axes:
    """Draw the gain in accuracy of each changed arm over the arm that it changes."""
    parts = {place[3]: part_of(table, *place[:3]) for place in PLACES}
    parts = {name: part for name, part in parts.items() if part["arm"].isin(arms).any()}
    pairs = {
        arm: [paired(part, "arm", arm, against[arm], "test_score") for part in parts.values()]
        for arm in arms
    }
    differences(margin(axes, 2.0), pairs, arms, list(parts))
    axes.tick_params(axis="x", labelrotation=45)
    axes.set(ylabel=label)
    legend_below(axes, ncols=2)
    return counted(
        axes, table[table["arm"].isin([*arms, *against.values()]) & table["dataset"].isin(DATASETS)]
    )


def loops(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the gain by gradients through recurrent connections."""
    places = [place for place in PLACES if place[2] == "recurrent"]
    stopped = {"reference": "stopped", "asymptotic": "asymptotic stopped"}
    parts = [part_of(table, *place[:3]) for place in places]
    pairs: dict[str, list[Pairs]] = {
        arm: [paired(part, "arm", arm, without, "test_score") for part in parts]
        for arm, without in stopped.items()
    }
    differences(
        margin(axes, 2.0), pairs, LOOPS, [place[3].removesuffix(",\nrec.") for place in places]
    )
    axes.set(ylabel="Gain by gradients through\nconnections inside (points)")
    legend_below(axes)
    return counted(axes, table[table["net"] == "recurrent"])


def depth(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the test accuracy of every seed by depth; that of the default also from the silent
    start."""
    rows = table.assign(arm=np.where(table["start"] == "silent", "silent", table["arm"]))
    places = {depth: f"{depth:g}" for depth in sorted(rows["depth"].unique())}
    seeds(axes, rows, "arm", "test_score", {**RESETS, "silent": SILENT}, places, by="depth")
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":", label="chance")
    axes.set(
        xlabel="Hidden layers (Randman, firing start)", ylabel="Test accuracy (%)", ylim=(0, 103)
    )
    legend(axes, loc="lower left", bbox_to_anchor=(0, 0.12))
    return counted(axes, rows)


def sparse_limit(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw test accuracy against activity with the broken line.

    Networks that did not train are drawn as crosses, silent ones at the left.
    """
    trained = is_trained(table)
    for chosen, marker in ((trained, "o"), (~trained, "x")):
        rows = table[chosen]
        activity = rows["spikes"].clip(lower=1e-3)
        image = axes.scatter(
            activity,
            100 * rows["test_score"],
            c=np.log10(rows["upper"] + 0.03),
            marker=marker,
            s=10,
            cmap="viridis",
            vmin=-1.5,
            vmax=1.5,
        )
    place, below, above = fit_broken_line(table)
    if np.isfinite(place):
        fitted = table[trained & (table["spikes"] > 0)]
        x = np.log10(fitted["spikes"]).sort_values()
        bent = np.where(x < place, below, above) * (x - place)
        axes.plot(
            10**x, 100 * (bent + np.mean(fitted["test_score"] - bent)), color="0.3", linewidth=0.8
        )
        axes.axvline(
            10**place, color="0.3", linewidth=0.6, linestyle="--", label="break of the line"
        )
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":", label="chance")
    axes.set(
        xscale="log",
        xlabel="Spikes per neuron and sequence (Randman)",
        ylabel="Test accuracy (%)",
        ylim=(0, 103),
    )
    bar = axes.figure.colorbar(
        image, ax=axes, ticks=[np.log10(strength + 0.03) for strength in (0.0, 1.0, 20.0)]
    )
    bar.set_ticklabels(["0", "1", "20"])
    bar.set_label("Strength of the bound")
    legend(axes, loc="center left", title="crosses: not trained", title_fontsize=6)
    return counted(axes, table)


def difficulty(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the test accuracy of every seed on harder manifolds."""
    rows = table[
        (table["start"] == "firing")
        & (table["net"] == "feedforward")
        & table["dataset"].isin(HARDER)
    ]
    arms = ("reference", "sigmoid", "linear", "constant")
    style = {
        **{arm: SHAPES[arm] for arm in arms},
        "asymptotic attached": RESETS["asymptotic attached"],
    }
    seeds(axes, rows[rows["arm"].isin(style)], "arm", "test_score", style, HARDER)
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":", label="chance")
    axes.set(xlabel="Manifolds (Randman)", ylabel="Test accuracy (%)", ylim=(0, 103))
    legend(axes, loc="lower left", bbox_to_anchor=(0, 0.12), ncols=2)
    return counted(axes, rows)


def heat_map(axes: Axes, table: pd.DataFrame, shape: str) -> plt.cm.ScalarMappable:
    """Draw the training accuracy from the silent start over slope and depth, averaged over seeds.

    Crosses mark networks that are predicted not to learn.
    """
    of_shape = table[(table["shape"] == shape) & (table["start"] == "silent")]
    accuracy, learns = (
        of_shape.pivot_table(index="depth", columns="slope", values=name)
        for name in ("training_score", "predicted")
    )
    image = axes.imshow(
        100 * accuracy.to_numpy(), origin="lower", vmin=0, vmax=100, cmap="viridis", aspect="auto"
    )
    rows, columns = np.nonzero(learns.to_numpy() < 0.5)
    axes.plot(columns, rows, "x", color="white", markersize=4)
    axes.set_xticks(
        range(len(accuracy.columns)), [f"{slope:g}" for slope in accuracy.columns], rotation=90
    )
    axes.set_yticks(range(len(accuracy.index)), [f"{depth:g}" for depth in accuracy.index])
    group = "fitted" if shape in FITTED else "held out"
    axes.set(xlabel=r"Slope $\beta$", ylabel="Hidden layers", title=f"{FAMILIES[shape]} ({group})")
    return image


def curves(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the receiver operating characteristic of the rule on held-out shapes.

    The rule uses the derivative at the potentials of the start, or the derivative at rest.
    """
    for column, label, colour in (
        ("derivative", "at the potentials", "#D55E00"),
        ("derivative_at_rest", "at rest", "#0072B2"),
    ):
        areas = area_by_seed(table, column)
        if not len(areas):
            continue
        for seed in areas.index:
            rows = held_out(table, column).query("seed == @seed")
            false_alarms, hits, _ = roc_curve(rows["learns"], rows["predicted"])
            named = (
                f"{label}: {areas.mean():.3f} ({areas.min():.3f} to {areas.max():.3f})"
                if seed == areas.index[0]
                else None
            )
            axes.plot(false_alarms, hits, color=colour, linewidth=0.8, label=named)
    axes.plot([0, 1], [0, 1], ":", color="0.6", linewidth=0.6, label="guessing: 0.5")
    axes.set(
        xlabel="False alarms (share of starts that cannot learn)",
        ylabel="Hits (share of starts that can)",
        title="Held-out shapes, area",
    )
    legend(axes, loc="lower right")
    return axes


def learners(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw training accuracy against the derivative before training, for every start of the
    held-out shapes."""
    rows = with_features(table)
    rows = rows[rows["shape"].isin(HELD_OUT)]
    for number, (depth, colour) in enumerate(
        zip((1, 2, 4), ("#56B4E9", "#0072B2", "#000000"), strict=True)
    ):
        part = rows[rows["depth"] == depth]
        for start, marker in (("silent", "o"), ("firing", "^")):
            chosen = part[part["start"] == start]
            label = f"{depth} layer{'s' if number else ''}" if start == "silent" else None
            axes.plot(
                chosen["log_derivative"],
                100 * chosen["training_score"],
                marker,
                markersize=2,
                color=colour,
                label=label,
            )
    floor = FLOOR * CHANCE
    axes.axhline(
        floor, color="0.6", linewidth=0.6, linestyle=":", label=f"did not train below {floor:g} %"
    )
    axes.set(
        xlabel="Derivative at the start\n(decimal logarithm; triangles: firing)",
        ylabel="Training accuracy (%)",
        ylim=(0, 103),
    )
    legend(axes, loc="upper left")
    n = f"n = {len(rows)} starts, {rows['seed'].nunique()} seeds"
    return note_above(axes, n)


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the page of comparisons and that of starts, each if its tables exist."""
    read = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
    paths: list[Path] = []
    with house_style():
        if {"comparisons", "depth", "sparse"} <= set(read):
            paths += _comparisons(read, output)
        if "starts" in read:
            paths += _starts(read["starts"], output)
    return paths


def _comparisons(read: Mapping[str, pd.DataFrame], output: Path) -> list[Path]:
    figure, axes = plt.subplot_mosaic(MOSAIC, figsize=(TWO_COLUMNS, 8.6), layout="constrained")
    table = read["comparisons"]
    legend(accuracy(axes["a"], table, "feedforward", "Feed-forward"), loc="lower left", ncols=2)
    accuracy(axes["b"], table, "recurrent", "Recurrent")
    changes(
        axes["c"],
        table,
        CHANGED,
        dict.fromkeys(CHANGED, "reference"),
        "Gain over SuperSpike\nof slope 10 (points)",
    )
    resets = {name: RESETS[name] for name in ("attached", "asymptotic", "asymptotic attached")}
    against = {
        "attached": "reference",
        "asymptotic": "reference",
        "asymptotic attached": "asymptotic",
    }
    changes(
        axes["d"],
        table,
        resets,
        against,
        "Gain (points): attached over\ndetached, else over normalised",
    )
    loops(axes["e"], table)
    depth(axes["f"], read["depth"])
    sparse_limit(axes["g"], read["sparse"])
    difficulty(axes["h"], table)
    for letter, panel in axes.items():
        label_panel(panel, letter)
    return save_figure(figure, output / "surrogate_gradients.pdf")


def _starts(table: pd.DataFrame, output: Path) -> list[Path]:
    table = table.assign(predicted=predicted(table))
    figure, axes = plt.subplot_mosaic(
        "abc;def;ghh", figsize=(TWO_COLUMNS, 5.6), layout="constrained"
    )
    for letter, shape in zip("abcdef", FAMILIES, strict=True):
        if (table["shape"] == shape).any():
            image = heat_map(axes[letter], table, shape)
        else:
            axes[letter].set_axis_off()
    figure.colorbar(
        image,
        ax=[axes[letter] for letter in "cf"],
        label="Training accuracy (%); crosses: predicted not to learn",
    )
    learners(axes["g"], table)
    curves(axes["h"], table)
    for letter, panel in axes.items():
        label_panel(panel, letter)
    return save_figure(figure, output / "surrogate_gradients_starts.pdf")
