"""Figures: panels that take axes and return them, and pages made of panels. Nothing is computed
here.

Contents
--------
fit_figure
    The page of a fit.
describe_figure, compare_figure
    The page that describes many units, and the one that compares a model with a recording.
spikes
    Panels of spikes, rates and goodness of fit.
house_style, save_figure, label_panel
    The style, and PDF with PNG.
"""

from neurocode.plotting import spikes
from neurocode.plotting.compare_figure import compare_figure
from neurocode.plotting.describe_figure import describe_figure
from neurocode.plotting.fit_figure import fit_figure
from neurocode.style import house_style, label_panel, save_figure

__all__ = [
    "compare_figure",
    "describe_figure",
    "fit_figure",
    "house_style",
    "label_panel",
    "save_figure",
    "spikes",
]
