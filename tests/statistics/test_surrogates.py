"""Null distributions: what surrogates keep, uniform p-values, and complexity without the effect of
the rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from neurocode.errors import DataError
from neurocode.statistics.complexity import normalised_lz76
from neurocode.statistics.surrogates import (
    _random_subset,
    _surrogate_counts,
    compare_with_surrogates,
    false_discovery_rate,
    permutation_test,
    surrogate_complexity,
)


def bernoulli_events(p, length, seed):
    return np.flatnonzero(np.random.default_rng(seed).random(length) < p)


def markov_events(stay, length, seed):
    """Return events of a two-state chain with as many ones as zeros on average."""
    return np.flatnonzero(np.cumsum(np.random.default_rng(seed).random(length) >= stay) % 2)


def test_permutation_p_values_are_uniform_under_the_null():
    """Kolmogorov-Smirnov at 0.1 % over 300 comparisons of equal groups."""
    random = np.random.default_rng(1)
    p = [
        permutation_test(
            *random.standard_normal((2, 12)),
            lambda a, b: a.mean() - b.mean(),
            n_permutations=199,
            seed=k,
        )[1]
        for k in range(300)
    ]
    assert kstest(np.array(p) - random.uniform(0, 1 / 200, 300), "uniform").pvalue > 1e-3


def test_rate_normalisation_removes_the_rate():
    """Plain c log2(n)/n follows the rate of Bernoulli trains (correlation above 0.95); over
    surrogates it does not.

    Bound on the latter: 4/sqrt(100), four standard errors of no correlation.
    """
    rates = np.linspace(0.01, 0.3, 100)
    events = [bernoulli_events(p, 4000, k) for k, p in enumerate(rates)]
    plain = [normalised_lz76(np.bincount(e, minlength=4000)) for e in events]
    ratio = surrogate_complexity(events, [4000] * 100, n_surrogates=99).ratio
    assert np.corrcoef(rates, plain)[0, 1] > 0.95
    assert abs(np.corrcoef(rates, ratio)[0, 1]) < 0.4 and abs(ratio.mean() - 1) < 0.02


def test_markov_trains_are_told_from_bernoulli_trains_of_their_rate():
    events = [markov_events(0.7, 4000, k) for k in range(20)] + [
        bernoulli_events(0.5, 4000, k) for k in range(20)
    ]
    result = surrogate_complexity(events, [4000] * 40, n_surrogates=99)
    assert result.ratio[:20].max() < result.ratio[20:].min()
    assert np.all(result.p[:20] <= 0.02) and np.mean(result.p[20:] < 0.05) <= 0.25


def test_interval_shuffling_keeps_what_a_renewal_process_has():
    """A gamma renewal train differs from rate-matched surrogates and not from shuffled
    intervals."""
    random = np.random.default_rng(2)
    events = [np.unique(np.cumsum(random.gamma(9, 1.0, 400)).astype(int)) for _ in range(20)]
    lengths = [e[-1] + 1 for e in events]
    by_rate, by_intervals = (
        surrogate_complexity(events, lengths, method=m, n_surrogates=99) for m in ("rate", "isi")
    )
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
    """The same unit in the same place, beside others that have more spikes or are fewer; another
    seed draws other surrogates."""
    events = [bernoulli_events(0.1, 1000, k) for k in range(4)]
    options = {"n_surrogates": 99, "seed": 4}
    for method in ("rate", "isi"):
        all_of_them = surrogate_complexity(events, [1000] * 4, method=method, **options)
        others = [bernoulli_events(0.3, 700, 9), events[1], bernoulli_events(0.05, 300, 8)]
        beside_others = surrogate_complexity(others, [700, 1000, 300], method=method, **options)
        for name in ("count", "ratio", "z", "p"):
            assert getattr(all_of_them, name)[1] == getattr(beside_others, name)[1]
        assert all_of_them.ratio[0] != beside_others.ratio[0]
        assert (
            surrogate_complexity(events, [1000] * 4, method=method, n_surrogates=99, seed=5).ratio[
                1
            ]
            != all_of_them.ratio[1]
        )
    twins = surrogate_complexity([events[0], events[0]], [1000, 1000], **options)
    assert twins.ratio[0] != twins.ratio[1]


def test_adjusted_p_values():
    np.testing.assert_allclose(
        false_discovery_rate([0.01, 0.02, np.nan, 0.5]), [0.03, 0.03, np.nan, 0.5]
    )


def test_bad_requests_are_named():
    with pytest.raises(DataError, match="not a kind of surrogate"):
        surrogate_complexity([np.array([1, 2])], [10], method="jitter")
    with pytest.raises(DataError, match="at least 19"):
        surrogate_complexity([np.array([1, 2])], [10], n_surrogates=3)
    assert np.isnan(surrogate_complexity([np.array([1])], [10]).p[0])


def test_comparison_with_surrogates_by_hand():
    """Nineteen counts 5 to 23: a count of 4 is below all, 5 ties with the lowest, 14 is in the
    middle, 23 ties with the highest."""
    table = np.tile(np.arange(5.0, 24.0), (5, 1))
    result = compare_with_surrogates(np.array([4.0, 5.0, 14.0, 23.0, 24.0]), table)
    np.testing.assert_allclose(result.p, [2 / 20, 4 / 20, 1.0, 4 / 20, 2 / 20])
    np.testing.assert_allclose(result.ratio, np.array([4, 5, 14, 23, 24]) / 14)
    np.testing.assert_allclose(
        result.z, (np.array([4, 5, 14, 23, 24]) - 14) / np.sqrt(19 * 20 / 12)
    )
    alike = compare_with_surrogates(np.array([7.0, 7.0]), np.array([[7.0] * 19, [np.nan] * 19]))
    assert (
        alike.ratio[0] == 1
        and alike.p[0] == 1
        and np.isnan(alike.z).all()
        and np.isnan(alike.p[1])
        and np.isnan(alike.ratio[1])
    )


@pytest.mark.parametrize("method", ["rate", "isi"])
def test_p_values_of_surrogates_are_calibrated_under_their_null(method):
    """Bernoulli trains, whose intervals are a renewal process too, against both surrogates: 400
    trains of 300 bins.

    Ranks among the surrogates, ties broken at random, are uniform (Kolmogorov-Smirnov, false alarm
    0.1 %). At most 5 and 20 % of the p-values are below 0.05 and 0.2 but for three standard errors
    (false alarm 0.2 %); for ties of whole counts they are fewer.
    """
    random = np.random.default_rng(12)
    events = [np.flatnonzero(random.random(300) < 0.2) for _ in range(400)]
    result = surrogate_complexity(events, [300] * 400, method=method, n_surrogates=79, seed=3)
    seeds = np.random.SeedSequence(3).generate_state(400, np.uint32)
    table = np.stack(
        [
            _surrogate_counts(e, 300, method == "isi", 79, s)
            for e, s in zip(events, seeds, strict=True)
        ]
    )
    below, ties = (
        np.sum(table < result.count[:, None], axis=1),
        np.sum(table == result.count[:, None], axis=1),
    )
    assert kstest((below + random.random(400) * (ties + 1)) / 80, "uniform").pvalue > 1e-3
    np.testing.assert_allclose(result.ratio, result.count / table.mean(axis=1))
    for level in (0.05, 0.2):
        assert (
            0.25 * level
            < np.mean(result.p <= level)
            < level + 3 * np.sqrt(level * (1 - level) / 400)
        )


def test_surrogates_that_can_only_be_the_train_itself():
    """Equal intervals in any order, and bins that are all occupied: the first spike stays where it
    was, the count is the same."""
    regular = np.arange(7, 100, 10)
    result = surrogate_complexity(
        [regular, np.arange(30)], [100, 30], method="isi", n_surrogates=19
    )
    assert (
        result.ratio.tolist() == [1, 1] and result.p.tolist() == [1, 1] and np.isnan(result.z).all()
    )
    full = surrogate_complexity([np.arange(30)], [30], method="rate", n_surrogates=19)
    assert full.ratio[0] == 1 and full.count[0] == 2


def test_few_events_have_no_surrogates():
    """0 · 001 · 0000 · 00, 0 · 001 · 000100 and 0 · 000000000."""
    result = surrogate_complexity(
        [np.array([3]), np.array([3, 7]), np.array([], int)], [10, 10, 10], n_surrogates=19
    )
    assert np.isnan(result.ratio).tolist() == [True, False, True] and result.count.tolist() == [
        4,
        3,
        2,
    ]


@pytest.mark.parametrize("method", ["rate", "isi"])
def test_surrogates_keep_what_they_say(method):
    events = bernoulli_events(0.1, 400, 3)
    counts = _surrogate_counts(events, 400, method == "isi", 25, 7)
    assert len(counts) == 25 and len(set(counts.tolist())) > 3
    np.testing.assert_array_equal(counts, _surrogate_counts(events, 400, method == "isi", 25, 7))


def test_permutation_test_by_hand():
    """Each permutation of the pooled values in turn, with the observed arrangement counted as one
    of them."""
    a, b = np.array([1.0, 2.0, 6.0]), np.array([3.0, 7.0])
    difference = lambda x, y: x.mean() - y.mean()  # noqa: E731
    value, p = permutation_test(a, b, difference, n_permutations=50, seed=3)
    random, extreme = np.random.default_rng(3), 1
    for _ in range(50):
        pooled = np.array([1, 2, 6, 3, 7.0])[random.permutation(5)]
        extreme += abs(pooled[:3].mean() - pooled[3:].mean()) >= 2 - 1e-9
    assert value == -2 and p == extreme / 51 and extreme > 2
    assert permutation_test(np.ones(3), np.ones(3), difference, n_permutations=9)[1] == 1.0


def test_false_discovery_by_hand():
    """0.04 of rank 3 in four becomes 0.04 * 4 / 3, which the higher 0.05 of rank 4 (0.05)
    undercuts."""
    np.testing.assert_allclose(
        false_discovery_rate([0.05, 0.01, 0.04, 0.02]), [0.05, 0.04, 0.05, 0.04]
    )
    assert np.isnan(false_discovery_rate([np.nan, np.nan])).all() and false_discovery_rate(
        [0.0, 1.0]
    ).tolist() == [0, 1]
    for wrong in ([0.5, 1.1], [-0.1, 0.5]):
        with pytest.raises(DataError, match="between 0 and 1"):
            false_discovery_rate(wrong)


def test_units_and_lengths_that_do_not_fit_are_named():
    with pytest.raises(DataError, match="2 units and 1 lengths"):
        surrogate_complexity([np.array([1, 2])] * 2, [10])
    with pytest.raises(DataError, match="18 surrogates"):
        surrogate_complexity([np.array([1, 2])], [10], n_surrogates=18)
    with pytest.raises(DataError, match="must increase inside"):
        surrogate_complexity([np.array([1, 12])], [10], n_surrogates=19)
