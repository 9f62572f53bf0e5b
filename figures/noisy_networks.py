"""Noisy spiking networks: figure from the tables of ``analyses/noisy_networks``.

neurocode figures noisy-networks

"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.drawing import DATASETS, counted, differences, margin, seeds
from analyses.judging import sound
from analyses.noisy_networks.claims import levels_of, with_mean
from analyses.noisy_networks.gradients_figure import draw_gradients
from analyses.protocol import Pairs, is_trained, paired
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS

KINDS = {
    "deterministic": ("no noise", "#000000"),
    "escape": ("escape noise", "#D55E00"),
    "diffusive": ("diffusive noise", "#0072B2"),
    "both": ("both noises", "#009E73"),
    "corrected": ("escape, corrected", "#CC79A7"),
}
NETS = {"lenet": "MNIST,\nLeNet", "cifar": "MNIST,\nCIFARNet"}
#: Rows of the panels of robustness, with the families of disturbances in the table.
FAMILIES = {
    "disturbed inputs": ("gaussian", "salt", "drop"),
    "random direction": ("random",),
    "fast gradient sign": ("fgsm_over",),
    "iterated sign": ("pgd_over",),
    "transferred attack": ("transfer",),
    "flipped spikes": ("flips",),
    "membrane noise": ("membrane",),
}
NETWORKS, ROBUSTNESS = "aaabbb;ccddee;ffffff", "abc;def"
Tables = Mapping[str, pd.DataFrame]


def gain(table: pd.DataFrame, kind: str, values: str, rival: str = "deterministic") -> Pairs:
    """Return the gain of a kind over a rival on one data set."""
    return paired(table, "kind", kind, rival, values)


def accuracy(axes: Axes, tables: Tables) -> Axes:
    """Draw the test accuracy of every seed."""
    seeds(axes, tables["all"], "kind", "test_score", KINDS, places_of(tables), by="place")
    axes.set(ylabel="Test accuracy (%)")
    return counted(axes, tables["all"])


def places_of(tables: Tables) -> dict[str, str]:
    """Return the data sets and convolutional networks that have rows, with their labels."""
    return {
        place: label
        for place, label in {**DATASETS, **NETS}.items()
        if (tables["all"]["place"] == place).any()
    }


def accuracy_gains(axes: Axes, tables: Tables) -> Axes:
    """Draw the gain in accuracy of each noise over the deterministic network of the same seed."""
    places = places_of(tables)
    parts = [tables["all"][tables["all"]["place"] == place] for place in places]
    pairs = {
        kind: [gain(part, kind, "test_score") for part in parts]
        for kind in KINDS
        if kind != "deterministic"
    }
    differences(margin(axes, 1.0), pairs, KINDS, list(places.values()))
    axes.set(ylabel="Gain over no noise (points)")
    return counted(axes, tables["all"])


def robustness(axes: Axes, table: pd.DataFrame, title: str) -> Axes:
    """Draw how much less accuracy noisy networks lose to each disturbance on one data set.

    There is one row per disturbance.
    """
    step, kinds = 0.25, ("escape", "diffusive", "both")
    axes.axvspan(-1.0, 1.0, color="0.92", zorder=0)
    axes.axvline(0, color="0.6", linewidth=0.6)
    for row, names in enumerate(FAMILIES.values()):
        for number, kind in enumerate(kinds):
            pairs = gain(with_mean(table, names).assign(kept=lambda t: -t["lost"]), kind, "kept")
            if len(pairs.values) < 2:
                continue
            y = row + step * (number - 1)
            axes.plot(100 * np.array(mean_interval(pairs.values)), [y] * 2, color=KINDS[kind][1])
            axes.plot(
                100 * pairs.values.mean(),
                y,
                "o",
                markersize=2.5,
                color=KINDS[kind][1],
                label=None if row else KINDS[kind][0],
            )
    axes.set(
        xlabel="Accuracy kept beyond\nno noise (points)",
        ylim=(len(FAMILIES) - 0.4, -0.6),
        title=title,
    )
    axes.set_yticks(range(len(FAMILIES)), list(FAMILIES))
    return counted(axes, table)


def attack_curve(axes: Axes, table: pd.DataFrame, title: str) -> Axes:
    """Draw the accuracy on one data set against the size of an iterated attack and of random
    changes.

    Gradients of an attack are those of one pass, or means over passes.
    """
    for kind in ("deterministic", "escape"):
        of_kind = table[(table["kind"] == kind) & is_trained(table)]
        for family, line in (("pgd_over", "-"), ("pgd_through", "--"), ("random", ":")):
            names = levels_of(of_kind, [family])
            if kind == "deterministic" and family == "pgd_through":
                continue
            levels = [0.0, *(float(name.rpartition("_")[2]) for name in names)]
            values = of_kind[["clean", *names]]
            low, high = zip(*(mean_interval(values[name]) for name in values), strict=True)
            label = (
                KINDS[kind][0]
                + {
                    "pgd_over": "",
                    "pgd_through": ", one pass per step",
                    "random": ", random direction",
                }[family]
            )
            axes.plot(
                levels,
                100 * values.mean(),
                line,
                marker="o",
                markersize=2,
                color=KINDS[kind][1],
                label=label,
            )
            low, high = (100 * np.clip(bound, 0.0, 1.0) for bound in (low, high))
            axes.fill_between(levels, low, high, color=KINDS[kind][1], alpha=0.15, linewidth=0)
    axes.set(
        xlabel="Size of attack (s.d. of inputs)", ylabel="Accuracy (%)", ylim=(0, 100), title=title
    )
    return counted(axes, table)


def widths(axes: Axes, table: pd.DataFrame, title: str) -> Axes:
    """Draw the validation accuracy on one data set against the width of noise or surrogate.

    It is that at the best learning rate, averaged over tuning seeds.
    """
    for kind, (_, colour) in KINDS.items():
        of_kind = table[table["kind"] == kind]
        best = of_kind.groupby(["width", "rate"])["validation_score"].mean().groupby("width").max()
        axes.plot(best.index, 100 * best, marker="o", markersize=2, color=colour)
    axes.set(xscale="log", xlabel="Width of noise or surrogate", ylabel="Validation (%)")
    axes.set_title(f"{title}, n = {table['seed'].nunique()} tuning seeds", fontsize=6)
    ticks = sorted(table["width"].unique())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    return axes


def regularisation(axes: Axes, table: pd.DataFrame, values: str, label: str, sign: float) -> Axes:
    """Draw the difference from the deterministic network against the number of training images."""
    sizes = sorted(table["training_size"].unique())
    parts = [
        table[table["training_size"] == size].assign(signed=lambda t: sign * t[values])
        for size in sizes
    ]
    pairs = {kind: [gain(part, kind, "signed") for part in parts] for kind in ("escape", "both")}
    differences(margin(axes, 1.0), pairs, KINDS, [f"{size:g}" for size in sizes])
    axes.set(xlabel="Training images (MNIST)", ylabel=label)
    return counted(axes, table)


def calibration(axes: Axes, tables: Tables) -> Axes:
    """Draw the expected calibration error; that of noisy networks is over twenty passes."""
    seeds(axes, tables["training"], "kind", "ensemble_calibration_error", KINDS, DATASETS)
    axes.set(ylabel="Calibration error (%)", ylim=(0, None))
    return counted(axes, tables["training"])


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the pages of networks, of their robustness and of gradients, each if its tables
    exist."""
    read = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
    return [
        *draw_networks(read, output),
        *draw_robustness(read, output),
        *draw_gradients(tables, output),
    ]


def draw_networks(tables: Tables, output: Path) -> list[Path]:
    """Draw accuracy, regularisation, calibration and tuning; every panel keeps data sets apart."""
    if not {"tuning", "training", "sizes"} <= set(tables):
        return []
    parts = [tables["training"].assign(place=tables["training"]["dataset"])]
    if "convolutional" in tables:
        parts.append(tables["convolutional"].assign(place=tables["convolutional"]["net"]))
    tables = {**tables, "all": pd.concat(parts)}
    with house_style():
        figure, axes = plt.subplot_mosaic(
            NETWORKS, figsize=(TWO_COLUMNS, 6.0), layout="constrained"
        )
        accuracy(axes["a"], tables)
        accuracy_gains(axes["b"], tables)
        regularisation(
            axes["c"],
            tables["sizes"],
            "gap",
            "Smaller gap of training and\ntest than without noise (points)",
            -1.0,
        )
        regularisation(
            axes["d"],
            tables["sizes"],
            "last_test_score",
            "Test accuracy gained\nover no noise (points)",
            1.0,
        )
        calibration(axes["e"], tables)
        figure.legend(
            *axes["a"].get_legend_handles_labels(), loc="outside upper center", ncols=len(KINDS)
        )
        inner = axes["f"].get_subplotspec().subgridspec(1, len(DATASETS))
        axes["f"].remove()
        panels = [figure.add_subplot(place) for place in inner]
        for panel, (name, title) in zip(panels, DATASETS.items(), strict=True):
            widths(panel, tables["tuning"][tables["tuning"]["dataset"] == name], title)
        for letter, panel in zip(
            "abcdefgh", [*(axes[letter] for letter in "abcde"), *panels], strict=True
        ):
            label_panel(panel, letter)
        return save_figure(figure, output / "noisy_networks.pdf")


def draw_robustness(tables: Tables, output: Path) -> list[Path]:
    """Draw the cost of disturbances and attacks, with one column per data set."""
    if "robustness" not in tables:
        return []
    table = tables["robustness"]
    with house_style():
        figure, axes = plt.subplot_mosaic(
            ROBUSTNESS, figsize=(TWO_COLUMNS, 4.6), layout="constrained"
        )
        for place, (name, title) in enumerate(DATASETS.items()):
            rows = table[table["dataset"] == name]
            above, below = axes["abc"[place]], axes["def"[place]]
            if rows.empty:
                above.remove()
                below.remove()
                continue
            robustness(above, rows, title)
            attack_curve(below, rows, title)
            if place:
                above.set_yticklabels([])
        figure.legend(*axes["a"].get_legend_handles_labels(), loc="outside upper center", ncols=3)
        figure.legend(*axes["d"].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        for letter, panel in axes.items():
            label_panel(panel, letter)
        return save_figure(figure, output / "noisy_robustness.pdf")
