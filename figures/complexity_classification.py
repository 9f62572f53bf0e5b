"""Learned intrinsic parameters and classification by complexity: figure from the tables of
``analyses/complexity_classification``.

neurocode figures complexity-classification

"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.complexity_classification.claims import arm, is_trained
from analyses.complexity_classification.data import TITLES
from analyses.complexity_classification.maximum import EVERYWHERE, Maximum, maxima
from analyses.complexity_classification.power import LEVEL
from analyses.complexity_classification.protocols import ARMS
from analyses.complexity_classification.seen import POWER, curve
from analyses.drawing import differences, margin
from analyses.judging import sound
from analyses.protocol import Pairs, paired
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.plotting.log_axes import logarithmic
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS, note_above

RULES = {
    ("gradient", 1): "gradient",
    ("gradient", 2): "gradient,\n2 layers",
    ("tempotron", 1): "Tempotron",
    ("teacher", 1): "STDP,\nteacher",
    ("reward", 1): "STDP,\nreward",
}
NEURONS = {
    "lif": "LIF,\ntime constant",
    "threshold": "LIF,\nthreshold",
    "adlif": "adaptive\nLIF",
    "meta": "meta-\nneuron",
}
#: Names in one line and markers of the two neurons of the paper.
PAPER = {"lif": ("LIF", "o"), "meta": ("meta-neuron", "s")}
#: Label and colour of a kind of intrinsic parameters (Okabe & Ito 2008).
KINDS = {
    "fixed": ("equal, held", "#0072B2"),
    "learned": ("learned", "#D55E00"),
    "random": ("random, held", "#009E73"),
    "both": ("random, learned", "#CC79A7"),
}
#: Kinds in the panels of rules; random ones are trained only by gradients in one layer.
SHOWN = ("fixed", "learned", "random")
RAW = {
    "raw_test_complexity": ("input by complexity", "--"),
    "raw_test_count": ("input by count", ":"),
}
READOUTS = {
    "complexity": ("complexity", "#D55E00"),
    "count": ("count", "#0072B2"),
    "bursts": ("bursts", "#E69F00"),
    "timing": ("timing", "#009E73"),
}
#: Accuracy in percent of guessing one of two classes.
CHANCE = 50.0
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00")
MOSAIC = "aaabbb;cccddd;eeefff;ggghhh;iiijjj;kkklll"


def short(task: str) -> str:
    """Return the kind of source of a task."""
    return TITLES[task].split(",")[0].replace("\n", " ")


def recording(title: str) -> str:
    """Return the name of a recording without the place that it comes from."""
    return (
        title.replace(", retina", "").replace(", subthalamic nucleus", "").replace("starling ", "")
    )


def seeds_of(table: pd.DataFrame) -> str:
    """Return the number of seeds, and of networks that did not learn, as text."""
    lost = int((~is_trained(table)).sum())
    return f"n = {table['seed'].nunique()} seeds" + (
        f"; {lost} of {len(table)} not learned" if lost else ""
    )


def rules(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the accuracy by complexity of every rule in one task, before training (open markers) and
    after it, and that of the input."""
    styles = [(neuron, kind) for neuron in PAPER for kind in SHOWN]
    for number, (neuron, kind) in enumerate(styles):
        for place, (rule, depth) in enumerate(ARMS):
            rows = arm(table, {"neuron": neuron, "rule": rule, "depth": depth})
            _before_and_after(
                axes,
                rows[rows["kind"] == kind],
                place + 0.13 * (number - 2.5),
                KINDS[kind][1],
                PAPER[neuron][1],
            )
    inputs = table.drop_duplicates("seed")
    for name, (_, line) in RAW.items():
        axes.axhline(100 * inputs[name].mean(), color="0.4", linewidth=0.7, linestyle=line)
    axes.axhline(CHANCE, color="0.8", linewidth=0.6)
    axes.set_xticks(range(len(ARMS)), [RULES[rule_and_depth] for rule_and_depth in ARMS])
    axes.set(
        xlim=(-0.5, len(ARMS) - 0.5), ylim=(45, 100), ylabel="Test accuracy\nby complexity (%)"
    )
    axes.set_title(f"{short(table['dataset'].iloc[0])} {table['distance'].iloc[0]:g}", loc="left")
    return note_above(axes, seeds_of(table))


def _before_and_after(axes: Axes, rows: pd.DataFrame, x: float, colour: str, marker: str) -> None:
    """Draw means and intervals of the networks that learned, or a cross at the mean of all networks
    if fewer than two learned."""
    if rows.empty:
        return
    trained = rows[is_trained(rows)]
    axes.plot(
        x,
        100 * rows["untrained_test_complexity"].mean(),
        marker,
        markersize=3,
        color=colour,
        markerfacecolor="white",
    )
    if len(trained) < 2:
        axes.plot(x, 100 * rows["test_complexity"].mean(), "x", markersize=3, color=colour)
        return
    interval = np.clip(mean_interval(trained["test_complexity"]), 0.0, 1.0)
    axes.plot([x] * 2, 100 * interval, color=colour)
    axes.plot(x, 100 * trained["test_complexity"].mean(), marker, markersize=3, color=colour)


def legend_of_rules(axes: Axes) -> Axes:
    """Add entries without data to the axes, as the legend of all panels of rules."""
    for name, marker in PAPER.values():
        for kind in SHOWN:
            axes.plot(
                [],
                [],
                marker,
                markersize=3,
                color=KINDS[kind][1],
                label=f"{name}, {KINDS[kind][0]}",
            )
    axes.plot(
        [], [], "o", markersize=3, color="0.4", markerfacecolor="white", label="before training"
    )
    axes.plot([], [], "x", markersize=3, color="0.4", label="objective not learned")
    for label, line in RAW.values():
        axes.plot([], [], line, color="0.4", linewidth=0.7, label=label)
    axes.plot([], [], color="0.8", linewidth=0.6, label="chance")
    return axes


def gain_of(table: pd.DataFrame, neuron: str, kind: str) -> Pairs:
    """Return the accuracy by complexity of a kind of intrinsic parameters minus that of equal fixed
    ones, for gradients and one layer."""
    rows = arm(table, {"neuron": neuron, "rule": "gradient", "depth": 1})
    return paired(rows, "kind", kind, "fixed", "test_complexity", is_trained(rows))


def heterogeneity(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the gain of random, learned, and random and learned parameters over equal fixed ones in
    one task."""
    pairs = {
        kind: [gain_of(table, neuron, kind) for neuron in NEURONS]
        for kind in KINDS
        if kind != "fixed"
    }
    differences(margin(axes, 1.0), pairs, KINDS, list(NEURONS.values()))
    axes.set(ylabel="Gain over equal,\nheld (points)")
    axes.set_title(short(table["dataset"].iloc[0]), loc="left")
    return note_above(axes, seeds_of(table[(table["rule"] == "gradient") & (table["depth"] == 1)]))


def largest(axes: Axes, by_neuron_and_task: Mapping[tuple[str, str], Maximum]) -> Axes:
    """Draw the largest gain of every neuron and task, the mean over the same cells, and the range
    of the largest gain by chance."""
    for place, ((_, task), maximum) in enumerate(by_neuron_and_task.items()):
        low, high = 100 * np.quantile(maximum.by_chance, (0.025, 0.975))
        axes.bar(
            place,
            high - low,
            bottom=low,
            width=0.6,
            color="0.85",
            label=None if place else "largest by chance, 95 %",
        )
        axes.plot(
            place,
            100 * maximum.largest,
            "o",
            markersize=3.5,
            color="#D55E00",
            label=None if place else "largest",
        )
        if task != EVERYWHERE:
            axes.plot(
                place,
                100 * maximum.mean,
                "_",
                markersize=8,
                color="#0072B2",
                label=None if place else "mean of the same cells",
            )
    axes.axhline(0, color="0.6", linewidth=0.6)
    labels = [
        f"{PAPER[neuron][0]}, {task if task == EVERYWHERE else short(task)}"
        for neuron, task in by_neuron_and_task
    ]
    axes.set_xticks(range(len(by_neuron_and_task)), labels, rotation=45, ha="right", fontsize=6)
    axes.set(ylabel="Gain of learning (points)")
    return note_above(
        axes,
        f"n = {max((maximum.seeds for maximum in by_neuron_and_task.values()), default=0)} seeds",
    )


def cost(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the accuracy of every cell that learned against the energy of its decision, with one
    colour per task."""
    trained = table[is_trained(table)]
    for name, colour in zip(
        [name for name in TITLES if (table["dataset"] == name).any()], PALETTE, strict=False
    ):
        cells = trained[trained["dataset"] == name].groupby(["neuron", "kind", "rule", "depth"])
        means = cells[["joules", "test_complexity"]].mean()
        axes.plot(
            1e9 * means["joules"],
            100 * means["test_complexity"],
            "o",
            markersize=2.5,
            color=colour,
            label=short(name),
        )
    slowest = trained.groupby(["dataset", "neuron", "kind", "rule", "depth"])["milliseconds"].mean()
    text = f"; {slowest.min():.2g} to {slowest.max():.2g} ms" if len(slowest) else ""
    axes.set(
        xlabel="Synaptic operations (nJ per decision)",
        ylabel="Test accuracy\nby complexity (%)",
        ylim=(45, 100),
    )
    logarithmic(axes, "x")
    return note_above(axes, f"n = {table['seed'].nunique()} seeds, {len(slowest)} cells{text}")


def detection(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw how often a planted correlation is detected in trains of the size of every recording.

    Of the pairs of images only the first is drawn.
    """
    names = list(dict.fromkeys(table["dataset"]))
    drawn = [name for name in names if not name.startswith("images-") or name == "images-0"]
    for name, colour in zip(drawn, PALETTE, strict=False):
        rows = table[table["dataset"] == name]
        shares, first = curve(rows), rows.iloc[0]
        label = f"{recording(first['title'])}, {first['samples']} x {first['bins']}"
        axes.plot(
            shares["correlation"],
            100 * shares["share"],
            "o-",
            markersize=2,
            color=colour,
            label=label,
        )
        axes.fill_between(
            shares["correlation"],
            100 * shares["low"],
            100 * shares["high"],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    power, level = 100 * POWER, 100 * LEVEL
    axes.axhline(
        power, color="0.4", linewidth=0.7, linestyle="--", label=f"required power, {power:g} %"
    )
    axes.axhline(
        level, color="0.6", linewidth=0.6, linestyle=":", label=f"false alarms, {level:g} %"
    )
    axes.set(
        xlabel="Planted correlation of neighbouring bins",
        ylabel="Detected by\ncomplexity (%)",
        ylim=(0, 100),
    )
    # The legend with the names of the recordings needs room at the right.
    axes.set_xlim(-0.02, 1.6 * table["correlation"].max())
    return note_above(axes, f"n = {table['repeats'].max()} repeats")


def states(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the balanced accuracy of every readout at matched rates, for each recording."""
    for shift, (name, (text, colour)) in zip(
        (-0.24, -0.08, 0.08, 0.24), READOUTS.items(), strict=True
    ):
        axes.plot(
            np.arange(len(table)) + shift,
            100 * table[f"{name}_matched"],
            "o",
            markersize=2,
            color=colour,
            label=text,
        )
    for place, count in enumerate(table["states"]):
        label = None if place else "chance"
        axes.plot(
            [place - 0.4, place + 0.4],
            [100 / count] * 2,
            color="0.5",
            linewidth=0.7,
            linestyle=":",
            label=label,
        )
    labels = [recording(title) for title in table["title"]]
    axes.set_xticks(range(len(table)), labels, rotation=60, ha="right", fontsize=5)
    axes.set(ylabel="Accuracy at\nmatched rates (%)", ylim=(0, 105))
    return note_above(axes, f"n = {table['samples'].min()} to {table['samples'].max()}")


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw the figure if its tables exist.

    Panels of tasks and recordings that a run leaves out are hidden.
    """
    names = ("training", "power", "states")
    read = {
        name: sound(study_table(tables / f"{name}.parquet"))
        for name in names
        if (tables / f"{name}.parquet").exists()
    }
    if not {"training", "power"} <= set(read):
        return []
    table = read["training"]
    parts = [table[table["dataset"] == name] for name in TITLES if (table["dataset"] == name).any()]
    with house_style():
        figure, axes = plt.subplot_mosaic(MOSAIC, figsize=(TWO_COLUMNS, 10.5), layout="constrained")
        for letters, panel in (("abcd", rules), ("efgh", heterogeneity)):
            for letter, part in zip(letters, parts, strict=False):
                panel(axes[letter], part)
        figure.legend(
            *legend_of_rules(axes["a"]).get_legend_handles_labels(),
            fontsize=6,
            ncols=5,
            loc="outside upper center",
        )
        axes["e"].legend(fontsize=6, ncols=3, loc="best")
        by_neuron_and_task = maxima(tables, is_trained)
        if by_neuron_and_task:
            largest(axes["i"], by_neuron_and_task).legend(fontsize=6)
        cost(axes["j"], table).legend(fontsize=6, ncols=2, loc="lower right")
        detection(axes["k"], read["power"]).legend(fontsize=5, loc="center right")
        if "states" in read:
            states(axes["l"], read["states"]).legend(
                fontsize=5,
                ncols=5,
                loc="lower left",
                bbox_to_anchor=(-0.05, 0.97),
                columnspacing=0.6,
            )
        for letter, panel in axes.items():
            panel.set_visible(panel.has_data())
            if panel.has_data():
                label_panel(panel, letter)
        return save_figure(figure, output / "complexity_classification.pdf")
