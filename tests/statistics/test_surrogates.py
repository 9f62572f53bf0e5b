"""Nulls: what surrogates keep, uniform p-values, and complexity freed from rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from neurocode.errors import DataError
from neurocode.statistics.complexity import normalised_lz76
from neurocode.statistics.surrogates import _random_subset, false_discovery_rate, permutation_test, surrogate_complexity


def bernoulli_events(p, length, seed):
    return np.flatnonzero(np.random.default_rng(seed).random(length) < p)


def markov_events(stay, length, seed):
    """Two-state chain with as many ones as zeros on average."""
    return np.flatnonzero(np.cumsum(np.random.default_rng(seed).random(length) >= stay) % 2)


def test_permutation_p_values_are_uniform_under_the_null():
    """Kolmogorov-Smirnov at 0.1 % over 300 comparisons of equal groups."""
    random = np.random.default_rng(1)
    p = [
        permutation_test(*random.standard_normal((2, 12)), lambda a, b: a.mean() - b.mean(), n_permutations=199, seed=k)[1]
        for k in range(300)
    ]
    assert kstest(np.array(p) - random.uniform(0, 1 / 200, 300), "uniform").pvalue > 1e-3


def test_rate_normalisation_removes_the_rate():
    """Plain c log2(n)/n follows the rate of Bernoulli trains (correlation above 0.95); over surrogates it does not.

    Bound on the latter: 4/sqrt(100), four standard errors of no correlation.
    """
    rates = np.linspace(0.01, 0.3, 100)
    events = [bernoulli_events(p, 4000, k) for k, p in enumerate(rates)]
    plain = [normalised_lz76(np.bincount(e, minlength=4000)) for e in events]
    ratio = surrogate_complexity(events, [4000] * 100, n_surrogates=99).ratio
    assert np.corrcoef(rates, plain)[0, 1] > 0.95
    assert abs(np.corrcoef(rates, ratio)[0, 1]) < 0.4 and abs(ratio.mean() - 1) < 0.02


def test_markov_trains_are_told_from_bernoulli_trains_of_their_rate():
    events = [markov_events(0.7, 4000, k) for k in range(20)] + [bernoulli_events(0.5, 4000, k) for k in range(20)]
    result = surrogate_complexity(events, [4000] * 40, n_surrogates=99)
    assert result.ratio[:20].max() < result.ratio[20:].min()
    assert np.all(result.p[:20] <= 0.02) and np.mean(result.p[20:] < 0.05) <= 0.25


def test_interval_shuffling_keeps_what_a_renewal_process_has():
    """A gamma renewal train differs from rate-matched surrogates and not from shuffled intervals."""
    random = np.random.default_rng(2)
    events = [np.unique(np.cumsum(random.gamma(9, 1.0, 400)).astype(int)) for _ in range(20)]
    lengths = [e[-1] + 1 for e in events]
    by_rate, by_intervals = (surrogate_complexity(events, lengths, method=m, n_surrogates=99) for m in ("rate", "isi"))
    assert np.all(by_rate.z < -5) and abs(by_intervals.z.mean()) < 4 / np.sqrt(20)


@pytest.mark.parametrize(("length", "size"), [(50, 3), (50, 47), (50, 25), (10_000, 5)])
def test_random_subsets_are_uniform(length, size):
    """Every member equally often, within five standard deviations in 4000 draws."""
    n_draws = 4000
    counts = np.zeros(length)
    for _ in range(n_draws):
        drawn = _random_subset(length, size)
        assert len(np.unique(drawn)) == size and np.all(np.diff(drawn) > 0)
        counts[drawn] += 1
    share = size / length
    groups = counts.reshape(min(length, 50), -1).sum(axis=1)
    mean = n_draws * share * length / len(groups)
    assert np.all(np.abs(groups - mean) < 5 * np.sqrt(mean) + 1)


def test_results_do_not_depend_on_other_units():
    events = [bernoulli_events(0.1, 1000, k) for k in range(3)]
    both = surrogate_complexity(events, [1000] * 3, n_surrogates=19, seed=4)
    again = surrogate_complexity(events, [1000] * 3, n_surrogates=19, seed=4)
    np.testing.assert_array_equal(both.z, again.z)


def test_adjusted_p_values():
    np.testing.assert_allclose(false_discovery_rate([0.01, 0.02, np.nan, 0.5]), [0.03, 0.03, np.nan, 0.5])


def test_bad_requests_are_named():
    with pytest.raises(DataError, match="no surrogate"):
        surrogate_complexity([np.array([1, 2])], [10], method="jitter")
    with pytest.raises(DataError, match="at least 19"):
        surrogate_complexity([np.array([1, 2])], [10], n_surrogates=3)
    assert np.isnan(surrogate_complexity([np.array([1])], [10]).p[0])
