"""The second figure of the study: errors of the gradients of noisy networks and their
corrections."""

from __future__ import annotations

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from analyses.noisy_networks.gradients import BASE, DEEP
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.style import TWO_COLUMNS, note_above

#: Columns of errors, their names and colours: straight-through and its parts, then the corrections.
STRAIGHT = {
    "detached": ("straight-through, reset detached", "#999999", "-"),
    "straight_through": ("straight-through", "#000000", "-"),
    "linear": ("straight-through, linear loss", "#0072B2", "--"),
    "unreset": ("straight-through, no reset", "#D55E00", "--"),
}
CORRECTED = {
    "trapezoid": ("trapezoid", "#E69F00", "-"),
    "secant": ("secant", "#56B4E9", "-"),
    "trapezoid_secant": ("trapezoid and secant", "#009E73", "-"),
}
MARGIN = 0.02


def varied(table: pd.DataFrame, setting: str, base: dict[str, object] = BASE) -> pd.DataFrame:
    """Return the rows that differ from a base at most in one setting."""
    fixed = {name: value for name, value in {**BASE, **base}.items() if name != setting}
    return table[(table[list(fixed)] == pd.Series(fixed)).all(axis=1)]


def curves(
    axes: Axes,
    table: pd.DataFrame,
    setting: str,
    lines: dict[str, tuple[str, str, str]],
    suffix: str = "error",
) -> Axes:
    """Draw the median over networks of some columns against a setting, with quartiles."""
    for name, (label, colour, line) in lines.items():
        values = table.groupby(setting)[f"{name}_{suffix}"]
        middle, low, high = values.median(), values.quantile(0.25), values.quantile(0.75)
        axes.plot(middle.index, middle, line, marker="o", markersize=2.5, color=colour, label=label)
        axes.fill_between(middle.index, low, high, color=colour, alpha=0.12, linewidth=0)
    count = table.groupby(setting).size()
    text = (
        f"n = {count.min()}"
        if count.min() == count.max()
        else f"n = {count.min()} to {count.max()}"
    )
    return note_above(axes, f"{text} networks per point")


def errors(
    axes: Axes, table: pd.DataFrame, setting: str, lines: dict[str, tuple[str, str, str]], name: str
) -> Axes:
    """Draw distances from the exact gradient on a logarithmic axis, with the margin of the
    claim."""
    curves(axes, table, setting, lines)
    axes.axhline(
        MARGIN, color="0.6", linewidth=0.6, linestyle=":", label=f"margin of the claims, {MARGIN:g}"
    )
    axes.set(yscale="log", ylim=(1e-5, 3), xlabel=name, ylabel="Error of the gradient")
    return axes


def excess(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the size of straight-through relative to the exact gradient against the prediction from
    moments, in networks without reset."""
    single = table[(table["neurons"] == BASE["neurons"]) & table["predicted_unreset"].notna()]
    for gain, rows in single.groupby("gain"):
        axes.plot(
            rows["predicted_unreset"],
            rows["unreset_ratio"],
            ".",
            markersize=3,
            label=f"gain {gain:g}",
        )
    ends = (0.6, 2.0)
    axes.plot(ends, ends, color="#999999", linewidth=0.6, label="equal")
    axes.set(
        xlim=ends,
        ylim=ends,
        xlabel="Ratio predicted by moments",
        ylabel="Ratio enumerated\n(no reset)",
    )
    axes.annotate(
        f"n = {len(single)} networks",
        (0.97, 0.03),
        xycoords="axes fraction",
        ha="right",
        fontsize=6,
    )
    axes.legend(loc="upper left", fontsize=6)
    return axes


def draw_gradients(tables: Path, output: Path) -> list[Path]:
    """Draw errors over width, steps, gain and depth, the prediction, and the variance of the
    corrections."""
    path = tables / "gradients.parquet"
    table = study_table(path)
    # Draw nothing without a table or from that of the quick protocol, which varies nothing.
    if "unreset_ratio" not in table:
        return []
    everything, two, three = {**STRAIGHT, **CORRECTED}, *DEEP
    with house_style():
        figure, axes = plt.subplot_mosaic(
            "abc;def;ghi", figsize=(TWO_COLUMNS, 5.6), layout="constrained"
        )
        errors(
            axes["a"], varied(table, "width"), "width", STRAIGHT, "Width of the noise, one layer"
        )
        errors(axes["b"], varied(table, "steps"), "steps", STRAIGHT, "Steps, one layer")
        errors(
            axes["c"], varied(table, "gain"), "gain", STRAIGHT, "Weights of the readout, one layer"
        )
        errors(
            axes["d"], varied(table, "width"), "width", CORRECTED, "Width of the noise, one layer"
        )
        compared = {name: everything[name] for name in ("straight_through", "trapezoid_secant")}
        errors(
            axes["e"],
            varied(table, "width", two),
            "width",
            compared,
            "Width of the noise, two layers",
        )
        errors(
            axes["f"],
            varied(table, "width", three),
            "width",
            compared,
            "Width of the noise, three layers",
        )
        excess(axes["g"], table)
        errors(
            axes["h"],
            varied(table, "coupling", two),
            "coupling",
            compared,
            "Weights between two layers, width 0.3",
        )
        variances = {name: everything[name] for name in ("straight_through", *CORRECTED)}
        variances["score_function"] = ("score function", "#CC79A7", "-")
        curves(axes["i"], varied(table, "width"), "width", variances, "variance")
        axes["i"].set(
            yscale="log",
            ylim=(3e-3, 5e4),
            xlabel="Width of the noise, one layer",
            ylabel="Relative variance",
        )
        for letter, place in {
            "c": "lower left",
            "d": "lower left",
            "e": "lower left",
            "i": "upper right",
        }.items():
            axes[letter].legend(loc=place, fontsize=6)
        for letter, panel in axes.items():
            label_panel(panel, letter)
        return save_figure(figure, output / "noisy_gradients.pdf")
