"""Panels that the figures of several studies share: values of single seeds, and paired differences
with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from analyses.protocol import Pairs, is_trained
from neurocode.studies import mean_interval
from neurocode.style import note_above

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
    """Draw every seed of every arm in percent, with the mean of the trained networks, for each
    group.

    Arms stand side by side. Networks that did not train are drawn as crosses and do not enter the
    mean.
    """
    step = 0.8 / len(style)
    for number, (arm, (label, colour)) in enumerate(style.items()):
        for place, group in enumerate(groups):
            rows = table[(table[column] == arm) & (table[by] == group)]
            trained = is_trained(rows)
            x = place + step * (number - (len(style) - 1) / 2)
            axes.plot(
                np.full(trained.sum(), x),
                100 * rows.loc[trained, values],
                "o",
                markersize=1.5,
                color=colour,
                alpha=0.5,
            )
            axes.plot(
                np.full((~trained).sum(), x),
                100 * rows.loc[~trained, values],
                "x",
                markersize=2,
                color=colour,
            )
            if trained.any():
                mean = 100 * rows.loc[trained, values].mean()
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
    """Draw the mean paired difference and its 95 % interval for every arm at each label."""
    step = 0.8 / max(len(pairs), 2)
    for number, (arm, entries) in enumerate(pairs.items()):
        label, colour = style[arm]
        for place, difference in enumerate(entries):
            if len(difference.values) < 2:
                continue
            x = place + step * (number - (len(pairs) - 1) / 2)
            axes.plot([x] * 2, scale * np.array(mean_interval(difference.values)), color=colour)
            axes.plot(
                x, scale * difference.values.mean(), "o", markersize=2.5, color=colour, label=label
            )
            label = None
    axes.axhline(0, color="0.6", linewidth=0.6)
    axes.set_xticks(range(len(labels)), labels)
    return axes


def margin(axes: Axes, size: float) -> Axes:
    """Shade the band of differences that are too small to matter."""
    axes.axhspan(-size, size, color="0.92", zorder=0)
    return axes


def counted(axes: Axes, table: pd.DataFrame) -> Axes:
    """Write how many seeds a panel shows, and how many networks did not train."""
    n, lost = table["seed"].nunique(), int((~is_trained(table)).sum())
    text = f"n = {n} seeds" + (f", {lost} not trained" if lost else "")
    return note_above(axes, text)
