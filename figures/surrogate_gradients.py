"""The robustness of surrogate gradients: figures from the tables of ``analyses/surrogate_gradients``.

neurocode figures surrogate-gradients

"""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.style import TWO_COLUMNS

NAMES = {"superspike": "SuperSpike", "sigmoid": "sigmoid'", "piecewise_linear": "piecewise linear"}
COLOURS = {"superspike": "#0072B2", "sigmoid": "#D55E00", "piecewise_linear": "#009E73"}
CHANCE = 0.1
CONDITIONS = {
    (False, False): ("normalised, detached", "#0072B2", "-"), (False, True): ("normalised, attached", "#0072B2", "--"),
    (True, False): ("asymptotic, detached", "#D55E00", "-"), (True, True): ("asymptotic, attached", "#D55E00", "--"),
}  # fmt: skip
STATISTICS = {"lz_ratio": "Complexity over surrogates", "fano_jitter": "Fano factor under jitter"}


def heat_map(axes: Axes, table: pd.DataFrame, shape: str) -> plt.cm.ScalarMappable:
    """Test accuracy over slope and learning rate."""
    grid = table[table["shape"] == shape].pivot(index="rate", columns="beta", values="test_score")
    image = axes.imshow(grid.to_numpy(), origin="lower", vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_xticks(range(len(grid.columns)), [f"{beta:g}" for beta in grid.columns], rotation=90)
    axes.set_yticks(range(len(grid.index)), [f"{rate:g}" for rate in grid.index])
    axes.set(xlabel=r"Slope $\beta$", ylabel="Learning rate", title=NAMES[shape])
    return image


def over_slope(axes: Axes, table: pd.DataFrame, name: str) -> Axes:
    """Mean and spread over seeds of a column against the slope, for each shape."""
    for shape, own in table.groupby("shape"):
        values = own.groupby("beta")[name]
        style = {"marker": "o", "markersize": 2.5, "capsize": 1.5, "color": COLOURS[shape], "label": NAMES[shape]}
        axes.errorbar(values.mean().index, values.mean(), values.std(), **style)
    return axes


def by_slope(axes: Axes, table: pd.DataFrame, controls: pd.DataFrame) -> Axes:
    """Test accuracy at the best learning rate against the slope, mean and spread over seeds."""
    over_slope(axes, table, "test_score")
    if len(controls):
        constant = controls[(controls["shape"] == "constant") & (controls["gain"] == 1.0)]
        best = constant.groupby("rate")["validation_score"].mean().idxmax()
        axes.axhline(constant.loc[constant["rate"] == best, "test_score"].mean(), color="0.5", linestyle="--", label="constant")
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xscale="log", xlabel=r"Slope $\beta$", ylabel="Test accuracy", ylim=(0, 1.05))
    legend_above(axes)
    return axes


def by_depth(axes: Axes, table: pd.DataFrame) -> Axes:
    """Test accuracy against depth, mean over slopes and seeds, for each magnitude and reset."""
    for (asymptotic, attached), (label, colour, line) in CONDITIONS.items():
        own = table[(table["asymptotic"] == asymptotic) & (table["reset_gradient"] == attached)]
        scores = own.groupby("depth")["test_score"].mean()
        axes.plot(scores.index, scores, line, marker="o", markersize=2.5, color=colour, label=label)
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xlabel="Hidden layers", ylabel="Test accuracy", ylim=(0, 1.05), xticks=sorted(table["depth"].unique()))
    legend_above(axes)
    return axes


def recurrent(axes: Axes, table: pd.DataFrame) -> Axes:
    """Test accuracy of recurrent networks against the slope."""
    for (asymptotic, gradient), own in table.groupby(["asymptotic", "recurrent"]):
        scores = own.groupby("beta")["test_score"].mean()
        label = f"{'asymptotic' if asymptotic else 'normalised'}, {gradient}"
        axes.plot(scores.index, scores, "--" if gradient == "gradient" else "-", marker="o", markersize=2.5,
                  color="#D55E00" if asymptotic else "#0072B2", label=label)  # fmt: skip
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xscale="log", xlabel=r"Slope $\beta$", ylabel="Test accuracy", ylim=(0, 1.05))
    legend_above(axes)
    return axes


def legend_above(axes: Axes) -> None:
    """A legend over the panel, clear of the data."""
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), labelspacing=0.2, borderpad=0.1)


def sparse_limit(axes: Axes, tables: dict[str, pd.DataFrame]) -> Axes:
    """Test accuracy against activity from every start; networks without any spike stand at the left edge."""
    fewest = min(table.loc[table["spikes"] > 0, "spikes"].min() for table in tables.values()) / 3
    for (start, table), marker, colour in zip(tables.items(), "so", ("0.5", COLOURS["superspike"]), strict=False):
        shown = table["spikes"].clip(lower=fewest)
        axes.semilogx(shown, table["test_score"], marker, markersize=2.5, color=colour, label=start, markerfacecolor="none")
    axes.axhline(CHANCE, color="0.6", linewidth=0.6, linestyle=":")
    axes.set(xlabel="Spikes per neuron and trial", ylabel="Test accuracy", ylim=(0, 1.05))
    legend_above(axes)
    return axes


def spiking(axes: Axes, table: pd.DataFrame, name: str) -> Axes:
    """A statistic of the trained spikes against the slope."""
    over_slope(axes, table, name)
    axes.set(xscale="log", xlabel=r"Slope $\beta$", ylabel=STATISTICS[name])
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """All figures whose tables are there."""
    found = {path.stem: study_table(path) for path in sorted(tables.glob("*.parquet"))}
    found = {name: table[table["epochs"] == table["epochs"].max()] for name, table in found.items() if len(table)}
    paths: list[Path] = []
    with house_style():
        if "grid" in found:
            paths += _grid(found["grid"], output)
        if {"repeats", "resets", "loops", "sparse"} <= set(found):
            paths += _summary(found, output)
    return paths


def _grid(table: pd.DataFrame, output: Path) -> list[Path]:
    figure, axes = plt.subplots(1, 3, figsize=(TWO_COLUMNS, 2.3), layout="constrained")
    for letter, own, shape in zip("abc", axes, NAMES, strict=True):
        image = heat_map(own, table, shape)
        label_panel(own, letter)
    figure.colorbar(image, ax=axes, label="Test accuracy")
    return save_figure(figure, output / "surrogate_gradients_grid.pdf")


def _summary(found: dict[str, pd.DataFrame], output: Path) -> list[Path]:
    figure, axes = plt.subplot_mosaic("abc;def", figsize=(TWO_COLUMNS, 4.9), layout="constrained")
    by_slope(axes["a"], found["repeats"], found.get("controls", pd.DataFrame()))
    depths = "firing_resets" if "firing_resets" in found else "resets"
    by_depth(axes["b"], found[depths]).set_xlabel(f"Hidden layers, {'firing' if depths == 'firing_resets' else 'silent'} start")
    recurrent(axes["c"], found["loops"])
    starts = {"silent start": "sparse", "firing start": "firing_sparse"}
    sparse_limit(axes["d"], {start: found[name] for start, name in starts.items() if name in found})
    spiking(axes["e"], found["repeats"], "lz_ratio")
    spiking(axes["f"], found["repeats"], "fano_jitter")
    for letter, own in axes.items():
        label_panel(own, letter)
    return save_figure(figure, output / "surrogate_gradients.pdf")
