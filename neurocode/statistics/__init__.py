"""What spike trains say.

Contents
--------
md_star, md_star_ceiling, reliability, coincidence_factor
    Likeness of groups of repeats.
psth, psth_correlation
    Responses to a repeated stimulus.
time_rescaling
    Goodness of fit of a point process.
"""

from neurocode.statistics.coding import psth, psth_correlation
from neurocode.statistics.distance import MdStar, coincidence_factor, md_star, md_star_ceiling, reliability
from neurocode.statistics.time_rescaling import TimeRescaling, rescaled_intervals, time_rescaling

__all__ = [
    "MdStar",
    "TimeRescaling",
    "coincidence_factor",
    "md_star",
    "md_star_ceiling",
    "psth",
    "psth_correlation",
    "reliability",
    "rescaled_intervals",
    "time_rescaling",
]
