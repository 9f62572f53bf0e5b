"""Adaptive LIF neurons and symplectic Euler: figures from the tables of ``analyses/adaptive_lif``.

neurocode figures adaptive-lif

"""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullLocator

from analyses.adaptive_lif.neurons import neurons_of
from analyses.adaptive_lif.training import is_sound
from analyses.drawing import differences, margin, seeds
from analyses.judging import sound
from analyses.protocol import paired
from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.plotting.log_axes import logarithmic
from neurocode.studies import mean_interval, study_table
from neurocode.style import TWO_COLUMNS, note_above

COLOURS = {"SE": "#0072B2", "EF": "#D55E00", "LIF": "#009E73"}
NAMES = {"SE": "symplectic Euler", "EF": "Euler forward", "LIF": "leaky (no adaptation)"}
#: Label and colour of the arms that are compared with one another, and of those of trajectories.
RIVALS = {
    "SE": ("SE", "#0072B2"),
    "LIF": ("LIF", "#009E73"),
    "ALIF": ("ALIF", "#E69F00"),
    "LSTM": ("LSTM", "#000000"),
    "SE-normalised": ("SE, normalised", "#56B4E9"),
    "LIF-normalised": ("LIF, normalised", "#F0E442"),
    "SE-delays": ("SE, delays", "#CC79A7"),
}
TRAJECTORIES = {
    "SE": ("SE", "#0072B2"),
    "EF": ("EF", "#D55E00"),
    "LIF": ("LIF", "#009E73"),
    "SE-feed-forward": ("SE, not recurrent", "#56B4E9"),
}
#: Braille comes first, because it has every arm and the legend is made from the first task.
TASKS = {"braille": "Braille, 64 x 2", "ecg": "ECG, 36 x 1"}
RANGES = {"springs-slow": "stiffness / 10", "springs": "published", "springs-fast": "stiffness x 6"}
STEP_COLOURS = {0.001: "#F0C89A", 0.5: "#E69F00", 1.0: "#D55E00"}
COUPLING_COLOURS = {"0": "#000000", "5": "#56B4E9", "30": "#CC79A7", "120": "#0072B2"}
#: Frequency (Hz) at which a best frequency of zero is drawn on a logarithmic axis.
LOWEST = 0.5
#: Published means and standard deviations on the electrocardiograms.
PUBLISHED = {"SE": (0.8818, 0.0036), "EF": (0.8783, 0.0051)}

#: Share of the most frequent label of the electrocardiograms in the test part.
MAJORITY = 0.305
#: Accuracy in percent on Braille that is claimed for networks with learned delays.
TARGET = 93


def decay(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the spectral radius of the example neuron against the coupling, for three time steps."""
    for step, rows in table[table["cell"] == "EF"].groupby("dt_ms"):
        axes.plot(
            rows["a"],
            rows["radius_per_ms"],
            color=STEP_COLOURS[step],
            label=f"Euler forward, {step:g} ms",
        )
    rows = table[(table["cell"] == "SE") & (table["dt_ms"] == 1.0)]
    axes.plot(rows["a"], rows["radius_per_ms"], color=COLOURS["SE"], label="symplectic, 1 ms")
    axes.plot(rows["a"], rows["radius_continuous"], color="0.0", linestyle=":", label="continuous")
    axes.axhline(1.0, color="0.6", linewidth=0.6, zorder=0, label="limit of stability")
    axes.set(
        xlabel="Coupling $a$", ylabel="Spectral radius per ms", xlim=(0, 500), ylim=(0.95, 1.25)
    )
    axes.legend(loc="upper left")
    return axes


def frequency(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the frequency of the example neuron against the coupling, at steps of 1 ms."""
    for cell in ("EF", "SE"):
        rows = table[(table["cell"] == cell) & (table["dt_ms"] == 1.0)]
        axes.plot(rows["a"], rows["frequency"], color=COLOURS[cell], label=NAMES[cell])
    axes.plot(
        rows["a"], rows["frequency_continuous"], color="0.0", linestyle=":", label="continuous"
    )
    axes.set(xlabel="Coupling $a$", ylabel="Frequency (Hz)", xlim=(0, 800), ylim=(0, None))
    axes.legend(loc="lower right")
    return axes


def random_neurons(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the spectral radius against the frequency of random neurons."""
    for cell in ("EF", "SE"):
        rows = table[table["cell"] == cell]
        axes.plot(
            rows["frequency"],
            rows["radius"],
            ".",
            markersize=1.5,
            color=COLOURS[cell],
            label=NAMES[cell],
            rasterized=True,
        )
    axes.axhline(1.0, color="0.6", linewidth=0.6, zorder=0, label="limit of stability")
    axes.set(xlabel="Frequency (Hz)", ylabel="Spectral radius per step")
    axes.legend(loc="upper left", markerscale=4)
    return axes


def gradients(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the derivative of the last membrane potential by earlier input, scaled to its largest
    value."""
    for column in table.columns[1:]:
        coupling = column.removeprefix("a_")
        scaled = table[column] / table[column].abs().max()
        axes.plot(
            -table["steps_before"],
            scaled,
            color=COUPLING_COLOURS[coupling],
            label=f"$a$ = {coupling}",
        )
    axes.set(xlabel="Input before the end (ms)", ylabel="Gradient (scaled)", xlim=(-150, 0))
    axes.legend(loc="upper left")
    return axes


def spectra(axes: Axes, table: pd.DataFrame) -> Axes:
    """Draw the size of the gradient against the frequency of the input."""
    for column in table.columns[1:]:
        axes.semilogy(
            table["frequency"],
            table[column],
            color=COUPLING_COLOURS[column.removeprefix("a_")],
            label=f"$a$ = {column.removeprefix('a_')}",
        )
    axes.set(xlabel="Frequency of the input (Hz)", ylabel="Gradient", xlim=(0, 150))
    axes.legend(loc="upper right")
    return axes


def accuracy(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the test accuracy of every seed of the published networks on electrocardiograms, with
    the published means and standard deviations."""
    seeds(
        axes,
        rows,
        "arm",
        "test_score",
        {arm: (NAMES[arm], COLOURS[arm]) for arm in COLOURS},
        {"ecg": "36 x 2, 400 epochs"},
    )
    for arm, (mean, spread) in PUBLISHED.items():
        axes.axhspan(
            100 * (mean - spread),
            100 * (mean + spread),
            color=COLOURS[arm],
            alpha=0.15,
            linewidth=0,
        )
        axes.axhline(100 * mean, color=COLOURS[arm], linewidth=0.6, linestyle=":")
    axes.axhline(100 * MAJORITY, color="0.6", linewidth=0.6, linestyle="--")
    axes.annotate(
        "most frequent label",
        (0.03, 100 * MAJORITY + 1),
        xycoords=("axes fraction", "data"),
        fontsize=6,
        color="0.3",
    )
    axes.set(ylabel="Test accuracy, ECG (%)", ylim=(25, 100))
    axes.legend(
        loc="center left", title="dotted and band: published mean and s.d.", title_fontsize=6
    )
    return numbered(axes, rows)


def symplectic_gain(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw SE minus EF on electrocardiograms: every pair, the mean with its interval, and the
    published difference."""
    pairs = paired(rows, "arm", "SE", "EF", "test_score")
    axes.plot(
        100 * pairs.values,
        np.zeros(len(pairs.values)),
        "o",
        markersize=3,
        color="0.6",
        label="one seed",
    )
    if len(pairs.values) > 1:
        low, high = mean_interval(pairs.values)
        axes.plot([100 * low, 100 * high], [1, 1], color=COLOURS["SE"])
        axes.plot(
            100 * pairs.values.mean(),
            1,
            "o",
            markersize=3.5,
            color=COLOURS["SE"],
            label="mean, 95 % interval",
        )
    published = 100 * (PUBLISHED["SE"][0] - PUBLISHED["EF"][0])
    axes.axvline(
        published, color=COLOURS["EF"], linestyle="--", linewidth=0.8, label="published difference"
    )
    axes.axvline(0, color="0.6", linewidth=0.6)
    axes.set(xlabel="SE minus EF, ECG (points)", yticks=[], ylim=(-0.6, 3.2))
    axes.legend(loc="upper right")
    return note_above(axes, f"n = {len(pairs.values)} pairs")


def rivals(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the test accuracy of every seed of every arm on electrocardiograms (one layer) and
    Braille."""
    seeds(axes, rows, "arm", "test_score", RIVALS, TASKS)
    for place, chance in enumerate((100 / 27, 100 * MAJORITY)):
        axes.plot([place - 0.45, place + 0.45], [chance] * 2, "--", color="0.6", linewidth=0.6)
    axes.plot([-0.45, 0.45], [TARGET] * 2, ":", color="0.6", linewidth=0.6)
    axes.set(ylabel="Test accuracy (%)", ylim=(0, 102))
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 0.42),
        ncols=3,
        fontsize=6,
        title=f"dashed: most frequent label; dotted: {TARGET} %, claimed for delays",
        title_fontsize=6,
    )
    return numbered(axes, rows)


def rival_gains(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the gain of every other arm over SE, by task."""
    parts = [rows[rows["dataset"] == name] for name in TASKS]
    pairs = {
        arm: [paired(part, "arm", arm, "SE", "test_score") for part in parts]
        for arm in RIVALS
        if arm != "SE"
    }
    differences(margin(axes, 1.0), pairs, RIVALS, list(TASKS.values()))
    axes.set(ylabel="Gain over SE (points)")
    return numbered(axes, rows)


def spring_errors(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the squared error over the course of the free-running half, as mean and range over the
    networks that trained."""
    for arm, (label, colour) in TRAJECTORIES.items():
        of_arm = rows[(rows["arm"] == arm) & is_sound(rows)]
        lost = int((rows["arm"] == arm).sum() - len(of_arm))
        if not len(of_arm):
            axes.plot([], [], color=colour, label=f"{label}: none trained")
            continue
        courses = np.array([json.loads(text) for text in of_arm["course"]])
        time = 25 * (np.arange(courses.shape[1]) + 0.5)
        axes.plot(
            time,
            courses.mean(axis=0),
            marker="o",
            markersize=2,
            color=colour,
            label=f"{label}, {lost} failed" if lost else label,
        )
        axes.fill_between(
            time, courses.min(axis=0), courses.max(axis=0), color=colour, alpha=0.15, linewidth=0
        )
    axes.axhline(
        rows["zero_predictor"].mean(),
        color="0.5",
        linewidth=0.8,
        linestyle="--",
        label="prediction of zero",
    )
    axes.set(
        xlabel="Time since the input ended (ms)", ylabel="Squared error, springs", yscale="log"
    )
    axes.set_ylim(bottom=axes.get_ylim()[0] / 8)
    logarithmic(axes, "y")
    axes.legend(loc="lower right", fontsize=6, ncols=2)
    return numbered(axes, rows)


def frequency_gains(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the gain of SE over EF on slow, published and fast springs."""
    parts = [rows[rows["dataset"] == name] for name in RANGES]
    pairs = {
        "SE": [paired(part, "arm", "EF", "SE", "test_score", is_sound(part)) for part in parts]
    }
    differences(
        margin(axes, 0.005),
        pairs,
        {"SE": ("EF minus SE", COLOURS["SE"])},
        list(RANGES.values()),
        scale=1.0,
    )
    axes.set(ylabel="Squared error,\nEF minus SE")
    axes.legend(loc="upper left")
    return numbered(axes, rows)


def sizes(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the error in the free-running half against the number of neurons, for every seed.

    Networks that did not train are drawn as crosses.
    """
    trained = is_sound(rows)
    for arm in ("SE", "LIF"):
        for kept, marker in ((trained, "o"), (~trained, "x")):
            of_arm = rows[(rows["arm"] == arm) & kept]
            axes.plot(
                of_arm["neurons"],
                of_arm["test_score"],
                marker,
                markersize=2.5,
                color=COLOURS[arm],
                alpha=0.6,
            )
        means = rows[(rows["arm"] == arm) & trained].groupby("neurons")["test_score"].mean()
        axes.plot(means.index, means, color=COLOURS[arm], label=NAMES[arm])
    axes.axhline(
        rows["zero_predictor"].mean(),
        color="0.5",
        linewidth=0.8,
        linestyle="--",
        label="prediction of zero",
    )
    ticks = sorted(rows["neurons"].unique())
    axes.set(xscale="log", yscale="log", xlabel="Neurons", ylabel="Squared error, springs")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom=axes.get_ylim()[0] / 4)
    logarithmic(axes, "y")
    axes.legend(loc="lower left", fontsize=6, title="crosses: not trained", title_fontsize=6)
    return numbered(axes, rows)


def burst_accuracy(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Draw the test accuracy of every seed on burst sequences."""
    groups = {
        name: f"{name.removeprefix('bursts-')} classes"
        for name in sorted(rows["dataset"].unique(), key=len)
    }
    seeds(
        axes,
        rows,
        "arm",
        "test_score",
        {arm: (NAMES[arm], COLOURS[arm]) for arm in COLOURS},
        groups,
    )
    for place, name in enumerate(groups):
        chance = 100 / int(name.removeprefix("bursts-"))
        axes.plot([place - 0.45, place + 0.45], [chance] * 2, "--", color="0.6", linewidth=0.6)
    axes.set(ylabel="Test accuracy, bursts (%)", ylim=(0, 102))
    axes.legend(loc="center left", title="dashed: chance", title_fontsize=6)
    return numbered(axes, rows)


def disturbed(axes: Axes, rows: pd.DataFrame, kind: str) -> Axes:
    """Draw the mean accuracy on electrocardiograms with its interval, under a shift of the mean or
    added events."""
    columns = [name for name in rows.columns if name.startswith(f"{kind}_")]
    columns = ["shift_0", *columns] if kind == "events" else columns
    levels = [0.0 if name == "shift_0" else float(name.split("_")[1]) for name in columns]
    for arm, of_arm in rows.groupby("arm"):
        low, high = (
            100 * np.array(side)
            for side in zip(*(mean_interval(of_arm[name]) for name in columns), strict=True)
        )
        axes.plot(
            levels,
            100 * of_arm[columns].mean(),
            marker="o",
            markersize=2.5,
            color=COLOURS[arm],
            label=NAMES[arm],
        )
        axes.fill_between(
            levels, low.clip(0, 100), high.clip(0, 100), color=COLOURS[arm], alpha=0.15, linewidth=0
        )
    axes.axhline(
        100 * MAJORITY, color="0.6", linewidth=0.6, linestyle="--", label="most frequent label"
    )
    label = (
        "Constant added (means of the input)"
        if kind == "shift"
        else "Share of steps with an added event"
    )
    axes.set(xlabel=label, ylabel="Test accuracy, ECG (%)", ylim=(0, 100))
    axes.legend(loc="upper right")
    return numbered(axes, rows)


def numbered(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Write how many seeds each arm has, and how many networks did not train."""
    counts = rows.groupby(["arm", "dataset"])["seed"].nunique()
    lost = int((~is_sound(rows)).sum())
    n = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    text = f"n = {n} seeds" + (f", {lost} not trained" if lost else "")
    return note_above(axes, text)


def distribution(
    axes: Axes, table: pd.DataFrame, column: str, label: str, edges: np.ndarray
) -> Axes:
    """Draw the histogram of a statistic over the neurons of each arm."""
    for arm, of_arm in table.groupby("arm"):
        axes.hist(
            np.clip(of_arm[column].dropna(), edges[0], edges[-1]),
            edges,
            histtype="step",
            color=COLOURS[arm],
            label=NAMES[arm],
        )
    axes.set(xlabel=label, ylabel="Neurons")
    n = table.groupby("arm")["seed"].nunique()
    return note_above(axes, f"n = {len(table)} neurons, {n.min()} networks per arm")


def resonance_map(
    axes: Axes, table: pd.DataFrame, untrained: pd.DataFrame, raphe: pd.DataFrame
) -> Axes:
    """Draw the response at the best frequency, divided by that to constant input, against this
    frequency."""
    groups = [(untrained, ".", 1.5, "0.75", "SE, untrained")]
    groups += [
        (table[table["arm"] == cell], ".", 2.5, COLOURS[cell], f"{cell}, trained")
        for cell in ("SE", "EF")
    ]
    if len(raphe):
        groups.append((raphe[raphe["coupling"]], "*", 5, "0.0", "raphe, fitted"))
    for neurons, marker, size, colour, label in groups:
        x = neurons["resonance_frequency"].clip(LOWEST)
        axes.loglog(
            x, neurons["resonance_ratio"], marker, markersize=size, color=colour, label=label
        )
    axes.set(
        xlabel=f"Best frequency (Hz; 0 drawn at {LOWEST})", ylabel="Best over constant response"
    )
    axes.legend(loc="upper left")
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """Draw all figures whose tables exist."""
    paths: list[Path] = []
    with house_style():
        if (tables / "stability.csv").exists():
            paths += _stability(tables, output)
        read = {path.stem: sound(study_table(path)) for path in sorted(tables.glob("*.parquet"))}
        if {"ecg", "rivals", "springs", "bursts", "robustness"} <= set(read) and (
            read["ecg"]["dataset"] == "ecg"
        ).any():
            paths += _training(read, output)
        if "neurons" in read:
            paths += _neurons(read, pd.read_csv(tables / "untrained.csv"), output)
    return paths


def _stability(tables: Path, output: Path) -> list[Path]:
    figure, axes = plt.subplot_mosaic(
        [["a", "a", "b", "b", "c", "c"], ["d", "d", "d", "e", "e", "e"]],
        figsize=(TWO_COLUMNS, 4.0),
        layout="constrained",
    )
    example = pd.read_csv(tables / "stability_example.csv")
    decay(axes["a"], example)
    frequency(axes["b"], example)
    random_neurons(axes["c"], pd.read_csv(tables / "stability_draws.csv"))
    gradients(axes["d"], pd.read_csv(tables / "wavelets.csv"))
    spectra(axes["e"], pd.read_csv(tables / "wavelet_spectra.csv"))
    return _saved(figure, axes, output / "adaptive_lif_stability.pdf")


def _training(read: dict[str, pd.DataFrame], output: Path) -> list[Path]:
    figure, axes = plt.subplot_mosaic(
        "aabb;ccdd;eeff;gghh;iijj", figsize=(TWO_COLUMNS, 10.5), layout="constrained"
    )
    springs = read["springs"]
    most = springs[springs["dataset"] == "springs"]["neurons"].mode().iloc[0]
    wide = springs[springs["neurons"] == most]
    accuracy(axes["a"], read["ecg"])
    symplectic_gain(axes["b"], read["ecg"])
    rivals(axes["c"], read["rivals"])
    rival_gains(axes["d"], read["rivals"])
    spring_errors(axes["e"], wide[wide["dataset"] == "springs"])
    frequency_gains(axes["f"], wide[wide["arm"].isin(("SE", "EF"))])
    sizes(
        axes["g"], springs[(springs["dataset"] == "springs") & springs["arm"].isin(("SE", "LIF"))]
    )
    burst_accuracy(axes["h"], read["bursts"])
    robust = read["robustness"][read["robustness"]["dataset"] == "ecg"]
    disturbed(axes["i"], robust, "shift")
    disturbed(axes["j"], robust, "events")
    return _saved(figure, axes, output / "adaptive_lif_training.pdf")


def _neurons(read: dict[str, pd.DataFrame], start: pd.DataFrame, output: Path) -> list[Path]:
    """Draw statistics of the spikes of trained neurons, and their resonance."""
    table = neurons_of(read["neurons"])
    figure, axes = plt.subplot_mosaic(
        [["a", "b", "c"], ["d", "e", "e"]], figsize=(TWO_COLUMNS, 4.0), layout="constrained"
    )
    distribution(axes["a"], table, "cv", "CV of intervals", np.linspace(0, 9, 37))
    distribution(axes["b"], table, "lv", "Local variation", np.linspace(0, 1.5, 31)).legend(
        loc="upper right"
    )
    distribution(
        axes["c"],
        table,
        "serial_correlation",
        "Serial correlation of intervals",
        np.linspace(-0.2, 0.5, 29),
    )
    distribution(
        axes["d"],
        table,
        "lz_ratio",
        "Complexity over rate-matched surrogates",
        np.linspace(0, 1.1, 45),
    )
    resonance_map(axes["e"], table, start, read.get("raphe", pd.DataFrame()))
    return _saved(figure, axes, output / "adaptive_lif_neurons.pdf")


def _saved(figure: plt.Figure, axes: dict[str, Axes], path: Path) -> list[Path]:
    for letter, panel in axes.items():
        label_panel(panel, letter)
    return save_figure(figure, path)
