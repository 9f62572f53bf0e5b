"""The recovery study in small, and the tables that its full run left."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
from scipy.stats import binom

FOLDER = Path(__file__).parents[2] / "analyses" / "recovery"


@pytest.fixture(scope="module")
def study():
    specification = importlib.util.spec_from_file_location("recovery_study", FOLDER / "run.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["recovery_study"] = module
    specification.loader.exec_module(module)
    return module


@pytest.mark.long
def test_intervals_of_a_few_adaptive_neurons_cover_the_truth(study):
    """Thirty intervals of 95 %: fewer covered than the bound has a probability below 0.1 % if
    coverage is right."""
    frame = study.fit_runs("adaptive lif", study.systems()["adaptive lif"], 6, seed=2)
    assert frame["converged"].all() and frame["identified"].all()
    assert frame["covered"].sum() >= binom.ppf(1e-3, len(frame), 0.95)
    assert set(study.claims(study.summarise(frame), 6)["verdict"]) <= {"confirmed", "not confirmed"}


def test_claims_follow_from_the_committed_runs(study):
    runs, claims = (pd.read_csv(FOLDER / "results" / name) for name in ("runs.csv", "claims.csv"))
    again = study.claims(study.summarise(runs), runs["run"].nunique())
    assert again["verdict"].tolist() == claims["verdict"].tolist() and runs["run"].nunique() == 100
    pd.testing.assert_series_equal(again["our_mean"], claims["our_mean"], rtol=1e-4)
