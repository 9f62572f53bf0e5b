"""Entropy rates and information against sources and channels that are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import erfinv
from scipy.stats import poisson

from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76
from neurocode.statistics.entropy import (
    context_tree_entropy_rate,
    lempel_ziv_entropy_rate,
    miller_madow_entropy,
    plug_in_entropy,
    word_entropy_rate,
)
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
    """Within 0.02 bits at 50 000 symbols: four standard deviations of the source's own fluctuation
    and the estimators' bias."""
    bits = (np.random.default_rng(1).random(50_000) < p).astype(int)
    assert estimator(bits) == pytest.approx(entropy(p), abs=0.02)


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("stay", [0.7, 0.9])
def test_markov(estimator, stay):
    """Equal numbers of both symbols, so only their order tells; stated bias of 0.02 bits."""
    assert estimator(markov(stay, 50_000, 2)) == pytest.approx(entropy(stay), abs=0.02)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_gamma_renewal(estimator):
    """Binned intervals of whole bins: the rate is the entropy of an interval over its mean, within
    0.02 bits."""
    shape = 4
    interval = lambda random, n: np.ceil(random.gamma(shape, 2.0, n)).astype(int)  # noqa: E731
    counts = np.bincount(interval(np.random.default_rng(4), 2_000_000))
    p = counts[counts > 0] / counts.sum()
    truth = -np.sum(p * np.log2(p)) / (np.arange(len(counts)) @ counts / counts.sum())
    bits = np.zeros(60_000, int)
    times = np.cumsum(interval(np.random.default_rng(3), 10_000))
    bits[times[times < bits.size]] = 1
    options = (
        {"longest": 16}
        if estimator is word_entropy_rate
        else {"depth": 24}
        if estimator is context_tree_entropy_rate
        else {}
    )
    assert estimator(bits, **options) == pytest.approx(truth, abs=0.03)


def test_context_trees_reach_the_rate_of_a_markov_source_sooner_than_words():
    truth, bits = entropy(0.9), [markov(0.9, 2000, seed) for seed in range(20)]
    errors = {
        f: np.mean([abs(f(x) - truth) for x in bits])
        for f in (context_tree_entropy_rate, word_entropy_rate)
    }
    assert errors[context_tree_entropy_rate] < 0.05


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_short_and_constant_sequences(estimator):
    assert np.isnan(estimator([1])) or estimator([1]) == 0
    assert estimator(np.zeros(1000, int)) == pytest.approx(0, abs=0.02)


def channel_information(rates):
    p = poisson.pmf(np.arange(80), np.array(rates)[:, None])
    return float(
        np.sum(p / len(rates) * np.log2(np.where(p > 0, p, 1) / np.where(p > 0, p.mean(axis=0), 1)))
    )


@pytest.mark.parametrize(("correction", "bound"), [("panzeri-treves", 0.06), ("quadratic", 0.06)])
def test_information_of_a_poisson_channel(correction, bound):
    """Twenty trials of three stimuli: corrected estimates within the bound, the plain one 0.2 bits
    high."""
    random, rates = np.random.default_rng(5), (2.0, 5.0, 9.0)
    data = [[random.poisson(rate, 20) for rate in rates] for _ in range(100)]
    truth = channel_information(rates)
    assert np.mean([mutual_information(x, correction="none") for x in data]) > truth + 0.15
    assert np.mean(
        [mutual_information(x, correction=correction, n_shuffles=8) for x in data]
    ) == pytest.approx(truth, abs=bound)


@pytest.mark.parametrize("correction", ["panzeri-treves", "quadratic", "shuffle"])
def test_no_information_where_there_is_none(correction):
    random = np.random.default_rng(6)
    values = [
        mutual_information(
            [random.poisson(4, 30) for _ in range(4)], correction=correction, n_shuffles=8
        )
        for _ in range(100)
    ]
    assert np.mean(values) == pytest.approx(0.0, abs=0.05)


def test_information_per_spike_of_a_step():
    """A rate that is on for a tenth of the time tells log2(10) bits a spike."""
    assert information_per_spike(np.repeat([1.0, 0.0], [10, 90])) == pytest.approx(np.log2(10))
    assert np.isnan(information_per_spike(np.zeros(5)))


def test_bad_responses_are_named():
    with pytest.raises(DataError, match="not a correction"):
        mutual_information([[1], [2]], correction="magic")
    with pytest.raises(DataError, match="whole numbers"):
        mutual_information([np.array([0.5]), np.array([1.5])])
    assert np.isnan(mutual_information([np.array([1, 2])]))


def test_entropies_by_hand():
    """Frequencies 1/2 1/4 1/4: 1.5 bits, and (3 - 1) / (2 * 8 ln 2) for the bias of eight
    observations."""
    assert (
        plug_in_entropy([4, 2, 0, 2]) == 1.5
        and plug_in_entropy([7]) == 0
        and np.isnan(plug_in_entropy([0, 0]))
    )
    assert miller_madow_entropy([4, 2, 0, 2]) == pytest.approx(1.5 + 2 / (16 * np.log(2)))
    assert miller_madow_entropy([5, 0]) == 0 and np.isnan(miller_madow_entropy([0]))
    for wrong in ([1, -1], [np.nan, 1], [np.inf, 1]):
        for call in (plug_in_entropy, miller_madow_entropy):
            with pytest.raises(DataError, match="finite and not negative"):
                call(wrong)


def test_bias_of_the_entropy_is_what_miller_and_madow_take_off():
    """2000 samples of 40 from eight equal symbols: 3 bits within four standard errors, the plain
    one 0.126 bits lower."""
    random = np.random.default_rng(3)
    samples = random.multinomial(40, np.full(8, 1 / 8), 2000)
    values = np.array([[plug_in_entropy(s), miller_madow_entropy(s)] for s in samples])
    error = 4 * values.std(axis=0) / np.sqrt(2000)
    assert abs(values[:, 0].mean() - (3 - 7 / (80 * np.log(2)))) < error[0] + 0.005
    assert abs(values[:, 1].mean() - 3) < error[1] + 0.005


def words_by_hand(text, length):
    counts = {}
    for k in range(len(text) - length + 1):
        counts[text[k : k + length]] = counts.get(text[k : k + length], 0) + 1
    n = sum(counts.values())
    return -sum(c / n * np.log2(c / n) for c in counts.values()) + (len(counts) - 1) / (
        2 * n * np.log(2)
    )


def test_words_by_hand():
    """Eight samples a possible word: 40 symbols sample words of 1 and 2, whose line meets endless
    words at 2 h2 - h1."""
    text = "".join(map(str, np.random.default_rng(5).integers(0, 2, 40)))
    expected = 2 * words_by_hand(text, 2) / 2 - words_by_hand(text, 1)
    assert word_entropy_rate(text) == pytest.approx(expected)
    assert word_entropy_rate(text[:33]) == pytest.approx(
        words_by_hand(text[:33], 2) - words_by_hand(text[:33], 1)
    )
    assert np.isnan(word_entropy_rate(text[:32])) and np.isnan(word_entropy_rate(text, longest=1))
    assert word_entropy_rate("1" * 40) == 0.0


def test_the_line_goes_through_the_four_longest_words():
    """300 symbols sample up to 5; with three symbols 27 * 8 = 216 of 218 words are enough for 3,
    symbols need not be 0, 1, 2."""
    text = "".join(map(str, (np.random.default_rng(6).random(300) < 0.3).astype(int)))
    h = [words_by_hand(text, k) / k for k in (2, 3, 4, 5)]
    assert word_entropy_rate(text) == pytest.approx(
        np.polyfit([1 / 2, 1 / 3, 1 / 4, 1 / 5], h, 1)[1]
    )
    h = [words_by_hand(text, k) / k for k in (1, 2, 3)]
    assert word_entropy_rate(text, longest=3) == pytest.approx(
        np.polyfit([1, 1 / 2, 1 / 3], h, 1)[1]
    )
    three = "".join(np.random.default_rng(7).choice(list("acz"), 218))
    h = [words_by_hand(three, k) / k for k in (1, 2, 3)]
    assert word_entropy_rate(three) == pytest.approx(np.polyfit([1, 1 / 2, 1 / 3], h, 1)[1])
    spread = np.array([{"a": 0, "c": 7, "z": 3}[s] for s in three])
    assert word_entropy_rate(spread) == pytest.approx(word_entropy_rate(three))


def test_lempel_ziv_rate_by_hand():
    """The entropy of the frequencies times the count over its mean in shuffled copies."""
    bits = markov(0.8, 200, 1)
    random = np.random.default_rng(9)
    shuffled = np.mean([lz76(random.permutation(bits.astype(np.uint8))) for _ in range(5)])
    expected = entropy(bits.mean()) * lz76(bits) / shuffled
    assert lempel_ziv_entropy_rate(bits, n_surrogates=5, seed=9) == pytest.approx(expected)
    assert np.isnan(lempel_ziv_entropy_rate([1])) and lempel_ziv_entropy_rate([1, 1]) == 0.0


def weighted_probability(symbols, depth, alphabet):
    """Context-tree weighting by its definition: half the estimate of a node, half the product of
    what lies below it."""

    def estimate(following):
        seen, probability = [0] * alphabet, 1.0
        for symbol in following:
            probability *= (seen[symbol] + 0.5) / (sum(seen) + alphabet / 2)
            seen[symbol] += 1
        return probability

    def weigh(context):
        places = [
            k
            for k in range(depth, len(symbols))
            if list(symbols[k - len(context) : k])[::-1] == context
        ]
        estimated = estimate([symbols[k] for k in places])
        if len(context) == depth:
            return estimated
        below = 1.0
        for symbol in range(alphabet):
            below *= weigh([*context, symbol])
        return 0.5 * estimated + 0.5 * below

    return weigh([])


@pytest.mark.parametrize(("depth", "alphabet"), [(1, 2), (2, 2), (3, 2), (2, 3)])
def test_context_trees_by_their_definition(depth, alphabet):
    symbols = np.random.default_rng(depth).integers(0, alphabet, 30)
    expected = -np.log2(weighted_probability(symbols.tolist(), depth, alphabet)) / (30 - depth)
    assert context_tree_entropy_rate(symbols, depth=depth) == pytest.approx(expected)
    assert context_tree_entropy_rate(symbols * 5 + 2, depth=depth) == pytest.approx(expected)


def test_context_trees_of_what_is_short():
    assert np.isnan(context_tree_entropy_rate([0, 1, 0], depth=3)) and np.isfinite(
        context_tree_entropy_rate([0, 1, 0, 1], depth=3)
    )
    assert context_tree_entropy_rate([1, 1, 1], depth=1) == pytest.approx(-np.log2(0.5 * 3 / 4) / 2)
    with pytest.raises(DataError, match="positive, not 0"):
        context_tree_entropy_rate([0, 1], depth=0)


#: Two stimuli, four trials each: response 0 thrice and 1 once, and the other way round.
FOUR = [np.array([0, 0, 0, 1]), np.array([1, 1, 0, 1])]


def test_information_by_hand():
    """One bit of responses less H(1/4) of noise; bias (1 + 1 - 1) / (2 * 8 ln 2), both responses
    being possible for both."""
    plain = 1 - entropy(0.25)
    assert mutual_information(FOUR, correction="none") == pytest.approx(plain)
    assert mutual_information(FOUR) == pytest.approx(plain - 1 / (16 * np.log(2)))
    unequal = [np.array([0, 0]), np.array([5, 5, 0, 5])]
    assert mutual_information(unequal, correction="none") == pytest.approx(
        1 - 4 / 6 * entropy(0.25)
    )
    assert mutual_information([[False, False], [True, True]], correction="none") == 1.0


def expected_responses(seen, n, number):
    """How many of ``number`` responses are expected in n trials: those seen by their frequencies,
    the others by what is left."""
    p = [(count + 1) / (n + number) for count in seen]
    rest = 1 - sum(p)
    left = number - len(seen)
    return sum(1 - (1 - q) ** n for q in p) + (left * (1 - (1 - rest / left) ** n) if left else 0)


def test_bias_with_responses_that_were_not_seen():
    """Stimulus 0 gave 0 nine times and 1 once, stimulus 1 four responses: of 0 more were possible,
    as many as expect two seen."""
    groups = [np.array([0] * 9 + [1]), np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])]
    low, high = 2.0, 4.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if expected_responses([9, 1], 10, middle) < 2 else (low, middle)
    relevant = low if expected_responses([9, 1], 10, 4) > 2 else 4.0
    bias = ((relevant - 1) + (4 - 1) - (4 - 1)) / (2 * 20 * np.log(2))
    assert 2 < relevant < 4
    removed = mutual_information(groups, correction="none") - mutual_information(groups)
    assert removed == pytest.approx(bias, rel=1e-6)


def test_information_with_trials_dealt_at_random():
    """The mean over seeded deals is taken off."""
    codes = np.concatenate(FOUR)
    random = np.random.default_rng(3)
    deals = []
    for _ in range(6):
        dealt = random.permutation(codes)
        deals.append(mutual_information([dealt[:4], dealt[4:]], correction="none"))
    expected = mutual_information(FOUR, correction="none") - np.mean(deals)
    assert mutual_information(FOUR, correction="shuffle", n_shuffles=6, seed=3) == pytest.approx(
        expected
    )


def test_information_at_endless_trials():
    """The parabola through all, halves and quarters, at none: 8/3 of all, 2 of halves, 1/3 of
    quarters with signs + - +."""
    random = np.random.default_rng(4)
    groups = [random.integers(0, 3, 16), random.integers(1, 4, 17)]
    random = np.random.default_rng(2)
    means = [mutual_information(groups, correction="none")]
    for parts, times in ((2, 3), (4, 1)):
        values = []
        for _ in range(times):
            pieces = [np.array_split(random.permutation(group), parts) for group in groups]
            values += [
                mutual_information([piece[k] for piece in pieces], correction="none")
                for k in range(parts)
            ]
        means.append(np.mean(values))
    expected = 8 / 3 * means[0] - 2 * means[1] + 1 / 3 * means[2]
    assert mutual_information(
        groups, correction="quadratic", n_shuffles=6, seed=2
    ) == pytest.approx(expected)


def test_where_information_is_not_defined():
    eight = np.arange(8) % 3
    assert np.isfinite(mutual_information([eight, eight], correction="quadratic", n_shuffles=1))
    assert np.isnan(mutual_information([eight, eight[:7]], correction="quadratic"))
    assert np.isnan(mutual_information([[1], [2, 3]])) and np.isfinite(
        mutual_information([[1, 1], [2, 3]])
    )


def test_information_of_a_gaussian_channel():
    """Equal steps of a signal of variance 4 in noise of variance 1, both in fine bins: within 0.03
    bits of log2(1 + 4) / 2."""
    random = np.random.default_rng(8)
    signal = 2 * np.sqrt(2) * erfinv(2 * (np.arange(60) + 0.5) / 60 - 1)
    responses = [np.round((s + random.standard_normal(3000)) / 0.5).astype(int) for s in signal]
    assert mutual_information(responses) == pytest.approx(0.5 * np.log2(5), abs=0.03)


def test_information_per_spike_by_hand():
    """Relative rates 2, 1, 1, 0: 2 log2 2 over four bins."""
    assert information_per_spike([4, 2, 2, 0]) == 0.5 and information_per_spike([3, 3]) == 0
    for wrong in ([-1, 2], [np.nan, 1], [np.inf, 1]):
        with pytest.raises(DataError, match="finite and not negative"):
            information_per_spike(wrong)
