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
from matplotlib.colors import LinearSegmentedColormap

from analyses.neural_coding.rows import INTERVALS, MEANS
from analyses.neural_coding.summary import LIKELIHOOD, RIVALS
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.style import TWO_COLUMNS

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
#: From farther than the rival (orange) to nearer (blue).
NEARER = LinearSegmentedColormap.from_list("nearer", ["#E69F00", "#FFFFFF", "#56B4E9"])
#: Bits below this are drawn at the lower edge.
LEAST_BITS = -3.0
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
    """Distribution of interspike intervals over all units and recordings; models whose cells run away leave the axes."""
    middle = 1e3 * np.sqrt(INTERVALS[1:] * INTERVALS[:-1])
    for model, own in _by_model(table):
        counts = np.sum([json.loads(text) for text in own["intervals"]], axis=0)
        axes.semilogx(middle, counts / max(1, counts.sum()), **_style(model))
        if model == RECORDED:
            axes.set_ylim(0, 1.6 * counts.max() / max(1, counts.sum()))
    axes.set(xlabel="Interspike interval (ms)", ylabel="Share")
    return axes


def likelihood(axes: Axes, table: pd.DataFrame) -> Axes:
    """Held-out bits per spike of every model on every data set, with 95 % intervals."""
    own = table[(table["statistic"] == LIKELIHOOD) & table["model"].isin(MODELS)]
    models = [model for model in MODELS if model in set(own["model"])]
    for number, model in enumerate(models):
        values = own[own["model"] == model].set_index("dataset").reindex(list(DATASETS))
        x = np.arange(len(DATASETS)) + 0.14 * (number - (len(models) - 1) / 2)
        shown, low, high = (values[name].clip(lower=LEAST_BITS) for name in ("value", "low", "high"))
        axes.errorbar(x, shown, np.stack([shown - low, high - shown]), fmt="o", markersize=2.5, capsize=1.5, **_style(model))
        for place, value in zip(x, values["value"], strict=True):
            if value < LEAST_BITS:
                axes.annotate(f"{value:.0f}", (place, LEAST_BITS), (0, 6), textcoords="offset points", ha="center", fontsize=6)
    axes.axhline(0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set_xticks(range(len(DATASETS)), [name.replace(", ", ",\n") for name in DATASETS.values()])
    axes.set(ylabel="Held-out bits per spike")
    return axes


def advantages(axes: Axes, tests: pd.DataFrame) -> Axes:
    """How much nearer to the recording internal noise is than every rival; filled where the corrected probability is below 5 %."""
    rows = [(statistic, rival) for statistic in TESTED for rival in RIVALS]
    own = tests.set_index(["statistic", "rival", "dataset"])
    values = np.array([[own["advantage"].get((*row, dataset), np.nan) for dataset in DATASETS] for row in rows])
    certain = np.array([[own["p_corrected"].get((*row, dataset), np.nan) < 0.05 for dataset in DATASETS] for row in rows])
    axes.imshow(np.where(certain, np.sign(values), 0.15 * np.sign(values)), cmap=NEARER, vmin=-1, vmax=1, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.2g}" if np.isfinite(value) else "–", ha="center", va="center", fontsize=6)
    for line in range(len(RIVALS), len(rows), len(RIVALS)):
        axes.axhline(line - 0.5, color="white", linewidth=2)
    names = [MODELS[rival][0] if k else f"{TESTED[statistic]}: {MODELS[rival][0]}" for statistic in TESTED
             for k, rival in enumerate(RIVALS)]  # fmt: skip
    axes.set_yticks(range(len(rows)), names)
    axes.set_xticks(range(len(DATASETS)), [name.replace(", ", ",\n") for name in DATASETS.values()])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_title("Internal noise nearer (blue) or farther (orange)")
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
    figure, axes = plt.subplots(1, 2, figsize=(TWO_COLUMNS, 3.6), layout="constrained", width_ratios=(1, 1.2))
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
