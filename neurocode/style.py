"""Journal sizes, the house style, and saving a figure as PDF and PNG."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Widths of one and two columns in inches (89 and 183 mm).
ONE_COLUMN = 89 / 25.4
TWO_COLUMNS = 183 / 25.4

RECORDED, PREDICTED = "#000000", "#D55E00"


@contextmanager
def house_style() -> Iterator[None]:
    """Apply the house style inside this context and restore Matplotlib's settings afterwards."""
    with (
        as_file(files("neurocode").joinpath("neurocode.mplstyle")) as path,
        plt.style.context(str(path)),
    ):
        yield


def label_panel(axes: Axes, letter: str) -> Axes:
    """Bold lower-case letter at the upper left of a panel."""
    axes.annotate(
        letter,
        (0, 1),
        (-28, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=8,
        fontweight="bold",
    )
    return axes


def note_above(axes: Axes, text: str) -> Axes:
    """Small grey text at the upper right above a panel, such as how much data it shows."""
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


def save_figure(figure: Figure, path: str | Path) -> list[Path]:
    """Write a figure as PDF with a PNG beside it, and close it.

    Returns
    -------
    list of pathlib.Path
    """
    stem = Path(path).with_suffix("")
    paths = [stem.with_suffix(suffix) for suffix in (".pdf", ".png")]
    for target in paths:
        figure.savefig(target)
        figure.set_layout_engine("none")  # both files have the layout that was found for the first
    plt.close(figure)
    return paths
