"""Statistics of spike trains.

Contents
--------
describe, compare
    A table of many units; a model's responses compared with recorded ones. (``neurocode.describe``,
    ``neurocode.compare``.)
variability
    Intervals, counts over repeats and windows, drift.
complexity, population_complexity, entropy
    Lempel-Ziv words, of one or many units, and entropy rates.
OnlineLZ76, ComplexityClassifier, ThresholdClassifier, raster_complexities
    Complexity of running trains, and trains classified by it.
coding, information, time_rescaling
    Responses to repeated stimuli, information, goodness of fit of a point process.
distance, spike_distances
    Similarity of groups of repeats, and distances between pairs of trains.
surrogates, locked_surrogates, quadratic_forms
    Null hypotheses: surrogates, permutation tests, correction for many units; surrogates that keep
    the PSTH; tails of weighted sums of chi-square variables.
time_resolution, correlograms, unit_panels, stimuli
    The step of spike times, auto- and cross-correlograms with their band, and what the panels of a
    unit and the table of stimuli hold.
unit_statistics, distributions
    Statistics of ``describe``, including your own (``UnitStatistic``, ``Column``), and the data of
    its figure.

All their public functions can be imported from here as well; ``describe`` and ``compare`` are
modules here and functions of ``neurocode``.
"""

from neurocode.statistics import (
    complexity,
    entropy,
    information,
    population_complexity,
    spike_distances,
    surrogates,
    variability,
)
from neurocode.statistics.coding import (
    decode_stimulus,
    explained_variance,
    normalised_correlation,
    psth,
    psth_band,
    psth_correlation,
    signal_and_noise_correlation,
    spike_triggered_average,
)
from neurocode.statistics.compare import Curves, Statistic, Unit, curves
from neurocode.statistics.complexity import (
    lz76,
    lz76_of_events,
    lz78,
    normalised_lz76,
    occupied_bins,
    symbols_of,
)
from neurocode.statistics.complexity_classifier import (
    ComplexityClassifier,
    ThresholdClassifier,
    best_threshold,
    raster_complexities,
)
from neurocode.statistics.correlograms import (
    Correlogram,
    autocorrelogram,
    cross_correlogram,
    lag_counts,
)
from neurocode.statistics.describe import columns_of
from neurocode.statistics.distance import (
    MdStar,
    coincidence_factor,
    count_coincidences,
    md_star,
    md_star_ceiling,
    pair_products,
    reliability,
)
from neurocode.statistics.distributions import complexity_by_bin, count_moments, interval_histogram
from neurocode.statistics.entropy import (
    context_tree_entropy_rate,
    lempel_ziv_entropy_rate,
    miller_madow_entropy,
    plug_in_entropy,
    word_entropy_rate,
)
from neurocode.statistics.information import information_per_spike, mutual_information
from neurocode.statistics.locked_surrogates import (
    locked_complexity,
    locked_statistic,
    low_complexity,
)
from neurocode.statistics.online_complexity import OnlineLZ76
from neurocode.statistics.population_complexity import population_lz76, sliding_lz76
from neurocode.statistics.population_scores import (
    PopulationScores,
    RepeatStatistics,
    counts_of_repeats,
    fano_of_repeats,
    noise_covariances,
    repeat_statistics,
    score_errors,
    score_halves,
    score_repeats,
    smoothed_psth,
)
from neurocode.statistics.quadratic_forms import chi_square_sum_tail
from neurocode.statistics.spike_distances import (
    mean_distance,
    spike_distance,
    van_rossum_distance,
    victor_purpura_distance,
)
from neurocode.statistics.stimuli import (
    stimulus_table,
)
from neurocode.statistics.surrogates import (
    SurrogateComplexity,
    compare_with_surrogates,
    false_discovery_rate,
    permutation_test,
    require_surrogates,
    surrogate_complexity,
)
from neurocode.statistics.time_rescaling import (
    TimeRescaling,
    rescaled_intervals,
    time_rescaling,
    uniform_test,
)
from neurocode.statistics.time_resolution import (
    grid_width,
    time_resolution,
)
from neurocode.statistics.unit_panels import (
    IntervalHistogram,
    Raster,
    RateOverTime,
    UnitPanels,
    best_width,
    bin_counts,
    correlogram_bin,
    correlogram_reach,
    rate_over_time,
    unit_panels,
)
from neurocode.statistics.unit_statistics import (
    Column,
    UnitStatistic,
    binned_events,
    columns_against,
    complexity_bins,
    complexity_statistic,
    durations,
    spike_counts,
    values_against,
)
from neurocode.statistics.variability import (
    allan_factor,
    drift_test,
    fano_column,
    fano_factor,
    fano_factors,
    fano_time_curve,
    interval_statistics,
    interval_table,
    mean_matched_fano_factor,
    serial_correlations,
    sliding_fano_factor,
    window_counts,
)

__all__ = [
    "Column",
    "ComplexityClassifier",
    "Correlogram",
    "Curves",
    "IntervalHistogram",
    "MdStar",
    "OnlineLZ76",
    "PopulationScores",
    "Raster",
    "RateOverTime",
    "RepeatStatistics",
    "Statistic",
    "SurrogateComplexity",
    "ThresholdClassifier",
    "TimeRescaling",
    "Unit",
    "UnitPanels",
    "UnitStatistic",
    "allan_factor",
    "autocorrelogram",
    "best_threshold",
    "best_width",
    "bin_counts",
    "binned_events",
    "chi_square_sum_tail",
    "coincidence_factor",
    "columns_against",
    "columns_of",
    "compare_with_surrogates",
    "complexity",
    "complexity_bins",
    "complexity_by_bin",
    "complexity_statistic",
    "context_tree_entropy_rate",
    "correlogram_bin",
    "correlogram_reach",
    "count_coincidences",
    "count_moments",
    "counts_of_repeats",
    "cross_correlogram",
    "curves",
    "decode_stimulus",
    "drift_test",
    "durations",
    "entropy",
    "explained_variance",
    "false_discovery_rate",
    "fano_column",
    "fano_factor",
    "fano_factors",
    "fano_of_repeats",
    "fano_time_curve",
    "grid_width",
    "information",
    "information_per_spike",
    "interval_histogram",
    "interval_statistics",
    "interval_table",
    "lag_counts",
    "lempel_ziv_entropy_rate",
    "locked_complexity",
    "locked_statistic",
    "low_complexity",
    "lz76",
    "lz76_of_events",
    "lz78",
    "md_star",
    "md_star_ceiling",
    "mean_distance",
    "mean_matched_fano_factor",
    "miller_madow_entropy",
    "mutual_information",
    "noise_covariances",
    "normalised_correlation",
    "normalised_lz76",
    "occupied_bins",
    "pair_products",
    "permutation_test",
    "plug_in_entropy",
    "population_complexity",
    "population_lz76",
    "psth",
    "psth_band",
    "psth_correlation",
    "raster_complexities",
    "rate_over_time",
    "reliability",
    "repeat_statistics",
    "require_surrogates",
    "rescaled_intervals",
    "score_errors",
    "score_halves",
    "score_repeats",
    "serial_correlations",
    "signal_and_noise_correlation",
    "sliding_fano_factor",
    "sliding_lz76",
    "smoothed_psth",
    "spike_counts",
    "spike_distance",
    "spike_distances",
    "spike_triggered_average",
    "stimulus_table",
    "surrogate_complexity",
    "surrogates",
    "symbols_of",
    "time_rescaling",
    "time_resolution",
    "uniform_test",
    "unit_panels",
    "values_against",
    "van_rossum_distance",
    "variability",
    "victor_purpura_distance",
    "window_counts",
    "word_entropy_rate",
]
