"""What spike trains say.

Contents
--------
describe, compare
    One table of many units; a model's responses against recorded ones. (``neurocode.describe``, ``neurocode.compare``.)
variability
    Intervals, counts over repeats and windows, drift.
complexity, population_complexity, entropy
    Lempel-Ziv words, of one or many units, and entropy rates.
coding, information, time_rescaling
    Responses to repeated stimuli, information, goodness of fit of a point process.
distance, spike_distances
    Likeness of groups of repeats, and distances between pairs of trains.
surrogates
    Nulls: surrogates, permutation tests, many units at once.
"""

from neurocode.statistics import complexity, entropy, information, population_complexity, spike_distances, surrogates, variability
from neurocode.statistics.coding import psth, psth_correlation
from neurocode.statistics.distance import MdStar, coincidence_factor, md_star, md_star_ceiling, reliability
from neurocode.statistics.time_rescaling import TimeRescaling, rescaled_intervals, time_rescaling

__all__ = [
    "MdStar",
    "TimeRescaling",
    "coincidence_factor",
    "complexity",
    "entropy",
    "information",
    "md_star",
    "md_star_ceiling",
    "population_complexity",
    "psth",
    "psth_correlation",
    "reliability",
    "rescaled_intervals",
    "spike_distances",
    "surrogates",
    "time_rescaling",
    "variability",
]
