"""Learning curves of a network and the activity of its layers."""

from __future__ import annotations

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neurocode.style import PREDICTED, RECORDED, TWO_COLUMNS, house_style, label_panel

LAYERS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7")


def training_figure(history: pd.DataFrame, best_epoch: int, score: str) -> Figure:
    """Draw the figure of a training.

    Parameters
    ----------
    history : pandas.DataFrame
        History of a :class:`neurocode.learning.TrainingResult`.
    best_epoch : int
        Epoch that a line marks.
    score : str
        Name of the score.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        figure, axes = plt.subplots(1, 3, figsize=(TWO_COLUMNS, 2.0), layout="constrained")
        curves(axes[0], history, "loss", "Loss")
        curves(axes[1], history, "score", score)
        axes[1].axvline(best_epoch, color="0.6", linewidth=0.6, linestyle="--")
        activity(axes[2], history)
        for letter, panel in zip("abc", axes, strict=True):
            label_panel(panel, letter)
    return figure


def curves(axes: Axes, history: pd.DataFrame, column: str, label: str) -> Axes:
    """Plot a quantity of training and validation by epoch."""
    axes.plot(history["epoch"], history[column], color=PREDICTED, label="training")
    axes.plot(history["epoch"], history[f"validation_{column}"], color=RECORDED, label="validation")
    axes.set(xlabel="Epoch", ylabel=label)
    axes.legend(frameon=False)
    return axes


def activity(axes: Axes, history: pd.DataFrame) -> Axes:
    """Spikes per neuron and step of each layer by epoch."""
    names = [column for column in history if column.startswith("rate_")]
    for number, name in enumerate(names):
        axes.plot(
            history["epoch"],
            history[name],
            color=LAYERS[number % len(LAYERS)],
            label=f"layer {number + 1}",
        )
    axes.set(xlabel="Epoch", ylabel="Spikes per neuron and step", ylim=(0, None))
    axes.legend(frameon=False)
    return axes
