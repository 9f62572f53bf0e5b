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
    step, labelled = 0.8 / len(style), set()
    for place, group in enumerate(groups):
        of_group = table[table[by] == group]
        arms = [arm for arm in style if (of_group[column] == arm).any()]
        for arm, x in zip(arms, _beside(place, len(arms), step), strict=True):
            rows, (label, colour) = of_group[of_group[column] == arm], style[arm]
            trained = is_trained(rows)
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
                    label=None if arm in labelled else label,
                )
                labelled.add(arm)
    return _named_places(axes, list(groups.values()))


def differences(
    axes: Axes,
    pairs: Mapping[str, Sequence[Pairs]],
    style: Style,
    labels: Sequence[str],
    scale: float = 100.0,
) -> Axes:
    """Draw the mean paired difference and its 95 % interval for every arm at each label."""
    step, labelled = 0.8 / max(len(pairs), 2), set()
    for place in range(len(labels)):
        arms = [arm for arm, entries in pairs.items() if len(entries[place].values) >= 2]
        for arm, x in zip(arms, _beside(place, len(arms), step), strict=True):
            values, (label, colour) = pairs[arm][place].values, style[arm]
            axes.plot([x] * 2, scale * np.array(mean_interval(values)), color=colour)
            axes.plot(
                x,
                scale * values.mean(),
                "o",
                markersize=2.5,
                color=colour,
                label=None if arm in labelled else label,
            )
            labelled.add(arm)
    axes.axhline(0, color="0.6", linewidth=0.6)
    return _named_places(axes, labels)


def _beside(place: int, count: int, step: float) -> np.ndarray:
    """Return positions of some arms around a place."""
    return place + step * (np.arange(count) - (count - 1) / 2)


def _named_places(axes: Axes, labels: Sequence[str]) -> Axes:
    axes.set_xticks(range(len(labels)), labels)
    axes.set_xlim(-0.55, len(labels) - 0.45)
    return axes


def margin(axes: Axes, size: float) -> Axes:
    """Shade and name the band of differences that are too small to matter."""
    axes.axhspan(-size, size, color="0.92", zorder=0)
    axes.annotate(
        "margin",
        (0.0, -size),
        xytext=(2, 2),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="bottom",
        color="0.45",
        fontsize=6,
    )
    return axes


def counted(axes: Axes, table: pd.DataFrame) -> Axes:
    """Write how many seeds a panel shows, and how many networks did not train."""
    n, lost = table["seed"].nunique(), int((~is_trained(table)).sum())
    text = f"n = {n} seeds" + (f", {lost} not trained" if lost else "")
    return note_above(axes, text)
