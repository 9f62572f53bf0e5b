"""Densities and likelihoods of the interspike intervals of neurons driven by white noise, for spike
times alone.

Contents
--------
PassageLikelihood
    The likelihood of spike times under a diffusion to threshold, with its gradient.
interval_distribution, log_density_function
    Density and distribution function of an interval, and its log density as a differentiable
    function of the parameters.
Intervals
    Interspike intervals as checked data.
"""

from neurocode.inference.passage.density import interval_distribution, log_density_function
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.likelihood import PassageLikelihood

__all__ = ["Intervals", "PassageLikelihood", "interval_distribution", "log_density_function"]
