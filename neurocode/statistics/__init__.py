"""What spike trains say.

Contents
--------
describe, compare
    One table of many units; a model's responses against recorded ones. (``neurocode.describe``, ``neurocode.compare``.)
variability
    Intervals, counts over repeats and windows, drift.
complexity, population_complexity, entropy
    Lempel-Ziv words, of one or many units, and entropy rates.
OnlineLZ76, ComplexityClassifier, ThresholdClassifier, raster_complexities
    Complexity of running trains, and trains classified by it.
coding, information, time_rescaling
    Responses to repeated stimuli, information, goodness of fit of a point process.
distance, spike_distances
    Likeness of groups of repeats, and distances between pairs of trains.
surrogates
    Nulls: surrogates, permutation tests, many units at once.
"""

from neurocode.statistics import complexity, entropy, information, population_complexity, spike_distances, surrogates, variability
from neurocode.statistics.coding import explained_variance, psth, psth_correlation
from neurocode.statistics.complexity_classifier import ComplexityClassifier, ThresholdClassifier, raster_complexities
from neurocode.statistics.distance import MdStar, coincidence_factor, md_star, md_star_ceiling, reliability
from neurocode.statistics.online_complexity import OnlineLZ76
from neurocode.statistics.time_rescaling import TimeRescaling, rescaled_intervals, time_rescaling

__all__ = [
    "ComplexityClassifier",
    "MdStar",
    "OnlineLZ76",
    "ThresholdClassifier",
    "TimeRescaling",
    "coincidence_factor",
    "complexity",
    "entropy",
    "explained_variance",
    "information",
    "md_star",
    "md_star_ceiling",
    "population_complexity",
    "psth",
    "psth_correlation",
    "raster_complexities",
    "reliability",
    "rescaled_intervals",
    "spike_distances",
    "surrogates",
    "time_rescaling",
    "variability",
]
