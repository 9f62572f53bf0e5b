"""Draws the figures of the gallery in the style of the library."""

from __future__ import annotations

import matplotlib.pyplot as plt

from neurocode.plotting import house_style


def reset(gallery_conf: dict, name: str) -> None:
    """Start every example from the house style; the gallery calls this before each example."""
    plt.rcdefaults()
    with house_style():
        style = plt.rcParams.copy()
    plt.rcParams.update({**style, "savefig.dpi": 150})
