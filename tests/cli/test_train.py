"""The command that trains: what it writes, how it goes on, what it refuses."""

from __future__ import annotations

import json

import pandas as pd
from typer.testing import CliRunner

from neurocode.cli import app
from neurocode.errors import ModelError

ARGUMENTS = ["train", "digits", "--neuron", "lif-normalised", "--hidden", "24", "--epochs", "2", "--rate", "0.01"]


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)


def test_a_training_writes_its_history_figure_and_report(tmp_path):
    result = run(*ARGUMENTS, "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    entry = json.loads((tmp_path / "out" / "result.json").read_text())["results"][0]
    history = pd.read_csv(tmp_path / "out" / "history.csv")
    assert len(history) == 2 and entry["best_epoch"] in (1, 2)
    assert entry["parameters"] == 64 * 24 + 24 + 24**2 + 24 * 10 + 10
    assert entry["test_score"] > 0.2
    assert {"report.html", "training.pdf", "training.png", "provenance.json"} <= {p.name for p in (tmp_path / "out").iterdir()}
    assert not (tmp_path / "out" / "training").exists()


def test_bad_use_is_refused(tmp_path):
    for arguments, what in (
        (["train", "chess", "-o", tmp_path], "no task"),
        (["train", "ecg", "-o", tmp_path], "--data"),
        (["train", "digits", "--neuron", "lif", "-o", tmp_path], "current_unit"),
        (["train", "digits", "--learn", "theta", "-o", tmp_path], "no free parameter"),
    ):
        result = run(*arguments)
        assert isinstance(result.exception, ModelError) and what in str(result.exception)


def test_help_has_examples():
    assert "neurocode train digits" in run("train", "--help").output
