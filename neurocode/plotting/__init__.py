"""Figures: panels that take axes and return them, and pages made of panels. Nothing is computed
here.

Contents
--------
fit_figure
    The page of a fit.
describe_figure, compare_figure
    The page that describes many units, and the one that compares a model with a recording.
unit_figure, correlogram_figure
    The panels of one unit, and the cross-correlogram of two.
spikes
    Panels of spikes, rates and goodness of fit.
house_style, save_figure, label_panel
    The style, and PDF with PNG.
"""

from neurocode.plotting import spikes
from neurocode.plotting.compare_figure import compare_figure
from neurocode.plotting.correlogram_figure import correlogram_figure
from neurocode.plotting.describe_figure import describe_figure
from neurocode.plotting.fit_figure import fit_figure
from neurocode.plotting.unit_figure import unit_figure
from neurocode.style import house_style, label_panel, save_figure

__all__ = [
    "compare_figure",
    "correlogram_figure",
    "describe_figure",
    "fit_figure",
    "house_style",
    "label_panel",
    "save_figure",
    "spikes",
    "unit_figure",
]
