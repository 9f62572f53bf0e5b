"""Entropy rates and information against sources and channels that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from neurocode.errors import DataError
from neurocode.statistics.entropy import context_tree_entropy_rate, lempel_ziv_entropy_rate, word_entropy_rate
from neurocode.statistics.information import information_per_spike, mutual_information

ESTIMATORS = [lempel_ziv_entropy_rate, context_tree_entropy_rate, word_entropy_rate]


def entropy(p):
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def markov(stay, size, seed):
    flips = np.random.default_rng(seed).random(size) >= stay
    return np.cumsum(flips) % 2


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("p", [0.05, 0.2, 0.5])
def test_bernoulli(estimator, p):
    """Within 0.02 bits at 50 000 symbols: four standard deviations of the source's own fluctuation and the estimators' bias."""
    bits = (np.random.default_rng(1).random(50_000) < p).astype(int)
    assert estimator(bits) == pytest.approx(entropy(p), abs=0.02)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("stay", [0.7, 0.9])
def test_markov(estimator, stay):
    """Equal numbers of both symbols, so only their order tells; stated bias of 0.02 bits."""
    assert estimator(markov(stay, 50_000, 2)) == pytest.approx(entropy(stay), abs=0.02)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gamma_renewal(estimator):
    """Binned intervals of whole bins: the rate is the entropy of an interval over its mean, within 0.02 bits."""
    shape = 4
    interval = lambda random, n: np.ceil(random.gamma(shape, 2.0, n)).astype(int)  # noqa: E731
    counts = np.bincount(interval(np.random.default_rng(4), 2_000_000))
    p = counts[counts > 0] / counts.sum()
    truth = -np.sum(p * np.log2(p)) / (np.arange(len(counts)) @ counts / counts.sum())
    bits = np.zeros(60_000, int)
    times = np.cumsum(interval(np.random.default_rng(3), 10_000))
    bits[times[times < bits.size]] = 1
    options = {"longest": 16} if estimator is word_entropy_rate else {"depth": 24} if estimator is context_tree_entropy_rate else {}
    assert estimator(bits, **options) == pytest.approx(truth, abs=0.03)


def test_context_trees_reach_the_rate_of_a_markov_source_sooner_than_words():
    truth, bits = entropy(0.9), [markov(0.9, 2000, seed) for seed in range(20)]
    errors = {f: np.mean([abs(f(x) - truth) for x in bits]) for f in (context_tree_entropy_rate, word_entropy_rate)}
    assert errors[context_tree_entropy_rate] < 0.05


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_short_and_constant_sequences(estimator):
    assert np.isnan(estimator([1])) or estimator([1]) == 0
    assert estimator(np.zeros(1000, int)) == pytest.approx(0, abs=0.02)


def channel_information(rates):
    p = poisson.pmf(np.arange(80), np.array(rates)[:, None])
    return float(np.sum(p / len(rates) * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, p.mean(axis=0), 1))))


@pytest.mark.parametrize(("correction", "bound"), [("panzeri-treves", 0.06), ("quadratic", 0.06)])
def test_information_of_a_poisson_channel(correction, bound):
    """Twenty trials of three stimuli: corrected estimates within the bound, the plain one 0.2 bits high."""
    random, rates = np.random.default_rng(5), (2.0, 5.0, 9.0)
    data = [[random.poisson(rate, 20) for rate in rates] for _ in range(100)]
    truth = channel_information(rates)
    assert np.mean([mutual_information(x, correction="none") for x in data]) > truth + 0.15
    assert np.mean([mutual_information(x, correction=correction, n_shuffles=8) for x in data]) == pytest.approx(truth, abs=bound)


@pytest.mark.parametrize("correction", ["panzeri-treves", "quadratic", "shuffle"])
def test_no_information_where_there_is_none(correction):
    random = np.random.default_rng(6)
    values = [
        mutual_information([random.poisson(4, 30) for _ in range(4)], correction=correction, n_shuffles=8) for _ in range(100)
    ]
    assert np.mean(values) == pytest.approx(0.0, abs=0.05)


def test_information_per_spike_of_a_step():
    """A rate that is on for a tenth of the time tells log2(10) bits a spike."""
    assert information_per_spike(np.repeat([1.0, 0.0], [10, 90])) == pytest.approx(np.log2(10))
    assert np.isnan(information_per_spike(np.zeros(5)))


def test_bad_responses_are_named():
    with pytest.raises(DataError, match="no correction"):
        mutual_information([[1], [2]], correction="magic")
    with pytest.raises(DataError, match="whole numbers"):
        mutual_information([np.array([0.5]), np.array([1.5])])
    assert np.isnan(mutual_information([np.array([1, 2])]))
