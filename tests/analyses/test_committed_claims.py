"""The committed verdicts follow from the committed tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.studies.study import load_study, names_of, results_of

ROOT = Path(__file__).parents[2]
STUDIES = (
    "adaptive-lif",
    "complexity-classification",
    "neural-coding",
    "noisy-networks",
    "populations",
    "raphe-networks",
    "surrogate-gradients",
    "threshold-learning",
)
#: Studies that are scripts, with how many claims each.
SCRIPTS = {"diffusion": 8, "punit": 4, "recovery": 9}
COLUMNS = ["claim", "source", "paper_value", "our_mean", "our_sd", "seeds", "verdict"]
#: Further columns of studies that judge paired comparisons.
PAIRED = ["dataset", "low", "high", "p", "needed", "untrained"]
#: How many claims have which verdict. Studies whose rows are still being made have the claims that
#: their tables settle so far.
VERDICTS = {
    "adaptive-lif": {"refuted": 1, "undecided": 1, "not comparable": 4},
    "complexity-classification": {"not comparable": 2},
    "neural-coding": {"confirmed": 11, "refuted": 16, "undecided": 12, "not comparable": 38},
    "noisy-networks": {"confirmed": 18, "refuted": 24, "undecided": 29, "not comparable": 2},
    "populations": {},
    "raphe-networks": {},
    "surrogate-gradients": {"not comparable": 3},
    "threshold-learning": {"confirmed": 10, "refuted": 29, "undecided": 15, "not comparable": 3},
}


def kept(name):
    empty = {"our_mean": "", "our_sd": ""}
    return pd.read_csv(
        results_of(name, ROOT) / "claims.csv",
        keep_default_na=False,
        na_values=empty,
        dtype={"paper_value": str},
    )


def test_finished_studies_have_claims():
    """Every folder of analyses holds a study or a script, and nothing else."""
    assert names_of("analyses", ROOT, "study") == sorted(STUDIES)
    assert {
        path.parent.parent.name.replace("_", "-")
        for path in ROOT.glob("analyses/*/results/claims.csv")
    } == {
        *STUDIES,
        *SCRIPTS,
    }
    for name in (*STUDIES, *SCRIPTS):
        assert list(kept(name).columns) in (COLUMNS, COLUMNS + PAIRED)
    assert {name: len(kept(name)) for name in SCRIPTS} == SCRIPTS


@pytest.mark.parametrize("name", STUDIES)
def test_committed_claims_follow_from_the_committed_tables(name):
    claims = load_study(name, ROOT).claims(results_of(name, ROOT))
    recomputed, committed = (
        pd.DataFrame([vars(claim) for claim in claims], columns=COLUMNS + PAIRED),
        kept(name),
    )
    for column in ("claim", "source", "paper_value", "seeds", "verdict"):
        assert recomputed[column].tolist() == committed[column].tolist()
    for column in (
        "our_mean",
        "our_sd",
        *(("low", "high", "p", "needed") if "dataset" in committed else ()),
    ):
        np.testing.assert_allclose(
            recomputed[column].astype(float),
            pd.to_numeric(committed[column]),
            rtol=1e-4,
            atol=1e-12,
        )


@pytest.mark.parametrize("name", STUDIES)
def test_verdicts_that_were_reported(name):
    assert kept(name)["verdict"].value_counts().to_dict() == VERDICTS[name]


def recomputed(name, file, condition):
    return pd.read_parquet(results_of(name, ROOT) / file).query(condition)


def test_numbers_of_claims_by_pandas_alone():
    """One claim is computed by hand for each study whose tables hold one row per seed."""
    raphe = recomputed("adaptive-lif", "raphe.parquet", "cell == cell").pivot(
        index="cell", columns="coupling"
    )["held_out_bits"]
    claimed = kept("adaptive-lif").query("dataset == 'raphe'")["our_mean"]
    assert (raphe[True] - raphe[False]).mean() == pytest.approx(claimed.item(), rel=1e-4)
