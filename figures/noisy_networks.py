"""Noisy spiking networks: figure from the tables of ``analyses/noisy_networks``.

neurocode figures noisy-networks

"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
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
    "deterministic": ("no noise", "#000000"), "escape": ("escape noise", "#D55E00"), "diffusive": ("diffusive noise", "#0072B2"),
    "both": ("both noises", "#009E73"), "corrected": ("escape, corrected", "#CC79A7"),
}  # fmt: skip
NETS = {"lenet": "MNIST,\nLeNet", "cifar": "MNIST,\nCIFARNet"}
#: Disturbances of a panel: their families in the table.
FAMILIES = {
    "input": ("gaussian", "salt", "drop"), "random\nlength": ("random",), "FGSM": ("fgsm_over",), "PGD": ("pgd_over",),
    "transfer": ("transfer",), "spikes": ("flips",), "membrane": ("membrane",),
}  # fmt: skip
MOSAIC = "aaaaaabbbbbb;ccccddddeeee;ffffgggghhhh;iiijjjkkklll"
Tables = Mapping[str, pd.DataFrame]


def gain(table: pd.DataFrame, kind: str, values: str, rival: str = "deterministic") -> Pairs:
    """Of a kind over a rival on one data set."""
    return paired(table, "kind", kind, rival, values)


def accuracy(axes: Axes, tables: Tables) -> Axes:
    """Test accuracy of every seed."""
    seeds(axes, tables["all"], "kind", "test_score", KINDS, {**DATASETS, **NETS}, by="place")
    axes.set(ylabel="Test accuracy (%)")
    axes.legend(loc="lower left", ncols=2)
    return counted(axes, tables["all"])


def accuracy_gains(axes: Axes, tables: Tables) -> Axes:
    """What each noise adds to the accuracy of the deterministic network of the same seed."""
    places = {**DATASETS, **NETS}
    parts = [tables["all"][tables["all"]["place"] == place] for place in places]
    pairs = {kind: [gain(part, kind, "test_score") for part in parts] for kind in KINDS if kind != "deterministic"}
    differences(margin(axes, 1.0), pairs, KINDS, list(places.values()))
    axes.set(ylabel="Gain over no noise (points)")
    return counted(axes, tables["all"])


def robustness(axes: Axes, table: pd.DataFrame, title: str) -> Axes:
    """Of one data set, how much less accuracy noisy networks lose to each disturbance."""
    pairs = {
        kind: [gain(with_mean(table, names).assign(kept=lambda t: -t["lost"]), kind, "kept") for names in FAMILIES.values()]
        for kind in ("escape", "diffusive", "both")
    }
    differences(margin(axes, 1.0), pairs, KINDS, list(FAMILIES))
    axes.set(ylabel="Less accuracy lost\nthan without noise (points)", title=title)
    axes.tick_params(axis="x", labelrotation=60)
    return counted(axes, table)


def attack_curve(axes: Axes, table: pd.DataFrame, title: str) -> Axes:
    """Of one data set, accuracy against the size of an iterated attack, through and over the noise, and of random changes."""
    for kind in ("deterministic", "escape"):
        own = table[(table["kind"] == kind) & is_trained(table)]
        for family, line in (("pgd_over", "-"), ("pgd_through", "--"), ("random", ":")):
            names = levels_of(own, [family])
            if kind == "deterministic" and family == "pgd_through":
                continue
            levels = [0.0, *(float(name.rpartition("_")[2]) for name in names)]
            values = own[["clean", *names]]
            low, high = zip(*(mean_interval(values[name]) for name in values), strict=True)
            label = {"pgd_over": KINDS[kind][0], "pgd_through": "one pass a step", "random": "random direction"}[family]
            axes.plot(levels, 100 * values.mean(), line, marker="o", markersize=2, color=KINDS[kind][1],
                      label=label if family != "random" or kind == "escape" else None)  # fmt: skip
            axes.fill_between(levels, 100 * pd.Series(low), 100 * pd.Series(high), color=KINDS[kind][1], alpha=0.15, linewidth=0)
    axes.set(xlabel="Size of attack (s.d. of inputs)", ylabel="Accuracy (%)", ylim=(0, 100), title=title)
    return counted(axes, table)


def widths(axes: Axes, tables: Tables) -> Axes:
    """Validation accuracy of the tuning at the best rate against the width of noise or surrogate, mean over seeds."""
    tuned = tables["tuning"]
    for kind, (_, colour) in KINDS.items():
        for name, line in zip(DATASETS, ("-", "--", ":"), strict=True):
            own = tuned[(tuned["kind"] == kind) & (tuned["dataset"] == name)]
            best = own.groupby(["width", "rate"])["validation_score"].mean().groupby("width").max()
            axes.plot(best.index, 100 * best, line, marker="o", markersize=2, color=colour)
    axes.set(xscale="log", xlabel="Width of noise or surrogate", ylabel="Validation accuracy (%)")
    ticks = sorted(tuned["width"].unique())
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.annotate(f"n = {tuned['seed'].nunique()} tuning seeds; solid digits,\ndashed MNIST, dotted Braille", (0.03, 0.04),
                  xycoords="axes fraction", fontsize=6, color="0.3")  # fmt: skip
    return axes


def regularisation(axes: Axes, table: pd.DataFrame, values: str, label: str, sign: float) -> Axes:
    """Difference to the deterministic network against the number of training images."""
    sizes = sorted(table["training_size"].unique())
    parts = [table[table["training_size"] == size].assign(own=lambda t: sign * t[values]) for size in sizes]
    pairs = {kind: [gain(part, kind, "own") for part in parts] for kind in ("escape", "both")}
    differences(margin(axes, 1.0), pairs, KINDS, [f"{size:g}" for size in sizes])
    axes.set(xlabel="Training images (MNIST)", ylabel=label)
    return counted(axes, table)


def calibration(axes: Axes, tables: Tables) -> Axes:
    """Expected calibration error, of noisy networks over twenty passes."""
    seeds(axes, tables["training"], "kind", "ensemble_calibration_error", KINDS, DATASETS)
    axes.set(ylabel="Calibration error (%)", ylim=(0, None))
    return counted(axes, tables["training"])


def draw(tables: Path, output: Path) -> list[Path]:
    """The page of networks and that of gradients, each once its tables are there."""
    return [*draw_networks(tables, output), *draw_gradients(tables, output)]


def draw_networks(tables: Path, output: Path) -> list[Path]:
    """Accuracy, robustness, regularisation and calibration; data sets apart in every panel."""
    read = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
    if not {"tuning", "training", "robustness", "sizes"} <= set(read):
        return []
    parts = [read["training"].assign(place=read["training"]["dataset"])]
    if "convolutional" in read:
        parts.append(read["convolutional"].assign(place=read["convolutional"]["net"]))
    read["all"] = pd.concat(parts)
    shown = [name for name in DATASETS if (read["robustness"]["dataset"] == name).any()]
    robust = {name: read["robustness"][read["robustness"]["dataset"] == name] for name in shown}
    with house_style():
        figure, axes = plt.subplot_mosaic(MOSAIC, figsize=(TWO_COLUMNS, 8.2), layout="constrained")
        accuracy(axes["a"], read)
        accuracy_gains(axes["b"], read)
        for letter, (name, table) in zip("cde", robust.items(), strict=False):
            robustness(axes[letter], table, DATASETS[name])
        for letter, (name, table) in zip("fgh", robust.items(), strict=False):
            attack_curve(axes[letter], table, DATASETS[name])
        axes["f"].legend(loc="lower left")
        regularisation(axes["i"], read["sizes"], "gap", "Smaller gap of training and test\nthan without noise (points)", -1.0)
        regularisation(axes["j"], read["sizes"], "last_test_score", "Test accuracy gained\nover no noise (points)", 1.0)
        calibration(axes["k"], read)
        widths(axes["l"], read)
        for letter, own in axes.items():
            label_panel(own, letter)
        return save_figure(figure, output / "noisy_networks.pdf")
