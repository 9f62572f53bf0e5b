"""Similarity of spike trains: brute force, invariants, and known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocode.statistics import coincidence_factor, md_star, md_star_ceiling, psth, psth_correlation, reliability
from neurocode.statistics.distance import count_coincidences, pair_products

times = st.lists(st.integers(0, 2000), max_size=30, unique=True).map(lambda x: np.sort(np.array(x, float)) * 1e-3)


@settings(deadline=None)
@given(st.lists(times, min_size=1, max_size=4), st.lists(times, min_size=1, max_size=4))
def test_products_equal_brute_force(first, second):
    brute = [[np.sum(np.abs(a[:, None] - b[None, :]) <= 4e-3 * (1 + 1e-9)) for b in second] for a in first]
    np.testing.assert_array_equal(pair_products(first, second, 4e-3), brute)


@given(times, times)
def test_coincidences_are_one_to_one_and_symmetric(a, b):
    count = count_coincidences(a, b, 4e-3)
    assert count == count_coincidences(b, a, 4e-3) <= min(len(a), len(b))
    assert count_coincidences(a, a, 4e-3) == len(a)


def test_a_doublet_is_counted_once():
    assert count_coincidences(np.array([0.100, 0.101]), np.array([0.1005]), 2e-3) == 1


def poisson_repeats(rates, n, seed, bin_size=1e-3):
    random = np.random.default_rng(seed)
    return [np.flatnonzero(random.uniform(size=len(rates)) < rates * bin_size) * bin_size for _ in range(n)]


def test_md_star_is_one_for_repeats_of_one_density_and_its_interval_covers_one():
    rates = 20 * (1 + np.sin(np.arange(20_000) / 50))
    score = md_star(poisson_repeats(rates, 10, 1), poisson_repeats(rates, 200, 2), 8e-3)
    assert score.value == pytest.approx(1.0, abs=0.03) and score.interval[0] < 1 < score.interval[1]


def test_md_star_of_unrelated_densities_follows_from_the_rates():
    """Independent homogeneous Poisson processes of rates r and 2 r: Md* = 2 * 2 / (1 + 4)."""
    n = 40_000
    score = md_star(poisson_repeats(np.full(n, 20.0), 10, 3), poisson_repeats(np.full(n, 40.0), 100, 4), 4e-3)
    assert score.value == pytest.approx(0.8, abs=0.02)


def test_scores_of_a_single_repeat_are_undefined_with_a_reason():
    score = md_star([np.array([0.1])], [np.array([0.1])] * 3, 4e-3)
    assert np.isnan(score.value) and "1 recorded repeat" in score.reason
    assert np.isnan(reliability([np.array([0.1])], 4e-3)) and np.isnan(md_star_ceiling([np.array([0.1])] * 3, 4e-3)[0])
    assert "no spikes" in md_star([np.empty(0)] * 2, [np.array([0.1])] * 2, 4e-3).reason


def test_coincidence_factor_is_zero_by_chance_and_one_for_identity():
    """Mean over 400 independent Poisson pairs; bound of four standard errors (false alarm 6e-5)."""
    trains = poisson_repeats(np.full(10_000, 10.0), 800, 5)
    values = np.array([coincidence_factor(a, b, 2e-3, 10.0) for a, b in zip(trains[:400], trains[400:], strict=True)])
    assert abs(values.mean()) < 4 * values.std() / 20 + 0.005
    assert coincidence_factor(trains[0], trains[0], 2e-3, 10.0) == pytest.approx(1.0)
    assert np.isnan(coincidence_factor(np.empty(0), np.empty(0), 2e-3, 10.0))


def test_psth_integrates_to_the_spike_count_and_correlates_with_itself():
    trains = poisson_repeats(20 * (1 + np.sin(np.arange(5000) / 50)), 20, 6)
    inner = [train[(train > 0.2) & (train < 4.8)] for train in trains]
    _, rate = psth(inner, 5.0)
    assert rate.sum() * 1e-3 * 20 == pytest.approx(sum(map(len, inner)), rel=1e-9)
    assert psth_correlation(trains, trains, 5.0) == pytest.approx(1.0)
    assert np.isnan(psth_correlation(trains, [np.empty(0)], 5.0))
