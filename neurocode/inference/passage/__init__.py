"""Spike times alone: densities of interspike intervals of neurons driven by white noise, and fits by them.

Contents
--------
fit_spike_times, SpikeTimesResult
    Maximum likelihood of spike times under a diffusion to threshold.
interval_distribution, log_density_function
    Density and distribution function of an interval, by time and as a differentiable function of the parameters.
Intervals
    Interspike intervals as data, with their checks.
"""

from neurocode.inference.passage.density import interval_distribution, log_density_function
from neurocode.inference.passage.fit import fit_spike_times
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.result import SpikeTimesResult

__all__ = ["Intervals", "SpikeTimesResult", "fit_spike_times", "interval_distribution", "log_density_function"]
