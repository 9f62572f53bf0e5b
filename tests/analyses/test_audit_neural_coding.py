"""Claims of neural coding made again from its rows by pandas and SciPy alone, without any code of
the study."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

RESULTS = Path(__file__).parents[2] / "analyses" / "neural_coding" / "results"
MARGIN = 0.1
CLAIMS = {
    "output": "predicts held-out spikes better than noise at the output",
    "igif-ia": "predicts held-out spikes better than the same neuron with an A-type",
    "gif": "predicts held-out spikes better than an integrate-and-fire neuron in the network",
    "equal": "predicts held-out spikes as well as noise at the output",
}


@pytest.fixture(scope="module")
def bits() -> pd.DataFrame:
    """Bits per spike of every cell, averaged over its five seeds, with models as columns."""
    rows = pd.read_parquet(RESULTS / "models.parquet")
    cells = []
    for row in rows[rows["dataset"].isin(["raphe", "retina"])].to_dict("records"):
        if row["model"] == "deterministic":
            continue
        spikes, gained = (np.array(json.loads(row[name])) for name in ("spikes", "bits"))
        cells += [
            (row["dataset"], f"{row['name']} {unit}", row["model"], row["seed"], value)
            for unit, value in enumerate(gained / spikes)
        ]
    table = pd.DataFrame(cells, columns=["dataset", "cell", "model", "seed", "bits"])
    counts = table.groupby(["dataset", "cell", "model"])["seed"].nunique()
    assert set(counts) == {5}
    return table.pivot_table(index=["dataset", "cell"], columns="model", values="bits")


def committed(dataset: str, claim: str) -> pd.Series:
    table = pd.read_csv(RESULTS / "claims.csv")
    chosen = table[(table["dataset"] == dataset) & table["claim"].str.contains(CLAIMS[claim])]
    return chosen[chosen["claim"].str.startswith("internal noise predicts")].iloc[0]


@pytest.mark.parametrize(
    ("dataset", "rival", "n_cells", "verdict"),
    [
        ("raphe", "output", 5, "undecided"),
        ("raphe", "igif-ia", 5, "undecided"),
        ("retina", "gif", 87, "refuted"),
    ],
)
def test_gains_in_likelihood_by_hand(bits, dataset, rival, n_cells, verdict) -> None:
    row = committed(dataset, rival)
    values = (bits["internal"] - bits[rival]).loc[dataset].dropna().to_numpy()
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    assert row["seeds"] == len(values) == n_cells and row["verdict"] == verdict
    np.testing.assert_allclose(
        row[["our_mean", "low", "high"]].to_numpy(float), [values.mean(), low, high], rtol=1e-3
    )


def test_equal_likelihood_by_hand(bits) -> None:
    """Two one-sided tests against a tenth of a bit; no correction for nine claims changes them."""
    row = committed("retina", "equal")
    values = (bits["internal"] - bits["output"]).loc["retina"].to_numpy()
    tests = [
        stats.ttest_1samp(values, -MARGIN, alternative="greater").pvalue,
        stats.ttest_1samp(values, MARGIN, alternative="less").pvalue,
    ]
    assert 9 * max(tests) < 0.05 and row["verdict"] == "confirmed"
    assert row["our_mean"] == pytest.approx(values.mean(), rel=1e-3)
    assert row["p"] < 0.05


def test_the_largest_family_is_corrected_by_hand(bits) -> None:
    """The smallest p-value on raphe cells is multiplied by the number of claims of its family."""
    table = pd.read_csv(RESULTS / "claims.csv")
    family = table[(table["dataset"] == "raphe") & table["claim"].str.contains("bits per spike")]
    values = (bits["internal"] - bits["output"]).loc["raphe"].to_numpy()
    alone = stats.ttest_1samp(values, 0.0, alternative="greater").pvalue
    assert len(family) == 9
    assert committed("raphe", "output")["p"] == pytest.approx(9 * alone, rel=1e-3)
