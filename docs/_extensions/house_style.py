"""Draws the figures of the gallery in the style of the library."""

from __future__ import annotations

from importlib.resources import as_file, files

import matplotlib.pyplot as plt


def reset(gallery_conf: dict, name: str) -> None:
    """Start every example from the house style; the gallery calls this before each."""
    plt.rcdefaults()
    with as_file(files("neurocode").joinpath("neurocode.mplstyle")) as path:
        plt.style.use(path)
    plt.rcParams["savefig.dpi"] = 150
