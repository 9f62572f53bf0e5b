"""The commands that run studies and draw their figures."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from neurocode.cli import app
from neurocode.errors import ModelError
from neurocode.studies.study import checkout

ROOT = Path(__file__).parents[2]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


@pytest.fixture(autouse=True)
def in_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_a_part_of_a_study_writes_tables_claims_and_figures(tmp_path):
    arguments = ["study", "adaptive-lif", "--quick", "--part", "stability", "--part", "wavelets", "-o", tmp_path / "tables"]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    claims = pd.read_csv(tmp_path / "tables" / "claims.csv")
    assert claims.columns.tolist() == ["claim", "source", "paper_value", "our_mean", "our_sd", "seeds", "verdict"]
    assert "65.02" in result.output and "Confirmed." in result.output
    settings = json.loads((tmp_path / "tables" / "provenance.json").read_text())["settings"]
    assert settings["protocol"] == "quick" and settings["parts"] == ["stability", "wavelets"]
    drawn = run("figures", "adaptive-lif", "--tables", tmp_path / "tables", "-o", tmp_path / "figures")
    assert drawn.exit_code == 0, drawn.output
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "adaptive_lif_stability.pdf", "adaptive_lif_stability.png",
    }  # fmt: skip


def test_a_quick_grid_of_surrogate_gradients_is_trained_and_drawn(tmp_path):
    """Three trainings of an epoch; the same command again finds them in the table."""
    arguments = ["study", "surrogate-gradients", "--quick", "--part", "grid", "-o", tmp_path / "tables"]
    for _ in range(2):
        result = run(*arguments)
        assert result.exit_code == 0, result.output
        table = pd.read_parquet(tmp_path / "tables" / "grid.parquet")
        assert len(table) == 3 and table["error"].isna().all() and table["test_score"].between(0, 1).all()
    drawn = run("figures", "surrogate-gradients", "--tables", tmp_path / "tables", "-o", tmp_path / "figures")
    assert drawn.exit_code == 0 and (tmp_path / "figures" / "surrogate_gradients_grid.pdf").exists()


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["study", "adaptive-lift"], "adaptive-lif"), (["study", "adaptive-lif", "--protocol", "long"], "published"),
        (["study", "adaptive-lif", "--part", "chess"], "stability"), (["figures", "chess"], "adaptive-lif"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(arguments, what, tmp_path):
    result = run(*arguments, "-o", tmp_path)
    assert isinstance(result.exception, ModelError) and what in str(result.exception)


def test_a_folder_without_studies_is_refused(tmp_path):
    with pytest.raises(ModelError, match="checkout"):
        checkout(tmp_path)
