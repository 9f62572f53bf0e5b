"""Defaults of functions, and constants that are part of a definition, are as documented."""

from __future__ import annotations

import inspect

import pytest

from neurocode.statistics import (
    coding,
    compare,
    complexity,
    complexity_classifier,
    describe,
    distance,
    entropy,
    information,
    lempel_ziv,
    online_complexity,
    population_complexity,
    spike_distances,
    surrogates,
    variability,
)
from neurocode.statistics.time_rescaling import KS_95, TimeRescaling, time_rescaling

DEFAULTS = {
    coding.explained_variance: {"sigma": 10e-3},
    coding.psth: {"bin_size": 1e-3, "sigma": 10e-3},
    coding.psth_correlation: {"sigma": 10e-3},
    coding.psth_band: {
        "bin_size": 1e-3,
        "sigma": 10e-3,
        "level": 0.95,
        "n_bootstrap": 200,
        "seed": 0,
    },
    coding.spike_triggered_average: {"after": 0.0},
    coding.decode_stimulus: {"n_permutations": 199, "seed": 0},
    compare.compare: {"statistics": None, "n_splits": 20, "seed": 0},
    compare.curves: {"unit": 0},
    complexity.lz76: {"count_unfinished": True},
    complexity.lz76_of_events: {"symbols": None, "count_unfinished": True},
    complexity.lz78: {"count_unfinished": True},
    complexity.normalised_lz76: {"alphabet_size": 2},
    complexity_classifier.raster_complexities: {"n_surrogates": 0, "seed": 0},
    complexity_classifier.ComplexityClassifier: {"n_surrogates": 0, "seed": 0},
    describe.describe: {"bin_size": None, "n_surrogates": 200, "seed": 0, "statistics": None},
    distance.md_star: {"n_bootstrap": 1000, "seed": 0},
    distance.md_star_ceiling: {"n_splits": 200, "seed": 0},
    entropy.lempel_ziv_entropy_rate: {"n_surrogates": 50, "seed": 0},
    entropy.context_tree_entropy_rate: {"depth": 12},
    entropy.word_entropy_rate: {"longest": 12},
    information.mutual_information: {"correction": "panzeri-treves", "n_shuffles": 50, "seed": 0},
    online_complexity.OnlineLZ76: {"alphabet_size": 2},
    population_complexity.population_lz76: {"form": "joint"},
    population_complexity.sliding_lz76: {"step": None},
    spike_distances.victor_purpura_distance: {"cost": 100.0},
    spike_distances.van_rossum_distance: {"time_constant": 10e-3},
    surrogates.surrogate_complexity: {"method": "rate", "n_surrogates": 200, "seed": 0},
    surrogates.permutation_test: {"n_permutations": 999, "seed": 0},
    time_rescaling: {"seed": 0},
    variability.mean_matched_fano_factor: {"n_draws": 50, "seed": 0},
    variability.serial_correlations: {"lags": 5},
    variability.window_counts: {"step": None},
}


@pytest.mark.parametrize("function", DEFAULTS)
def test_defaults_are_those_documented(function):
    parameters = inspect.signature(function).parameters.values()
    assert {
        p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty
    } == DEFAULTS[function]


def test_constants_of_definitions():
    """LvR takes 5 ms (Shinomoto 2009); a burst is below 6 ms; 1.358 is the 95 % point of
    Kolmogorov's distribution."""
    assert (variability.REFRACTORINESS, variability.BURST, variability.MOST_WINDOWS) == (
        5e-3,
        6e-3,
        50_000_000,
    )
    assert KS_95 == 1.358 and entropy.SAMPLES_PER_WORD == 8 and complexity.LARGEST_DENSE == 32
    assert (compare.COUNT_WINDOW, compare.LARGEST_LAG, compare.LAG_BIN, compare.COMPLEXITY_BIN) == (
        0.1,
        0.1,
        2e-3,
        5e-3,
    )
    assert (
        compare.MOST_REPEATS == 20
        and compare.SAME_DURATION == 1e-6
        and online_complexity.ROOM == 1024
    )
    assert (
        lempel_ziv.BUDGET,
        lempel_ziv.DENSE_BITS,
        lempel_ziv.BITS_PER_LEVEL,
        lempel_ziv.MOST_LEVELS,
    ) == (64, 0.62, 4.0, 8)


def test_containers_of_results_and_options():
    assert distance.MdStar(1.0, (0.0, 1.0)).reason == "" and compare.Unit([], 1.0).stated
    statistic = compare.Statistic(max, "nothing")
    assert statistic.value is None and statistic.unit == ""
    for container in (
        distance.MdStar(1.0, (0.0, 1.0)),
        statistic,
        compare.Unit([], 1.0),
        compare.Curves((), (), (), ()),
        surrogates.SurrogateComplexity(0, 0, 0, 0),
        TimeRescaling(0, 0, True, []),
    ):
        with pytest.raises(AttributeError):
            container.value = 2
