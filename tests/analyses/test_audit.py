"""Claims of the studies made again from the committed tables by pandas and SciPy alone, without any
code of the studies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

ANALYSES = Path(__file__).parents[2] / "analyses"
MARGIN = 0.01


def table(study, name):
    path = ANALYSES / study / "results" / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"{study} has not made its table '{name}' yet")
    frame = pd.read_parquet(path)
    return frame[frame["error"].isna() & (frame["sequences"] == 0)]


def claims(study):
    frame = pd.read_csv(ANALYSES / study / "results" / "claims.csv")
    return frame[frame["dataset"].notna()]


def by_seed(frame, arm, first, second, values):
    """Return the differences of two arms for each seed, for pairs in which both networks
    trained."""
    trained = frame[(frame["best_epoch"] > 1) & (frame["training_score"] >= 3 * frame["chance"])]
    wide = {
        name: trained[trained[arm] == name].set_index("seed")[values] for name in (first, second)
    }
    return (wide[first] - wide[second]).dropna().sort_index().to_numpy()


def holm(p):
    """Return corrected p-values by the definition of Holm: the k-th smallest of n times n - k + 1,
    never below the one before."""
    corrected, highest = {}, 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda k: p[k])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[place]))
        corrected[place] = highest
    return [corrected[k] for k in range(len(p))]


def interval(values):
    return stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))


def agree(row, values):
    """Assert that mean, interval and number of pairs are those of a committed claim."""
    assert row["our_mean"] == pytest.approx(values.mean(), rel=1e-4, abs=1e-9) and row[
        "seeds"
    ] == len(values)
    np.testing.assert_allclose((row["low"], row["high"]), interval(values), rtol=1e-3, atol=1e-7)


def test_noise_costs_no_accuracy_by_hand():
    """All claims of equal accuracy, with two one-sided tests and Holm's correction."""
    training = table("noisy_networks", "training")
    accuracy_claims = claims("noisy_networks")
    accuracy_claims = accuracy_claims[
        accuracy_claims["claim"].str.contains("test accuracy of one pass")
    ]
    accuracy_claims = accuracy_claims[
        accuracy_claims["claim"].str.contains("minus deterministic")
        & ~accuracy_claims["claim"].str.contains("LeNet|CIFARNet")
    ]
    tests = []
    for row in accuracy_claims.to_dict("records"):
        first = next(
            kind
            for kind in ("escape", "diffusive", "both")
            if kind in row["claim"].split("test accuracy")[1]
        )
        values = by_seed(
            training[training["dataset"] == row["dataset"]],
            "kind",
            first,
            "deterministic",
            "test_score",
        )
        agree(row, values)
        tests.append(
            max(
                stats.ttest_1samp(values, -MARGIN, alternative="greater").pvalue,
                stats.ttest_1samp(values, MARGIN, alternative="less").pvalue,
            )
        )
    confirmed = accuracy_claims["verdict"] == "confirmed"
    assert len(tests) == 9
    # with the convolutional networks the family is larger, so corrected probabilities are at least
    # these
    assert np.all(
        accuracy_claims.loc[confirmed, "p"].to_numpy()
        >= 0.999 * np.array(holm(tests))[confirmed.to_numpy()]
    )
    assert np.all(np.array(tests)[confirmed.to_numpy()] < 0.025)


def test_robustness_to_attacks_by_hand():
    """Accuracy lost to the iterated gradient sign, mean over its three sizes."""
    robustness = table("noisy_networks", "robustness")
    attack_claims = claims("noisy_networks")
    attack_claims = attack_claims[
        attack_claims["claim"].str.contains("lose less accuracy to the iterated")
        & attack_claims["claim"].str.contains("minus escape")
    ]
    assert len(attack_claims)
    for row in attack_claims.to_dict("records"):
        of_dataset = robustness[robustness["dataset"] == row["dataset"]]
        of_dataset = of_dataset.assign(
            lost=of_dataset["clean"]
            - (of_dataset["pgd_over_0.1"] + of_dataset["pgd_over_0.2"] + of_dataset["pgd_over_0.4"])
            / 3
        )
        agree(row, by_seed(of_dataset, "kind", "deterministic", "escape", "lost"))


def test_learned_thresholds_against_tuned_ones_by_hand():
    """Accuracy of learned thresholds minus that of tuned ones, with and without normalisation."""
    training = table("threshold_learning", "training")
    threshold_claims = claims("threshold_learning")
    threshold_claims = threshold_claims[
        threshold_claims["claim"].str.contains("fixed threshold that was tuned")
    ]
    assert len(threshold_claims) == 6
    for row in threshold_claims.to_dict("records"):
        of_dataset = training[
            (training["dataset"] == row["dataset"])
            & (training["normalised"] == ("not normalised" not in row["claim"]))
        ]
        agree(row, by_seed(of_dataset, "arm", "both", "weights", "test_score"))


@pytest.mark.parametrize(
    ("net", "words", "count", "first", "second"),
    [
        (
            "feedforward",
            "logistic function is as good as SuperSpike, feed-forward networks from a firing",
            5,
            "sigmoid",
            "reference",
        ),
        (
            "recurrent",
            "connections impair an asymptotic surrogate, recurrent networks from a firing",
            3,
            "asymptotic stopped",
            "asymptotic",
        ),
    ],
    ids=["shapes", "gradients through recurrence"],
)
def test_arms_of_surrogate_gradients_by_hand(net, words, count, first, second):
    """On every data set from the firing start: logistic against SuperSpike, gradients stopped at
    recurrence against propagated."""
    rows = table("surrogate_gradients", "comparisons")
    rows = rows[(rows["net"] == net) & (rows["start"] == "firing")]
    arm_claims = claims("surrogate_gradients")
    arm_claims = arm_claims[arm_claims["claim"].str.contains(words)]
    assert len(arm_claims) == count
    for row in arm_claims.to_dict("records"):
        agree(
            row,
            by_seed(rows[rows["dataset"] == row["dataset"]], "arm", first, second, "test_score"),
        )


def test_the_reset_of_deep_networks_by_hand():
    """The cost of an attached reset for an asymptotic surrogate with four layers, minus the cost
    with one layer, for networks that trained with both."""
    rows = table("surrogate_gradients", "depth")
    rows = rows[rows["start"] == "firing"]
    trained = rows[(rows["best_epoch"] > 1) & (rows["training_score"] >= 3 * rows["chance"])]
    wide = {
        (depth, arm): of_arm.set_index("seed")["test_score"]
        for (depth, arm), of_arm in trained.groupby(["depth", "arm"])
    }
    lost = {
        depth: wide[depth, "asymptotic"] - wide[depth, "asymptotic attached"] for depth in (1, 4)
    }
    all_claims = claims("surrogate_gradients")
    (row,) = all_claims[
        all_claims["claim"].str.contains("the more the deeper the network")
    ].to_dict("records")
    agree(row, (lost[4] - lost[1]).dropna().sort_index().to_numpy())
