"""Masked entries are not data: every function that takes arrays refuses them instead of counting
them."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError
from neurocode.statistics import (
    coding,
    complexity,
    entropy,
    information,
    population_complexity,
    surrogates,
    variability,
)
from neurocode.statistics.online_complexity import OnlineLZ76
from neurocode.statistics.time_rescaling import rescaled_intervals

TIMES = np.ma.array([0.1, 0.2, 0.4, 0.8], mask=[False, False, True, False])
BITS = np.ma.array([0, 1, 1, 0], mask=[False, True, False, False])
COUNTS = np.ma.array([2, 4, 6, 999], mask=[False, False, False, True])
RATES = np.ma.array([[0.2, 0.4, 0.1]], mask=[[False, True, False]])

CALLS = {
    "describe": lambda: nc.describe([TIMES]),
    "compare": lambda: nc.compare([TIMES.data], [TIMES]),
    "psth": lambda: coding.psth([TIMES], 1.0),
    "window_counts": lambda: variability.window_counts([TIMES], 0.0, 1.0, 0.5),
    "fit_spike_times": lambda: nc.fit_spike_times(nc.models.lif_diffusive(), TIMES),
    "fit": lambda: nc.fit(nc.models.lif_diffusive(), TIMES),
    "experiment": lambda: nc.Experiment(TIMES),
    "simulate": lambda: nc.simulate(
        nc.models.lif(), np.ma.array(np.zeros(4), mask=BITS.mask), dt=1e-3
    ),
    "fano_factor": lambda: variability.fano_factor(COUNTS),
    "normalised_correlation": lambda: coding.normalised_correlation(RATES[0], np.ones((2, 3))),
    "spike_triggered_average": lambda: coding.spike_triggered_average(
        np.array([0.2]), RATES[0], 0.1, before=0.1
    ),
    "lz76": lambda: complexity.lz76(BITS),
    "lz76_of_events": lambda: complexity.lz76_of_events(COUNTS, 1000),
    "online": lambda: OnlineLZ76(2).extend(BITS),
    "population": lambda: population_complexity.population_lz76(BITS[None]),
    "entropy": lambda: entropy.plug_in_entropy(COUNTS),
    "mutual_information": lambda: information.mutual_information([COUNTS, COUNTS.data]),
    "skaggs": lambda: information.information_per_spike(RATES[0]),
    "corrected": lambda: surrogates.false_discovery_rate(RATES[0]),
    "time_rescaling": lambda: rescaled_intervals(
        RATES[0], np.zeros(3, bool), np.random.default_rng(0)
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_masked_entries_are_refused(call):
    with pytest.raises(DataError, match="1 entries are masked, expected none"):
        CALLS[call]()


def test_an_array_whose_mask_hides_nothing_is_an_array():
    assert variability.fano_factor(np.ma.array([2, 4, 6])) == 1.0
