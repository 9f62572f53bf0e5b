"""Figures: panels that take axes and return them, and pages made of panels. Nothing is computed here.

Contents
--------
fit_figure
    The page of a fit.
spikes
    Panels of spikes, rates and goodness of fit.
house_style, save_figure, label_panel
    The style, and PDF with PNG.
"""

from neurocode.plotting import spikes
from neurocode.plotting.fit_figure import fit_figure
from neurocode.plotting.style import house_style, label_panel, save_figure

__all__ = ["fit_figure", "house_style", "label_panel", "save_figure", "spikes"]
