"""Do models respond like neurons? Figures from the tables of ``analyses/neural_coding``.

neurocode figures neural-coding

"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.neural_coding.rows import INTERVALS, MEANS
from analyses.neural_coding.summary import LIKELIHOOD
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.plotting.style import TWO_COLUMNS
from neurocode.studies import study_table

RECORDED = "recorded"
MODELS = {
    RECORDED: ("recorded", "#000000"), "internal": ("internal noise", "#D55E00"), "output": ("output noise", "#0072B2"),
    "deterministic": ("deterministic", "#999999"), "glm": ("GLM", "#009E73"), "gif": ("GIF", "#CC79A7"),
    "psth": ("Poisson, PSTH", "#E69F00"),
}  # fmt: skip
DATASETS = {
    "raphe": "Raphe, current", "grasshopper": "Receptor, envelope", "song-waveform": "Starling, waveform",
    "song-time": "Starling, time", "retina": "Retina, time",
}  # fmt: skip
#: Data sets whose responses are drawn with the seconds that are shown, and the models of the rasters.
SHOWN = {"raphe": (2.0, 5.0), "retina": (2.0, 8.0)}
RASTERS = ("recorded", "internal", "output", "glm", "gif", "deterministic")
TESTED = {
    "fano_mean": "Variance over mean", "interval_distribution": "Intervals", "autocorrelogram": "Autocorrelogram",
    "noise_correlation": "Noise correlation", LIKELIHOOD: "Bits per spike",
}  # fmt: skip


def raster(axes: Axes, table: pd.DataFrame, window: tuple[float, float]) -> Axes:
    """Repeats of one unit, recorded and of every model, one block above another."""
    line, ticks = 0, []
    for model in RASTERS:
        if model not in table.index:
            continue
        repeats = json.loads(table.loc[model, "raster"])[:5]
        shown = [[t for t in times if window[0] <= t < window[1]] for times in repeats]
        axes.eventplot(shown, lineoffsets=line + np.arange(len(shown)), linelengths=0.8, linewidths=0.6, colors=MODELS[model][1])
        ticks.append((line + (len(shown) - 1) / 2, MODELS[model][0]))
        line += len(shown) + 1
    axes.set(xlim=window, ylim=(line - 1, -1), xlabel="Time (s)", yticks=[place for place, _ in ticks])
    axes.set_yticklabels([name for _, name in ticks])
    axes.tick_params(axis="y", length=0)
    return axes


def variance_over_mean(axes: Axes, table: pd.DataFrame) -> Axes:
    """Mean variance of counts in windows of 100 ms by their mean over repeats, all units and recordings of a data set."""
    middle = np.sqrt(MEANS[1:] * MEANS[:-1])
    for model, own in _by_model(table):
        values = np.array([json.loads(text) for text in own["variances"]], float)
        defined = np.isfinite(values).any(axis=0)
        if model != "deterministic" and defined.any():
            axes.loglog(middle[defined], np.nanmean(values[:, defined], axis=0), "o-", markersize=2, **_style(model))
    axes.plot(MEANS, MEANS, ":", color="0.6", linewidth=0.6)
    axes.set(xlabel="Mean count (100 ms)", ylabel="Variance of count")
    return axes


def intervals(axes: Axes, table: pd.DataFrame) -> Axes:
    """Distribution of interspike intervals over all units and recordings."""
    middle = 1e3 * np.sqrt(INTERVALS[1:] * INTERVALS[:-1])
    for model, own in _by_model(table):
        counts = np.sum([json.loads(text) for text in own["intervals"]], axis=0)
        axes.semilogx(middle, counts / max(1, counts.sum()), **_style(model))
    axes.set(xlabel="Interspike interval (ms)", ylabel="Share")
    return axes


def likelihood(axes: Axes, table: pd.DataFrame) -> Axes:
    """Held-out bits per spike of every model on every data set, with 95 % intervals."""
    own = table[(table["statistic"] == LIKELIHOOD) & table["model"].isin(MODELS)]
    models = [model for model in MODELS if model in set(own["model"])]
    for number, model in enumerate(models):
        values = own[own["model"] == model].set_index("dataset").reindex(list(DATASETS))
        x = np.arange(len(DATASETS)) + 0.14 * (number - (len(models) - 1) / 2)
        error = np.stack([values["value"] - values["low"], values["high"] - values["value"]])
        axes.errorbar(x, values["value"], error, fmt="o", markersize=2.5, capsize=1.5, **_style(model))
    axes.axhline(0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set_xticks(range(len(DATASETS)), [name.replace(", ", ",\n") for name in DATASETS.values()])
    axes.set(ylabel="Held-out bits per spike")
    return axes


def advantages(axes: Axes, tests: pd.DataFrame) -> Axes:
    """Corrected probability of every test, signed by who is nearer to the recording."""
    rivals = ("output", "glm", "gif", "psth")
    own = tests[tests["p_corrected"].notna()]
    marks = "os^Dv"
    for marker, (dataset, name) in zip(marks, DATASETS.items(), strict=True):
        part = own[own["dataset"] == dataset]
        place = [
            list(TESTED).index(s) + 0.18 * (rivals.index(r) - 1.5) for s, r in zip(part["statistic"], part["rival"], strict=True)
        ]
        height = -np.log10(part["p_corrected"]) * np.sign(part["advantage"])
        axes.scatter(place, height, s=12, marker=marker, c=[MODELS[r][1] for r in part["rival"]], linewidths=0)
        axes.plot([], [], marker, color="0.3", markersize=3, label=name)
    for level in (np.log10(0.05), -np.log10(0.05)):
        axes.axhline(level, color="0.6", linewidth=0.6, linestyle=":")
    axes.axhline(0, color="0.3", linewidth=0.6)
    axes.set_xticks(range(len(TESTED)), [name.replace(" ", "\n", 1) for name in TESTED.values()])
    axes.set(ylabel="$-\\log_{10}p$, above zero: internal noise nearer")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, labelspacing=0.2)
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """All figures whose tables are there."""
    models, recorded = study_table(tables / "models.parquet"), study_table(tables / "recorded.parquet")
    if not len(models) or not len(recorded):
        return []
    table = pd.concat([models[models["model"].isin(MODELS)], recorded.assign(model=RECORDED)], ignore_index=True)
    with house_style():
        paths = _responses(table, output) if set(SHOWN) <= set(table["dataset"]) else []
        return paths + _scores(pd.read_csv(tables / "summary.csv"), pd.read_csv(tables / "tests.csv"), output)


def _responses(table: pd.DataFrame, output: Path) -> list[Path]:
    figure, axes = plt.subplots(2, 3, figsize=(TWO_COLUMNS, 4.6), layout="constrained", width_ratios=(1.5, 1, 1))
    for row, (dataset, window) in zip(axes, SHOWN.items(), strict=True):
        own = table[table["dataset"] == dataset]
        raster(row[0], own[own["name"] == own["name"].iloc[0]].set_index("model"), window)
        row[0].set_title(DATASETS[dataset])
        variance_over_mean(row[1], own)
        intervals(row[2], own)
    axes[0, 1].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, labelspacing=0.2)
    for letter, own in zip("abcdef", axes.flat, strict=True):
        label_panel(own, letter)
    return save_figure(figure, output / "neural_coding_responses.pdf")


def _scores(table: pd.DataFrame, tests: pd.DataFrame, output: Path) -> list[Path]:
    figure, axes = plt.subplots(1, 2, figsize=(TWO_COLUMNS, 2.9), layout="constrained")
    likelihood(axes[0], table).legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, labelspacing=0.2)
    advantages(axes[1], tests)
    for letter, own in zip("ab", axes, strict=True):
        label_panel(own, letter)
    return save_figure(figure, output / "neural_coding.pdf")


def _by_model(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(model, own) for model in MODELS if len(own := table[table["model"] == model])]


def _style(model: str) -> dict[str, object]:
    label, colour = MODELS[model]
    return {"color": colour, "label": label, "linewidth": 1.2 if model == RECORDED else 0.8}
