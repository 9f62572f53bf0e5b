"""The commands that run studies and draw their figures."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from neurocode.cli import app
from neurocode.errors import DataError, ModelError

ROOT = Path(__file__).parents[2]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


def refused(kind, *arguments):
    """Return the one-sentence error of a command that was refused."""
    result = run(*arguments)
    assert type(result.exception) is kind, result.exception
    return str(result.exception)


@pytest.fixture(autouse=True)
def in_checkout(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_a_part_of_a_study_writes_tables_claims_and_figures(tmp_path, monkeypatch):
    """Parts that need no recorded data run without them, and the smallest coupling at which SE is
    unstable is printed."""
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    arguments = [
        "study",
        "adaptive-lif",
        "--quick",
        "--part",
        "wavelets",
        "--part",
        "stability",
        "-o",
        tmp_path / "tables",
    ]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    claims = pd.read_csv(tmp_path / "tables" / "claims.csv")
    assert claims.columns.tolist() == [
        "claim",
        "source",
        "paper_value",
        "our_mean",
        "our_sd",
        "seeds",
        "verdict",
    ]
    text = " ".join(result.output.split())
    assert (
        "at which a neuron of the used time constants does not): 1204" in text
        and "Refuted." in text
    )
    assert f"Tables: {tmp_path / 'tables'}" in result.output.replace("\n", "")
    settings = json.loads((tmp_path / "tables" / "provenance.json").read_text())["settings"]
    assert settings == {
        "study": "adaptive-lif",
        "protocol": "quick",
        "parts": ["stability", "wavelets"],
        "workers": 1,
    }
    drawn = run(
        "figures", "adaptive-lif", "--tables", tmp_path / "tables", "-o", tmp_path / "figures"
    )
    assert drawn.exit_code == 0, drawn.output
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        "adaptive_lif_stability.pdf",
        "adaptive_lif_stability.png",
    }


def test_a_study_that_lacks_recorded_data_says_so_at_its_start(tmp_path, monkeypatch):
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    assert refused(DataError, "study", "adaptive-lif", "-o", tmp_path / "tables") == (
        "The study reads the folders qtdb-ecg, braille, raphe of NEUROCODE_DATA, which is not "
        "set; without them, run --part stability --part wavelets."
    )
    assert not (tmp_path / "tables").exists(), "nothing was begun"


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (
            ["study", "adaptive-lift"],
            "'adaptive-lift' is not among the analyses; known are adaptive-lif, ",
        ),
        (
            ["study", "adaptive-lif", "--protocol", "long"],
            "has no protocol 'long'; it has reduced, published, quick.",
        ),
        (["study", "adaptive-lif", "--part", "chess"], "has no part 'chess'; it has stability, "),
        (
            ["study", "adaptive-lif", "--quick", "--protocol", "published"],
            "--quick and --protocol published contradict",
        ),
        (
            ["study", "adaptive-lif", "--workers", "2", "--scheduler", "tcp://h:1"],
            "--workers starts local processes and ",
        ),
        (["figures", "chess"], "'chess' is not among the figures; known are adaptive-lif, "),
    ],
)
def test_bad_use_is_refused(arguments, what, tmp_path):
    assert what in refused(ModelError, *arguments, "-o", tmp_path)


def test_quick_is_also_a_protocol(tmp_path):
    done = run(
        "study",
        "adaptive-lif",
        "--quick",
        "--protocol",
        "quick",
        "--part",
        "wavelets",
        "-o",
        tmp_path,
    )
    assert done.exit_code == 0, done.output


def test_a_file_is_no_folder_to_write_into(tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    assert refused(
        DataError, "study", "adaptive-lif", "--quick", "--part", "wavelets", "-o", file
    ) == (f"{file}: the folder cannot be written into (File exists).")
    assert "Not a directory" in refused(DataError, "figures", "adaptive-lif", "-o", file / "deeper")


def test_figures_without_their_tables_are_refused(tmp_path):
    """The folder is missing, has no tables, has tables of another study, or has a damaged table."""
    missing = tmp_path / "missing"
    assert refused(
        DataError, "figures", "adaptive-lif", "--tables", missing, "-o", tmp_path / "drawn"
    ) == (
        f"{missing}: there is no such folder of tables; 'neurocode study adaptive-lif' writes one."
    )
    assert not (tmp_path / "drawn").exists()
    (tmp_path / "empty").mkdir()
    assert refused(
        DataError, "figures", "noisy-networks", "--tables", tmp_path / "empty", "-o", tmp_path
    ) == (
        f"{tmp_path / 'empty'}: the tables that the figures of 'noisy-networks' are drawn from "
        f"are not all there."
    )
    (tmp_path / "empty" / "stability.csv").write_text("cell\nSE\n")
    assert "the tables are not those of 'adaptive-lif' (FileNotFoundError" in refused(
        DataError, "figures", "adaptive-lif", "--tables", tmp_path / "empty", "-o", tmp_path
    )
    (tmp_path / "empty" / "stability_example.csv").write_text("")
    assert "(EmptyDataError" in refused(
        DataError, "figures", "adaptive-lif", "--tables", tmp_path / "empty", "-o", tmp_path
    )
    (tmp_path / "empty" / "stability_example.csv").write_text("cell\nSE\n")
    assert "(KeyError" in refused(
        DataError, "figures", "adaptive-lif", "--tables", tmp_path / "empty", "-o", tmp_path
    )
