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

from neurocode.plotting import house_style, label_panel, save_figure
from neurocode.studies import study_table
from neurocode.studies.claims import WITHDRAWN
from neurocode.style import TWO_COLUMNS

COLOURS = {"SE": "#0072B2", "EF": "#D55E00", "LIF": "#009E73"}
NAMES = {"SE": "symplectic Euler", "EF": "Euler forward", "LIF": "leaky (no adaptation)"}
TWO_LAYERS = {"SE": "#56B4E9", "EF": "#E69F00", "LIF": "#7FCDBB"}
STEP_COLOURS = {0.001: "#F0C89A", 0.5: "#E69F00", 1.0: "#D55E00"}
COUPLING_COLOURS = {"0": "#000000", "5": "#56B4E9", "30": "#CC79A7", "120": "#0072B2"}
#: Where a best frequency of zero is drawn on a logarithmic axis.
LOWEST = 0.5
#: Published means and spreads on the electrocardiograms.
PUBLISHED = {"SE": (0.8818, 0.0036), "EF": (0.8783, 0.0051)}

#: Share of the most frequent label of the test part.
MAJORITY = 0.305


def decay(axes: Axes, table: pd.DataFrame) -> Axes:
    """Spectral radius of the example neuron against the coupling, for three time steps."""
    for step, own in table[table["cell"] == "EF"].groupby("dt_ms"):
        axes.plot(own["a"], own["radius_per_ms"], color=STEP_COLOURS[step], label=f"Euler forward, {step:g} ms")
    own = table[(table["cell"] == "SE") & (table["dt_ms"] == 1.0)]
    axes.plot(own["a"], own["radius_per_ms"], color=COLOURS["SE"], label="symplectic, 1 ms")
    axes.plot(own["a"], own["radius_continuous"], color="0.0", linestyle=":", label="continuous")
    axes.axhline(1.0, color="0.6", linewidth=0.6, zorder=0)
    axes.set(xlabel="Coupling $a$", ylabel="Spectral radius per ms", xlim=(0, 500), ylim=(0.95, 1.25))
    axes.legend(loc="upper left")
    return axes


def frequency(axes: Axes, table: pd.DataFrame) -> Axes:
    """Frequency of the example neuron against the coupling, at steps of 1 ms."""
    for cell in ("EF", "SE"):
        own = table[(table["cell"] == cell) & (table["dt_ms"] == 1.0)]
        axes.plot(own["a"], own["frequency"], color=COLOURS[cell], label=NAMES[cell])
    axes.plot(own["a"], own["frequency_continuous"], color="0.0", linestyle=":", label="continuous")
    axes.set(xlabel="Coupling $a$", ylabel="Frequency (Hz)", xlim=(0, 800), ylim=(0, None))
    axes.legend(loc="lower right")
    return axes


def random_neurons(axes: Axes, table: pd.DataFrame) -> Axes:
    """Spectral radius against frequency of random neurons."""
    for cell in ("EF", "SE"):
        own = table[table["cell"] == cell]
        axes.plot(own["frequency"], own["radius"], ".", markersize=1.5, color=COLOURS[cell], label=NAMES[cell], rasterized=True)
    axes.axhline(1.0, color="0.6", linewidth=0.6, zorder=0)
    axes.set(xlabel="Frequency (Hz)", ylabel="Spectral radius per step")
    axes.legend(loc="upper left", markerscale=4)
    return axes


def gradients(axes: Axes, table: pd.DataFrame) -> Axes:
    """Derivative of the last membrane potential by earlier input, scaled to its largest value."""
    for column in table.columns[1:]:
        coupling = column.removeprefix("a_")
        scaled = table[column] / table[column].abs().max()
        axes.plot(-table["steps_before"], scaled, color=COUPLING_COLOURS[coupling], label=f"$a$ = {coupling}")
    axes.set(xlabel="Input before the end (ms)", ylabel="Gradient (scaled)", xlim=(-150, 0))
    axes.legend(loc="upper left")
    return axes


def spectra(axes: Axes, table: pd.DataFrame) -> Axes:
    """Size of the gradient against the frequency of the input."""
    for column in table.columns[1:]:
        axes.semilogy(table["frequency"], table[column], color=COUPLING_COLOURS[column.removeprefix("a_")])
    axes.set(xlabel="Frequency of the input (Hz)", ylabel="Gradient", xlim=(0, 150))
    return axes


def learning_curves(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Validation accuracy on the electrocardiograms against the epoch, mean and range over seeds."""
    for (layers, cell, epochs, schedule), own in rows.groupby(["layers", "cell", "epochs", "schedule"]):
        curves = np.array([json.loads(text) for text in own["curve"]])
        x = np.arange(1, curves.shape[1] + 1)
        colour = COLOURS[cell] if layers == 1 else TWO_LAYERS[cell]
        label = f"{cell}, {layers:.0f} layer{'s' if layers > 1 else ''}, {epochs:.0f} epochs, {schedule}"
        axes.plot(x, curves.mean(axis=0), "-" if schedule == "constant" else "--", color=colour, linewidth=0.7, label=label)
        if len(curves) > 1:
            axes.fill_between(x, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.15, linewidth=0)
    axes.set(xlabel="Epoch", ylabel="Validation accuracy, ECG", ylim=(0.0, 0.92), xlim=(0, None))
    axes.legend(loc="lower right", fontsize=6)
    return axes


def test_accuracies(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Test accuracy on the electrocardiograms of every seed, with the published means."""
    groups = list(rows.groupby(["layers", "epochs", "schedule"]))
    for place, (_, group) in enumerate(groups):
        for cell, shift in {"SE": -0.2, "EF": 0.0, "LIF": 0.2}.items():
            scores = group.loc[group["cell"] == cell, "test_score"]
            axes.plot(place + shift + np.zeros(len(scores)), scores, "o", markersize=2.5, color=COLOURS[cell], alpha=0.8)
    for cell, (mean, spread) in PUBLISHED.items():
        axes.axhspan(mean - spread, mean + spread, color=COLOURS[cell], alpha=0.15, linewidth=0)
        axes.axhline(mean, color=COLOURS[cell], linewidth=0.6, linestyle=":")
    names = [f"{layers:.0f} layer{'s' if layers > 1 else ''}\n{epochs:.0f}, {schedule}" for (layers, epochs, schedule), _ in groups]
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="Test accuracy, ECG", xlim=(-0.5, len(names) - 0.5))
    axes.annotate("published", (len(names) - 0.52, PUBLISHED["SE"][0] + 0.006), ha="right", va="bottom", fontsize=6)
    return axes


def burst_errors(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Test error against the number of classes."""
    for cell, own in rows.groupby("cell"):
        errors = 1 - own.groupby("classes")["test_score"].agg(["mean"])["mean"]
        spread = own.groupby("classes")["test_score"].std()
        axes.errorbar(errors.index, errors, spread, marker="o", markersize=3, capsize=2, color=COLOURS[cell], label=NAMES[cell])
    axes.set(xlabel="Classes", ylabel="Test error, burst sequences", ylim=(0, None), xticks=sorted(rows["classes"].unique()))
    axes.legend(loc="upper left")
    return axes


def spring_errors(axes: Axes, rows: pd.DataFrame) -> Axes:
    """Mean squared error of the free-running half over its course."""
    for (cell, recurrent), own in rows.groupby(["cell", "recurrent"]):
        courses = np.array([json.loads(text) for text in own["course"]])
        time = 25 * (np.arange(courses.shape[1]) + 0.5)
        label = f"{cell}, {'recurrent' if recurrent else 'not recurrent'}"
        line = "-" if recurrent else "--"
        axes.plot(time, courses.mean(axis=0), line, marker="o", markersize=2, color=COLOURS[cell], label=label)
    axes.axhline(rows["zero_predictor"].mean(), color="0.5", linewidth=0.6, linestyle=":")
    axes.set(xlabel="Time since the input ended (ms)", ylabel="Squared error, springs", yscale="log", ylim=(2e-3, 1))
    axes.annotate("dotted: prediction of zero", (245, 0.68), ha="right", va="bottom", fontsize=6)
    axes.legend(loc="lower right", ncols=2)
    return axes


def disturbed(axes: Axes, rows: pd.DataFrame, kind: str) -> Axes:
    """Accuracy on the electrocardiograms under a shift of the mean or added events."""
    columns = [name for name in rows.columns if name.startswith(f"{kind}_")]
    if kind == "events":
        columns = ["shift_0", *columns]
    levels = [0.0 if name == "shift_0" else float(name.split("_")[1]) for name in columns]
    for cell, own in rows.groupby("cell"):
        axes.errorbar(
            levels,
            own[columns].mean(),
            own[columns].std(),
            marker="o",
            markersize=2.5,
            capsize=1.5,
            color=COLOURS[cell],
            label=cell,
        )
    axes.axhline(MAJORITY, color="0.6", linewidth=0.6, linestyle=":")
    axes.text(0.55, MAJORITY - 0.01, "most frequent label", transform=axes.get_yaxis_transform(), va="top", fontsize=6)
    label = "Shift of the input (means)" if kind == "shift" else "Share of added events"
    axes.set(xlabel=label, ylabel="Test accuracy, ECG", ylim=(0.0, 0.92))
    return axes


def distribution(axes: Axes, table: pd.DataFrame, column: str, label: str, edges: np.ndarray) -> Axes:
    """Histogram of a statistic over the neurons of each cell."""
    for cell, own in table.groupby("cell"):
        axes.hist(
            np.clip(own[column].dropna(), edges[0], edges[-1]), edges, histtype="step", color=COLOURS[cell], label=NAMES[cell]
        )
    axes.set(xlabel=label, ylabel="Neurons")
    return axes


def resonance_map(axes: Axes, table: pd.DataFrame, untrained: pd.DataFrame, raphe: pd.DataFrame) -> Axes:
    """How much larger than to constant input the response is at its best frequency."""
    groups = [(untrained, ".", 1.5, "0.75", "SE, untrained")]
    groups += [(table[table["cell"] == cell], ".", 2.5, COLOURS[cell], f"{cell}, trained") for cell in ("SE", "EF")]
    if len(raphe):
        groups.append((raphe[raphe["coupling"]], "*", 5, "0.0", "raphe, fitted"))
    for own, marker, size, colour, label in groups:
        x = own["resonance_frequency"].clip(LOWEST)
        axes.loglog(x, own["resonance_ratio"], marker, markersize=size, color=colour, label=label)
    axes.set(xlabel=f"Best frequency (Hz; 0 drawn at {LOWEST})", ylabel="Best over constant response")
    axes.legend(loc="upper left")
    return axes


def draw(tables: Path, output: Path) -> list[Path]:
    """All figures whose tables are there."""
    paths: list[Path] = []
    with house_style():
        if (tables / "stability.csv").exists():
            paths += _stability(tables, output)
        if (tables / "spring_mass.parquet").exists():
            paths += _training(tables, output)
        if (tables / "neurons.csv").exists():
            paths += _neurons(tables, output)
    return paths


def _stability(tables: Path, output: Path) -> list[Path]:
    figure, axes = plt.subplot_mosaic(
        [["a", "a", "b", "b", "c", "c"], ["d", "d", "d", "e", "e", "e"]], figsize=(TWO_COLUMNS, 4.0), layout="constrained"
    )
    example = pd.read_csv(tables / "stability_example.csv")
    decay(axes["a"], example)
    frequency(axes["b"], example)
    random_neurons(axes["c"], pd.read_csv(tables / "stability_draws.csv"))
    gradients(axes["d"], pd.read_csv(tables / "wavelets.csv"))
    spectra(axes["e"], pd.read_csv(tables / "wavelet_spectra.csv"))
    return _saved(figure, axes, output / "adaptive_lif_stability.pdf")


def _training(tables: Path, output: Path) -> list[Path]:
    figure, axes = plt.subplot_mosaic(
        [["a", "a", "a", "b", "b", "b"], ["c", "c", "c", "d", "d", "d"], ["e", "e", "e", "f", "f", "f"]],
        figsize=(TWO_COLUMNS, 6.4), layout="constrained",
    )  # fmt: skip
    ecg, bursts, springs, robust = (
        study_table(tables / f"{name}.parquet") for name in ("ecg", "burst_sequences", "spring_mass", "robustness")
    )
    learning_curves(axes["a"], ecg)
    test_accuracies(axes["b"], ecg)
    burst_errors(axes["c"], _shortest(bursts))
    spring_errors(axes["d"], _shortest(springs))
    if len(robust):
        own = _shortest(robust[robust["task"] == "ecg"])
        disturbed(axes["e"], own, "shift")
        disturbed(axes["f"], own, "events")
    return _saved(figure, axes, output / "adaptive_lif_training.pdf")


def _neurons(tables: Path, output: Path) -> list[Path]:
    """Spikes of the trained neurons and their resonance; the latter alone while claims about their spikes are withdrawn."""
    table, start, raphe = (
        pd.read_csv(tables / "neurons.csv"), pd.read_csv(tables / "untrained.csv"), study_table(tables / "raphe.parquet"),
    )  # fmt: skip
    if (tables / WITHDRAWN).exists():
        figure, axes = plt.subplots(figsize=(0.6 * TWO_COLUMNS, 2.4), layout="constrained")
        resonance_map(axes, table, start, raphe)
        return save_figure(figure, output / "adaptive_lif_neurons.pdf")
    figure, axes = plt.subplot_mosaic([["a", "b", "c"], ["d", "e", "e"]], figsize=(TWO_COLUMNS, 4.0), layout="constrained")
    distribution(axes["a"], table, "cv", "CV of intervals", np.linspace(0, 9, 37))
    distribution(axes["b"], table, "lv", "Local variation", np.linspace(0, 1.5, 31)).legend(loc="upper right")
    distribution(axes["c"], table, "serial_correlation", "Serial correlation of intervals", np.linspace(-0.2, 0.5, 29))
    distribution(axes["d"], table, "lz_ratio", "Complexity over rate-matched surrogates", np.linspace(0, 1.1, 45))
    resonance_map(axes["e"], table, start, raphe)
    return _saved(figure, axes, output / "adaptive_lif_neurons.pdf")


def _shortest(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of the protocol with the fewest epochs, which every table has."""
    return rows[rows["epochs"] == rows["epochs"].min()]


def _saved(figure: plt.Figure, axes: dict[str, Axes], path: Path) -> list[Path]:
    for letter, own in axes.items():
        label_panel(own, letter)
    return save_figure(figure, path)
