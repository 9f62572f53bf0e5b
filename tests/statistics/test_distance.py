"""Similarity of spike trains: brute force, invariants, and known values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocode.errors import DataError
from neurocode.statistics import (
    coincidence_factor,
    md_star,
    md_star_ceiling,
    psth,
    psth_correlation,
    reliability,
)
from neurocode.statistics.distance import count_coincidences, pair_products

times = st.lists(st.integers(0, 2000), max_size=30, unique=True).map(
    lambda x: np.sort(np.array(x, float)) * 1e-3
)


@settings(deadline=None)
@given(st.lists(times, min_size=1, max_size=4), st.lists(times, min_size=1, max_size=4))
def test_products_equal_brute_force(first, second):
    brute = [
        [np.sum(np.abs(a[:, None] - b[None, :]) <= 4e-3 * (1 + 1e-9)) for b in second]
        for a in first
    ]
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
    return [
        np.flatnonzero(random.uniform(size=len(rates)) < rates * bin_size) * bin_size
        for _ in range(n)
    ]


def test_md_star_is_one_for_repeats_of_one_density_and_its_interval_covers_one():
    rates = 20 * (1 + np.sin(np.arange(20_000) / 50))
    score = md_star(poisson_repeats(rates, 10, 1), poisson_repeats(rates, 200, 2), 8e-3)
    assert score.value == pytest.approx(1.0, abs=0.03) and score.interval[0] < 1 < score.interval[1]


def test_md_star_of_unrelated_densities_follows_from_the_rates():
    """Independent homogeneous Poisson processes of rates r and 2 r: Md* = 2 * 2 / (1 + 4)."""
    n = 40_000
    score = md_star(
        poisson_repeats(np.full(n, 20.0), 10, 3), poisson_repeats(np.full(n, 40.0), 100, 4), 4e-3
    )
    assert score.value == pytest.approx(0.8, abs=0.02)


def test_scores_of_a_single_repeat_are_undefined_with_a_reason():
    score = md_star([np.array([0.1])], [np.array([0.1])] * 3, 4e-3)
    assert np.isnan(score.value) and "1 recorded repeat" in score.reason
    assert np.isnan(reliability([np.array([0.1])], 4e-3)) and np.isnan(
        md_star_ceiling([np.array([0.1])] * 3, 4e-3)[0]
    )
    assert "no spikes" in md_star([np.empty(0)] * 2, [np.array([0.1])] * 2, 4e-3).reason


def test_coincidence_factor_is_zero_by_chance_and_one_for_identity():
    """Mean over 400 independent Poisson pairs; bound of four standard errors (false alarm 6e-5)."""
    trains = poisson_repeats(np.full(10_000, 10.0), 800, 5)
    values = np.array(
        [
            coincidence_factor(a, b, 2e-3, 10.0)
            for a, b in zip(trains[:400], trains[400:], strict=True)
        ]
    )
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


#: Five recorded and five predicted spikes of three and two repeats, in steps of 10 ms; pairs 10 ms
#: apart lie in the window.
RECORDED = [np.array([0.1, 0.2]), np.array([0.11, 0.3]), np.array([0.2])]
PREDICTED = [np.array([0.1, 0.31]), np.array([0.19, 0.3, 0.5])]
WINDOW = 0.0101


def test_products_by_hand():
    """Pairs at most 10 ms apart: 0.1 with 0.11, 0.2 with 0.19, 0.3 with 0.31 and 0.3."""
    np.testing.assert_array_equal(
        pair_products(RECORDED, RECORDED, WINDOW), [[2, 1, 1], [1, 2, 0], [1, 0, 1]]
    )
    np.testing.assert_array_equal(
        pair_products(RECORDED, PREDICTED, WINDOW), [[1, 1], [2, 1], [0, 1]]
    )
    np.testing.assert_array_equal(
        pair_products([[0.1]], [[0.14], [0.06], [0.1401], []], 0.04), [[1, 1, 0, 0]]
    )


def test_scores_of_repeats_by_hand():
    """<d, m> = 6/6, <d, d> = 4/6 over distinct pairs, <m, m> = 1 (0.31 with 0.3); a repeat with
    itself has 5/3 on average."""
    score = md_star(RECORDED, PREDICTED, WINDOW, n_bootstrap=50, seed=2)
    assert score.value == pytest.approx(2 / (2 / 3 + 1)) and score.reason == ""
    assert reliability(RECORDED, WINDOW) == pytest.approx((2 / 3) / (5 / 3))
    within, across = np.array([[2, 1, 1], [1, 2, 0], [1, 0, 1]]), np.array([1.0, 1.5, 0.5])
    random, values = np.random.default_rng(2), []
    for _ in range(50):
        chosen = random.integers(3, size=3)
        pairs = [within[a, b] for a in chosen for b in chosen if a != b]
        if pairs:
            values.append(2 * across[chosen].mean() / (np.mean(pairs) + 1))
    assert len(values) < 50 and score.interval == pytest.approx(
        tuple(np.percentile(values, [2.5, 97.5]))
    )


def test_ceiling_by_hand():
    """Four repeats with a spike, of which one has a second: each product of halves and pairs worked
    out, split by split."""
    recorded = [[0.1], [0.1], [0.1, 0.2], [0.2]]
    products = np.array([[1, 1, 1, 0], [1, 1, 1, 0], [1, 1, 2, 1], [0, 0, 1, 1]])
    random, values = np.random.default_rng(4), []
    for _ in range(7):
        a, b, c, d = random.permutation(4)
        across = (products[a, c] + products[a, d] + products[b, c] + products[b, d]) / 4
        values.append(2 * across / (products[a, b] + products[c, d]))
    assert md_star_ceiling(recorded, 0.001, n_splits=7, seed=4) == pytest.approx(
        (np.mean(values), np.std(values))
    )
    assert np.isfinite(values).all() and np.std(values) > 0
    five, random, values = np.ones((5, 5)) + np.diag([0, 0, 0, 0, 1]), np.random.default_rng(0), []
    for _ in range(200):
        order = random.permutation(5)
        values.append(2 * five[np.ix_(order[:2], order[2:])].mean() / 2)
    assert (
        md_star_ceiling([[0.1]] * 4 + [[0.1, 0.2]], 0.001)
        == (np.mean(values), np.std(values))
        == (1.0, 0.0)
    )
    assert md_star_ceiling([*recorded, [0.1]], 0.001)[1] > 0


def test_coincidence_factor_by_hand():
    """One coincidence of three and two spikes: (1 - 0.04 * 3) / 2.5 / 0.96."""
    value = coincidence_factor([0.1, 0.3, 0.5], [0.105, 0.9], 0.01, 1.0)
    assert value == pytest.approx(0.88 / 2.5 / 0.96)
    assert coincidence_factor([0.1], [], 0.01, 1.0) == 0.0
    assert coincidence_factor([0.1], [0.5], 0.01, 1.0) == pytest.approx(-0.02 / 0.98)
    assert np.isnan(coincidence_factor([0.1], [0.5], 0.5, 1.0)) and np.isnan(
        coincidence_factor([0.1], [0.2, 0.5], 0.3, 1.0)
    )
    assert count_coincidences([0.1, 0.2], [0.101, 0.104, 0.196], 0.004) == 2
    assert (
        count_coincidences([0.1], [0.104], 0.004) == 1
        and count_coincidences([0.104], [0.1], 0.004) == 1
    )


def test_trains_beyond_the_duration_are_named():
    with pytest.raises(DataError, match="spikes last 400 s, longer than the duration of 1 s"):
        coincidence_factor([0.1], [100.0, 500.0], 0.01, 1.0)
    with pytest.raises(DataError, match="spikes last 2 s"):
        coincidence_factor([1.0, 3.0], [0.1], 0.01, 1.0)
    assert coincidence_factor([4.0, 5.0], [4.0, 5.0], 0.01, 1.0) == 1.0


@pytest.mark.parametrize(
    ("recorded", "predicted", "reason"),
    [
        ([[0.1]], [[0.1]] * 2, "1 recorded repeat: pairs of distinct repeats are needed"),
        ([[0.1]] * 2, [[0.1]], "1 predicted repeat"),
        ([[0.1], []], [[], []], "the predicted repeats hold no spikes"),
        ([[], []], [[0.1]] * 2, "the recorded repeats hold no spikes"),
    ],
)
def test_why_a_similarity_is_not_defined(recorded, predicted, reason):
    score = md_star(recorded, predicted, 0.004)
    assert np.isnan([score.value, *score.interval]).all() and score.reason.startswith(reason)


def test_where_reliability_and_ceiling_are_not_defined():
    assert np.isnan(md_star_ceiling([[], [], [], []], 0.004)).all() and np.isnan(
        reliability([[], []], 0.004)
    )
    assert (
        md_star([[0.1], [0.5]], [[0.1], [0.5]], 0.004).value
        != md_star([[0.1], [0.1]], [[0.1], [0.1]], 0.004).value
    )
    assert np.isnan(md_star([[0.1], [0.5]], [[0.2], [0.7]], 0.004).value)


def test_interval_of_a_similarity_by_its_bootstrap():
    """Seven repeats of 30 spikes: the 2.5 and 97.5 % points of the seeded resamples, and no
    others."""
    random = np.random.default_rng(5)
    recorded, predicted = ([np.sort(random.uniform(0, 1, 30)) for _ in range(n)] for n in (7, 5))
    within, across = (
        pair_products(recorded, recorded, 0.01),
        pair_products(recorded, predicted, 0.01).mean(axis=1),
    )
    model = pair_products(predicted, predicted, 0.01)[~np.eye(5, dtype=bool)].mean()
    draws, values = np.random.default_rng(6), []
    for _ in range(200):
        chosen = draws.integers(7, size=7)
        distinct = [within[a, b] for a in chosen for b in chosen if a != b]
        values.append(2 * across[chosen].mean() / (np.mean(distinct) + model))
    score = md_star(recorded, predicted, 0.01, n_bootstrap=200, seed=6)
    assert score.interval == pytest.approx(tuple(np.percentile(values, [2.5, 97.5])))
    assert score.value == pytest.approx(
        2 * across.mean() / (within[~np.eye(7, dtype=bool)].mean() + model)
    )
    assert np.percentile(values, [1.5, 96.5]) != pytest.approx(score.interval, abs=1e-6)
