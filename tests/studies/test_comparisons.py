"""Paired comparisons computed by hand, their correction, and their error rate on simulated
seeds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from neurocode.errors import DataError
from neurocode.studies import Comparison, holm, judge_family
from neurocode.studies.comparisons import directions, pairs_needed

MARGIN = 0.01


def comparison(values, kind="better", **options):
    return Comparison(
        "it helps", "ours", "digits", np.asarray(values, float), kind, MARGIN, **options
    )


def around(mean, deviation, n=8):
    """Return values with exactly this mean and standard deviation."""
    values = np.linspace(-1, 1, n)
    return mean + deviation * values / values.std(ddof=1)


def test_probabilities_are_those_of_a_t_test():
    values = np.array([0.01, 0.03, 0.02, -0.005, 0.018])
    better = directions(comparison(values))
    assert better.confirm == pytest.approx(
        stats.ttest_1samp(values, 0, alternative="greater").pvalue
    )
    assert better.refute == pytest.approx(
        stats.ttest_1samp(values, MARGIN, alternative="less").pvalue
    )
    equal = directions(comparison(values, "equal"))
    above, below = (
        stats.ttest_1samp(values, bound, alternative=way).pvalue
        for bound, way in ((-MARGIN, "greater"), (MARGIN, "less"))
    )
    assert equal.confirm == pytest.approx(max(above, below))
    beyond = [
        stats.ttest_1samp(values, bound, alternative=way).pvalue
        for bound, way in ((MARGIN, "greater"), (-MARGIN, "less"))
    ]
    assert equal.refute == pytest.approx(min(1, 2 * min(beyond)))


def test_holm_by_hand():
    """Sorted 0.01, 0.02, 0.03 times 3, 2, 1, never falling: 0.03, 0.04, 0.04; NaN does not
    count."""
    np.testing.assert_allclose(
        holm(np.array([0.03, 0.01, np.nan, 0.02])), [0.04, 0.03, np.nan, 0.04]
    )
    np.testing.assert_allclose(holm(np.array([0.6, 0.7])), [1.0, 1.0])


@pytest.mark.parametrize(
    ("mean", "kind", "verdict"),
    [
        (0.02, "better", "confirmed"),
        (0.003, "better", "confirmed"),
        (-0.003, "better", "refuted"),
        (0.0001, "better", "refuted"),
        (0.0, "equal", "confirmed"),
        (0.005, "equal", "confirmed"),
        (0.02, "equal", "refuted"),
        (-0.02, "equal", "refuted"),
        (0.0102, "equal", "undecided"),
    ],
)
def test_verdicts_at_a_small_spread(mean, kind, verdict):
    """Standard error 0.0005, so an interval of plus or minus 0.0012; a small certain gain is
    confirmed before it is refuted."""
    claim = judge_family([comparison(around(mean, 0.0005 * 8**0.5), kind)])[0]
    assert claim.verdict == verdict
    assert (claim.our_mean, claim.seeds) == (pytest.approx(mean), 8)
    half = stats.t.ppf(0.975, 7) * 0.0005
    assert (claim.low, claim.high) == (pytest.approx(mean - half), pytest.approx(mean + half))


def test_a_wide_spread_decides_nothing_and_says_how_many_seeds_would():
    """Mean 0.02, deviation 0.05: t(n - 1) must fall below 0.4 sqrt(n), first at 27 pairs (2.0555
    against 2.0785)."""
    claim = judge_family([comparison(around(0.02, 0.05))])[0]
    assert (claim.verdict, claim.needed) == ("undecided", 27)
    assert judge_family([comparison(around(0.02, 0.05, 27))])[0].verdict == "confirmed"
    assert judge_family([comparison(around(0.02, 0.05, 26))])[0].verdict == "undecided"
    assert pairs_needed(comparison(around(MARGIN, 0.05), "equal"), 1) is None


def test_more_claims_ask_for_more():
    """One-sided 0.02 passes alone and fails beside another of the family."""
    n, p = 8, 0.02
    values = around(0.05 * stats.t.ppf(1 - p, n - 1) / n**0.5, 0.05, n)
    assert judge_family([comparison(values)])[0].p == pytest.approx(p)
    judgements = judge_family([comparison(values), comparison(around(0.03, 0.2))])
    assert judgements[0].verdict == "undecided" and judgements[0].p == pytest.approx(2 * p)


def test_equal_seeds_and_single_seeds():
    flat = judge_family([comparison([0.0, 0.0, 0.0])])[0]
    assert (
        flat.verdict == "refuted"
        and judge_family([comparison([0.0, 0.0], "equal")])[0].verdict == "confirmed"
    )
    alone = judge_family([comparison([0.5], untrained=7), comparison(around(0.02, 0.001))])
    assert (alone[0].verdict, alone[0].our_mean, alone[0].untrained) == ("not comparable", 0.5, 7)
    assert alone[1].p == judge_family([comparison(around(0.02, 0.001))])[0].p
    assert judge_family([comparison([])])[0].our_mean is None


def test_false_alarms_stay_below_the_level():
    """1000 families of five true null claims: at most 2.5 % with any confirmed; 4 % lies 3 standard
    errors above."""
    random = np.random.default_rng(0)
    wrong = {"better": 0, "equal": 0}
    for kind, mean in (("better", 0.0), ("equal", MARGIN)):
        for _ in range(1000):
            family = [comparison(random.normal(mean, 0.01, 8), kind) for _ in range(5)]
            wrong[kind] += any(claim.verdict == "confirmed" for claim in judge_family(family))
    assert 0.01 < wrong["better"] / 1000 < 0.04
    assert wrong["equal"] / 1000 < 0.04


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "larger"}, "not a kind of comparison"),
        ({"margin": 0.0}, "must be positive"),
        ({"values": [np.nan, 1.0]}, "not finite"),
    ],
)
def test_what_is_no_comparison(change, message):
    options = {
        "claim": "c",
        "source": "s",
        "dataset": "d",
        "values": np.zeros(2),
        "kind": "equal",
        "margin": 0.01,
    } | change
    with pytest.raises(DataError, match=message):
        Comparison(**options)
