"""What is committed as found is what the committed tables say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.studies.study import load_study, names_of, results_of

ROOT = Path(__file__).parents[2]
STUDIES = (
    "adaptive-lif", "complexity-classification", "neural-coding", "noisy-networks", "surrogate-gradients", "threshold-learning",
)  # fmt: skip
#: Studies that are scripts, with how many claims each.
SCRIPTS = {"diffusion": 8, "punit": 4, "recovery": 9}
COLUMNS = ["claim", "source", "paper_value", "our_mean", "our_sd", "seeds", "verdict"]
#: Verdicts of every study: confirmed, not confirmed, depends, not comparable, void.
VERDICTS = {
    "adaptive-lif": (23, 1, 1, 9, 3), "complexity-classification": (2, 5, 3, 1, 0), "neural-coding": (3, 0, 7, 0, 0),
    "noisy-networks": (0, 2, 0, 2, 8), "surrogate-gradients": (7, 10, 0, 0, 0), "threshold-learning": (1, 0, 2, 3, 6),
}  # fmt: skip


def kept(name):
    return pd.read_csv(results_of(name, ROOT) / "claims.csv", keep_default_na=False, na_values={"our_mean": "", "our_sd": ""})


def test_finished_studies_have_claims():
    """Every folder of analyses that holds a study or a script, and nothing beside them."""
    assert names_of("analyses", ROOT, "study") == sorted(STUDIES)
    assert {path.parent.parent.name.replace("_", "-") for path in ROOT.glob("analyses/*/results/claims.csv")} == {
        *STUDIES,
        *SCRIPTS,
    }
    for name in (*STUDIES, *SCRIPTS):
        assert list(kept(name).columns) == COLUMNS
    assert {name: len(kept(name)) for name in SCRIPTS} == SCRIPTS


@pytest.mark.parametrize("name", STUDIES)
def test_committed_claims_follow_from_the_committed_tables(name):
    found = pd.DataFrame([vars(claim) for claim in load_study(name, ROOT).claims(results_of(name, ROOT))])
    table = kept(name)
    for column in ("claim", "source", "paper_value", "seeds", "verdict"):
        assert found[column].tolist() == table[column].tolist()
    for column in ("our_mean", "our_sd"):
        np.testing.assert_allclose(found[column].astype(float), table[column].astype(float), rtol=1e-4, atol=1e-12)


@pytest.mark.parametrize("name", STUDIES)
def test_verdicts_that_were_reported(name):
    counts = kept(name)["verdict"].value_counts()
    order = ("confirmed", "not confirmed", "depends", "not comparable", "void")
    assert tuple(int(counts.get(verdict, 0)) for verdict in order) == VERDICTS[name]


@pytest.mark.parametrize("name", [name for name in STUDIES if VERDICTS[name][4]])
def test_void_claims_have_no_numbers_and_a_reason(name):
    table = kept(name)
    void = table[table["verdict"] == "void"]
    assert void["our_mean"].isna().all() and void["our_sd"].isna().all() and (void["seeds"] == 0).all()
    assert void["claim"].str.contains("sequences in file order; to be made again]", regex=False).all()


def test_rows_that_rested_on_the_order_of_a_file_are_gone():
    """So that the studies make them again instead of going on with them."""
    noisy, thresholds = (results_of(name, ROOT) for name in ("noisy-networks", "threshold-learning"))
    assert not [path.name for path in (*noisy.glob("*.parquet"), *thresholds.glob("*.parquet"))
                if path.stem in ("robustness", "spiking", "decisions", "noisy")]  # fmt: skip
    for name in ("tuning", "training", "decays"):
        table = pd.read_parquet(thresholds / f"{name}.parquet")
        assert len(table) and not table["normalised"].any()
        assert (
            table.loc[table["dataset"] == "mnist10k", ["noise", "salt", "flips", "operations", "nanojoule"]].isna().all(axis=None)
        )


def recomputed(name, file, condition):
    return pd.read_parquet(results_of(name, ROOT) / file).query(condition)


def test_numbers_of_claims_by_pandas_alone():
    """A claim of each study whose tables hold one row per seed, by hand."""
    noisy = recomputed("noisy-networks", "training.parquet", "kind in ('escape', 'deterministic')")
    means = noisy.groupby(["seed", "kind"])["test_score"].mean().unstack()
    assert (means["escape"] - means["deterministic"]).mean() == pytest.approx(kept("noisy-networks")["our_mean"][0], rel=1e-4)
    plain = recomputed("threshold-learning", "training.parquet", "threshold == 1 and learned != 'thresholds'")
    means = plain.groupby(["seed", "learned"])["test_score"].mean().unstack()
    assert (means["both"] - means["weights"]).mean() == pytest.approx(kept("threshold-learning")["our_mean"][0], rel=1e-4)
    control = recomputed("surrogate-gradients", "controls.parquet", "gain > 1 and shape in ('superspike', 'zero')")
    means = control.groupby("shape")["test_score"].mean()
    assert means["superspike"] - means["zero"] == pytest.approx(kept("surrogate-gradients")["our_mean"][7], rel=1e-4)
    cells = recomputed("complexity-classification", "training.parquet", "neuron == 'lif' and kind in ('learned', 'fixed')")
    means = cells.groupby("kind")["test_complexity"].mean()
    assert means["learned"] - means["fixed"] == pytest.approx(kept("complexity-classification")["our_mean"][0], rel=1e-4)
    raphe = recomputed("adaptive-lif", "raphe.parquet", "coupling")
    own = kept("adaptive-lif").set_index("claim")["our_mean"]
    assert (raphe["resonance_ratio"] < 1.1).mean() == own["share of 5 raphe neurons that integrate below threshold"]
