"""Panels that the figures of several studies share: single seeds, and paired differences with their
intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.protocol import Pairs, is_trained
from neurocode.studies import mean_interval

DATASETS = {"digits": "Digits", "mnist10k": "MNIST", "braille": "Braille"}
#: Label and colour of an arm, from a palette that colour-blind readers tell apart (Okabe & Ito
#: 2008).
Style = Mapping[str, tuple[str, str]]


def seeds(
    axes: Axes,
    table: pd.DataFrame,
    column: str,
    values: str,
    style: Style,
    groups: Mapping[str, str],
    by: str = "dataset",
) -> Axes:
    """In percent, every seed of every arm side by side, and their mean, for each group; networks
    that did not train as crosses."""
    step = 0.8 / len(style)
    for number, (arm, (label, colour)) in enumerate(style.items()):
        for place, group in enumerate(groups):
            own = table[(table[column] == arm) & (table[by] == group)]
            trained = is_trained(own)
            x = place + step * (number - (len(style) - 1) / 2)
            axes.plot(
                np.full(trained.sum(), x),
                100 * own.loc[trained, values],
                "o",
                markersize=1.5,
                color=colour,
                alpha=0.5,
            )
            axes.plot(
                np.full((~trained).sum(), x),
                100 * own.loc[~trained, values],
                "x",
                markersize=2,
                color=colour,
            )
            if trained.any():
                mean = 100 * own.loc[trained, values].mean()
                axes.plot(
                    [x - 0.4 * step, x + 0.4 * step],
                    [mean] * 2,
                    color=colour,
                    label=None if place else label,
                )
    axes.set_xticks(range(len(groups)), list(groups.values()))
    return axes


def differences(
    axes: Axes,
    pairs: Mapping[str, Sequence[Pairs]],
    style: Style,
    labels: Sequence[str],
    scale: float = 100.0,
) -> Axes:
    """Mean paired difference and 95 % interval of every arm at each of some places."""
    step = 0.8 / max(len(pairs), 2)
    for number, (arm, entries) in enumerate(pairs.items()):
        label, colour = style[arm]
        for place, own in enumerate(entries):
            if len(own.values) < 2:
                continue
            x = place + step * (number - (len(pairs) - 1) / 2)
            axes.plot([x] * 2, scale * np.array(mean_interval(own.values)), color=colour)
            axes.plot(x, scale * own.values.mean(), "o", markersize=2.5, color=colour, label=label)
            label = None
    axes.axhline(0, color="0.6", linewidth=0.6, linestyle=":")
    axes.set_xticks(range(len(labels)), labels)
    return axes


def margin(axes: Axes, size: float) -> Axes:
    """The band of differences that do not matter."""
    axes.axhspan(-size, size, color="0.92", zorder=0)
    return axes


def counted(axes: Axes, table: pd.DataFrame) -> Axes:
    """How many seeds a panel shows, and how many networks did not train."""
    n, lost = table["seed"].nunique(), int((~is_trained(table)).sum())
    text = f"n = {n} seeds" + (f", {lost} not trained" if lost else "")
    axes.annotate(
        text,
        (1, 1),
        (0, 2),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        fontsize=6,
        color="0.3",
    )
    return axes
