"""What is committed as found is what the committed tables say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.studies.study import load_study, names_of, results_of

ROOT = Path(__file__).parents[2]
STUDIES = [name for name in names_of("analyses", ROOT, "study") if (results_of(name, ROOT) / "claims.csv").exists()]


@pytest.mark.parametrize("name", STUDIES)
def test_committed_claims_follow_from_the_committed_tables(name):
    found = pd.DataFrame([vars(claim) for claim in load_study(name, ROOT).claims(results_of(name, ROOT))])
    kept = pd.read_csv(results_of(name, ROOT) / "claims.csv")
    assert found["claim"].tolist() == kept["claim"].tolist() and found["verdict"].tolist() == kept["verdict"].tolist()
    np.testing.assert_allclose(found["our_mean"].astype(float), kept["our_mean"], rtol=1e-4, atol=1e-12)


def test_finished_studies_have_claims():
    assert {"adaptive-lif", "surrogate-gradients"} <= set(STUDIES)
