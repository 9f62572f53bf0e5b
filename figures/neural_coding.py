"""Do models respond like neurons? Figures from the tables of ``analyses/neural_coding``.

neurocode figures neural-coding

"""

from __future__ import annotations

import itertools
import json
import string
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from analyses.neural_coding.nested import by_cell
from analyses.neural_coding.rows import DRAWN, INTERVALS, MEANS
from analyses.neural_coding.summary import LIKELIHOOD, PAIRS, advantages
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.style import TWO_COLUMNS

RECORDED = "recorded"
MODELS = {
    RECORDED: ("recorded", "#000000"),
    "internal": ("internal noise", "#D55E00"),
    "output": ("output noise", "#0072B2"),
    "recurrent": ("recurrent, internal", "#44AA99"),
    "recurrent-output": ("recurrent, output", "#56B4E9"),
    "glm": ("GLM", "#009E73"),
    "coupled": ("GLM, coupled", "#117733"),
    "gif": ("GIF, in network", "#CC79A7"),
    "igif": ("iGIF", "#882255"),
    "igif-ia": ("iGIF, A-type", "#332288"),
    "psth": ("Poisson, PSTH", "#E69F00"),
    "deterministic": ("deterministic", "#999999"),
}
DATASETS = {
    "raphe": "Raphe, current",
    "grasshopper": "Receptor",
    "song-waveform": "Song, waveform",
    "song-time": "Song, time",
    "retina": "Retina, time",
}
#: Data sets whose responses are drawn, with the interval in seconds that is shown, and the models
#: of the rasters and curves.
SHOWN = {"raphe": (2.0, 5.0), "retina": (2.0, 8.0)}
RESPONDING = ("recorded", "internal", "output", "recurrent", "gif", "igif-ia", "deterministic")
STATISTICS = {
    "fano_mean": "Variance over mean\n(log units)",
    "fano_factor": "Fano factor",
    "interval_distribution": "Intervals\n(s)",
    "autocorrelogram": "Autocorrelogram\n(over mean rate)",
    "noise_correlation": "Noise correlation",
}
#: Short names of the first models of pairs.
SHORT = {"internal": "int.", "recurrent": "rec."}
#: Share of the points at each end that may lie outside a panel, and the number of cells from which
#: this applies.
OUTSIDE, MANY = 0.03, 20


def raster(axes: Axes, table: pd.DataFrame, window: tuple[float, float]) -> Axes:
    """Draw the repeats of one unit as recorded and from every model, in blocks one below the
    other."""
    line, ticks = 0, []
    for model in RESPONDING:
        if model not in table.index:
            continue
        repeats = json.loads(table.loc[model, "raster"])[:5]
        in_window = [[t for t in times if window[0] <= t < window[1]] for times in repeats]
        axes.eventplot(
            in_window,
            lineoffsets=line + np.arange(len(in_window)),
            linelengths=0.8,
            linewidths=0.6,
            colors=MODELS[model][1],
        )
        ticks.append((line + (len(in_window) - 1) / 2, MODELS[model][0]))
        line += len(in_window) + 1
    axes.set(
        xlim=window, ylim=(line - 1, -1), xlabel="Time (s)", yticks=[place for place, _ in ticks]
    )
    axes.set_yticklabels([name for _, name in ticks])
    axes.tick_params(axis="y", length=0)
    return axes


def variance_over_mean(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the mean variance of counts in windows of 100 ms against their mean over repeats.

    All units and recordings of one data set are pooled.
    """
    middle = np.sqrt(MEANS[1:] * MEANS[:-1])
    for model, rows in _by_model(table):
        values = np.array([json.loads(text) for text in rows["variances"]], float)
        defined = np.isfinite(values).any(axis=0)
        if model in RESPONDING[:-1] and defined.any():
            axes.loglog(
                middle[defined],
                np.nanmean(values[:, defined], axis=0),
                "o-",
                markersize=2,
                **_style(model),
            )
    axes.plot(MEANS, MEANS, ":", color="0.6", linewidth=0.6, label="Poisson")
    axes.set(xlabel="Mean count (100 ms)", ylabel="Variance of count")
    return axes


def intervals(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the distribution of interspike intervals over all units and recordings of a data set.

    The vertical axis is scaled to the recorded one, so models whose cells fire without bound may
    leave it.
    """
    middle = 1e3 * np.sqrt(INTERVALS[1:] * INTERVALS[:-1])
    for model, rows in _by_model(table[table["model"].isin(RESPONDING)]):
        counts = np.sum([json.loads(text) for text in rows["intervals"]], axis=0)
        axes.semilogx(middle, counts / max(1, counts.sum()), **_style(model))
        if model == RECORDED:
            axes.set_ylim(0, 1.6 * counts.max() / max(1, counts.sum()))
    axes.set(xlabel="Interspike interval (ms)", ylabel="Share")
    return axes


def scores(axes: Axes, recordings: pd.DataFrame, summary: pd.DataFrame) -> Axes:
    """Draw the held-out bits per spike of every model on a data set: cells, mean with its 95 %
    interval, and median."""
    names = [model for model in MODELS if model not in (RECORDED, "deterministic")]
    defined = recordings.dropna(subset="score")
    groups = {
        model: by_cell(part["score"], part["cell"])
        for model, part in defined.groupby("model")
        if model in names
    }
    lines = summary.set_index("model").reindex(names)
    spread(
        axes, [groups.get(model) for model in names], lines, [MODELS[model][1] for model in names]
    )
    axes.set_yticks(range(len(names)), [MODELS[model][0] for model in names])
    return axes


def paired(
    axes: Axes, recordings: pd.DataFrame, pairs: pd.DataFrame, dataset: str, statistic: str
) -> Axes:
    """Draw by how much the first of two models is nearer to the recording: cells, mean with its 95
    % interval, and median."""
    names = [(model, rival) for model, rivals in PAIRS.items() for rival in rivals]
    gains = [advantages(recordings, dataset, statistic, *pair) for pair in names]
    groups = [by_cell(gain["value"], gain["cell"]) if len(gain) else None for gain in gains]
    rows = pairs[(pairs["dataset"] == dataset) & (pairs["statistic"] == statistic)]
    lines = rows.set_index(["model", "rival"]).reindex(names)
    spread(axes, groups, lines, [MODELS[rival][1] for _, rival in names])
    axes.axhline(len(PAIRS["internal"]) - 0.5, color="0.8", linewidth=0.6)
    axes.axvline(0, color="0.6", linewidth=0.6)
    axes.set_yticks(
        range(len(names)), [f"{SHORT[model]} – {MODELS[rival][0]}" for model, rival in names]
    )
    return axes


def spread(
    axes: Axes, groups: list[pd.Series | None], lines: pd.DataFrame, colours: list[str]
) -> None:
    """Draw a row of points for every group of cells, with its mean, interval and median; n is the
    number of cells."""
    for place, (values, (_, line), colour) in enumerate(
        zip(groups, lines.iterrows(), colours, strict=True)
    ):
        if values is None:
            where = {"transform": axes.get_yaxis_transform(), "ha": "center", "va": "center"}
            axes.text(0.5, place, "not defined", fontsize=5, color="0.6", **where)
            continue
        heights = place + np.linspace(-0.25, 0.25, len(values)) if len(values) > 1 else [place]
        size = 2.2 if len(values) < 20 else 1.2
        axes.plot(
            values, heights, "o", color=colour, markersize=size, alpha=0.45, markeredgewidth=0
        )
        axes.plot(
            [line["low"], line["high"]], [place, place], color=colour, linewidth=1.2, zorder=2
        )
        axes.plot(
            line["mean"],
            place,
            "D",
            color=colour,
            markersize=3,
            markeredgecolor="white",
            markeredgewidth=0.4,
            zorder=3,
        )
        axes.plot(
            line["median"], place, "|", color="black", markersize=6, markeredgewidth=0.9, zorder=4
        )
    # panels are narrow, and numbers such as -0.0025 wide
    axes.xaxis.set_major_locator(MaxNLocator(nbins=2, steps=[1, 2, 5, 10]))
    defined = [values.to_numpy() for values in groups if values is not None]
    if defined:
        largest = max(map(len, defined))
        axes.set_xlim(*limits(np.concatenate([*defined, lines["mean"].dropna()]), largest))
        numbers = sorted({len(values) for values in defined})
        number = "n = " + " to ".join(map(str, numbers[:: max(1, len(numbers) - 1)]))
        axes.text(1, 1.01, number, fontsize=6, ha="right", va="bottom", transform=axes.transAxes)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def limits(values: np.ndarray, n_cells: int) -> tuple[float, float]:
    """Return the limits of an axis that contains zero and all values, of many cells except the
    outermost."""
    share = OUTSIDE if n_cells >= MANY else 0.0
    low, high = np.quantile(np.r_[values, 0.0], (share, 1 - share))
    room = 0.1 * (high - low) or 1.0
    return low - room, high + room


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw all figures whose tables exist."""
    models, recorded = (
        study_table(tables / "models.parquet"),
        study_table(tables / "recorded.parquet"),
    )
    if not len(models) or not len(recorded) or not (tables / "pairs.csv").exists():
        return []
    first = models[models["model"].isin(MODELS) & (models["seed"] == DRAWN)]
    table = pd.concat([first, recorded.assign(model=RECORDED)], ignore_index=True)
    recordings, summary, pairs = (
        pd.read_parquet(tables / "units.parquet"),
        pd.read_csv(tables / "summary.csv"),
        pd.read_csv(tables / "pairs.csv"),
    )
    with house_style():
        paths = _responses(table, output) if set(SHOWN) <= set(table["dataset"]) else []
        return (
            paths
            + _likelihood(recordings, summary, pairs, output)
            + _statistics(recordings, pairs, output)
        )


def _likelihood(
    recordings: pd.DataFrame, summary: pd.DataFrame, pairs: pd.DataFrame, output: Path
) -> list[Path]:
    datasets = [name for name in DATASETS if name in set(recordings["dataset"])]
    figure, axes = plt.subplots(
        2,
        len(datasets),
        figsize=(TWO_COLUMNS, 4.6),
        layout="constrained",
        squeeze=False,
        sharey="row",
    )
    for column, dataset in enumerate(datasets):
        rows = recordings[
            (recordings["dataset"] == dataset) & (recordings["statistic"] == LIKELIHOOD)
        ]
        about = summary[(summary["dataset"] == dataset) & (summary["statistic"] == LIKELIHOOD)]
        scores(axes[0, column], rows, about).set_xlabel("Bits per spike")
        paired(axes[1, column], recordings, pairs, dataset, LIKELIHOOD).set_xlabel("Bits gained")
        axes[0, column].set_title(DATASETS[dataset], loc="left", pad=9)
    for letter, panel in zip("abcdefghij", axes.flat, strict=False):
        label_panel(panel, letter)
    return save_figure(figure, output / "neural_coding.pdf")


def _statistics(recordings: pd.DataFrame, pairs: pd.DataFrame, output: Path) -> list[Path]:
    datasets = [name for name in DATASETS if name in set(recordings["dataset"])]
    statistics = [name for name in STATISTICS if name in set(pairs["statistic"])]
    if not statistics:
        return []
    figure, axes = plt.subplots(
        len(statistics),
        len(datasets),
        figsize=(TWO_COLUMNS, 2.0 * len(statistics) + 0.3),
        layout="constrained",
        squeeze=False,
        sharey=True,
    )
    for (row, statistic), (column, dataset) in itertools.product(
        enumerate(statistics), enumerate(datasets)
    ):
        panel = axes[row, column]
        if ((pairs["dataset"] == dataset) & (pairs["statistic"] == statistic)).any():
            paired(panel, recordings, pairs, dataset, statistic)
        else:
            panel.text(
                0.5,
                0.5,
                "not defined",
                transform=panel.transAxes,
                ha="center",
                fontsize=6,
                color="0.6",
            )
            panel.set_xticks([])
        if row == 0:
            panel.set_title(DATASETS[dataset], loc="left", pad=9)
        if column == 0:
            panel.set_ylabel(STATISTICS[statistic])
    figure.supxlabel("First model nearer to the recording by", fontsize=7)
    for letter, panel in zip(string.ascii_lowercase, axes.flat, strict=False):
        label_panel(panel, letter)
    return save_figure(figure, output / "neural_coding_statistics.pdf")


def _responses(table: pd.DataFrame, output: Path) -> list[Path]:
    figure, axes = plt.subplots(
        2, 3, figsize=(TWO_COLUMNS, 4.6), layout="constrained", width_ratios=(1.5, 1, 1)
    )
    for row, (dataset, window) in zip(axes, SHOWN.items(), strict=True):
        part = table[table["dataset"] == dataset]
        example = part[part["name"] == part["name"].iloc[0]]
        raster(row[0], example.set_index("model"), window)
        n = len(part[part["model"] == RECORDED])
        row[0].set_title(f"{DATASETS[dataset]}: one unit", loc="right")
        variance_over_mean(row[1], part).set_title(
            f"n = {n} recordings", fontsize=6, loc="right", pad=2
        )
        intervals(row[2], part).set_title(f"n = {n} recordings", fontsize=6, loc="right", pad=2)
    drawn: dict[str, Artist] = {}
    for panel in axes[:, 1:].flat:
        handles, labels = panel.get_legend_handles_labels()
        drawn |= dict(zip(labels, handles, strict=True))
    figure.legend(
        drawn.values(),
        drawn.keys(),
        loc="outside upper center",
        ncols=6,
        labelspacing=0.2,
    )
    for letter, panel in zip("abcdef", axes.flat, strict=True):
        label_panel(panel, letter)
    return save_figure(figure, output / "neural_coding_responses.pdf")


def _by_model(table: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    return [(model, rows) for model in MODELS if len(rows := table[table["model"] == model])]


def _style(model: str) -> dict[str, object]:
    label, colour = MODELS[model]
    return {"color": colour, "label": label, "linewidth": 1.2 if model == RECORDED else 0.8}
