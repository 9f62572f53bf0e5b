"""The command that trains: what it writes, how it resumes, and what it refuses."""

from __future__ import annotations

import json
import sys

import equinox as eqx
import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import neurocode as nc
from neurocode.cli import app, main
from neurocode.learning import evaluate, run_in_brian, tasks

ARGUMENTS = [
    "train",
    "digits",
    "--neuron",
    "lif-normalised",
    "--hidden",
    "24",
    "--epochs",
    "2",
    "--rate",
    "0.01",
]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the folder that a training wrote."""
    folder = tmp_path_factory.mktemp("train") / "out"
    result = CliRunner().invoke(app, [*ARGUMENTS, "-o", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


def test_a_training_writes_its_history_figure_and_report(trained):
    entry = json.loads((trained / "result.json").read_text())["results"][0]
    history = pd.read_csv(trained / "history.csv")
    assert (
        len(history) == 2
        and entry["best_epoch"] == history["epoch"][history["validation_score"].idxmax()]
    )
    assert entry["validation_score"] == history["validation_score"].max()
    assert entry["parameters"] == 64 * 24 + 24 + 24**2 + 24 * 10 + 10
    assert entry["test_score"] > 0.2
    assert {p.name for p in trained.iterdir()} == {
        "history.csv",
        "network.bin",
        "provenance.json",
        "report.html",
        "result.json",
        "training.pdf",
        "training.png",
    }


def test_the_network_that_was_trained_is_kept_and_runs_in_brian(trained):
    """The network is read back; its score equals that of the result bit for bit, and Brian2 gives
    the same spikes."""
    net = nc.learning.load(trained / "network.bin")
    entry = json.loads((trained / "result.json").read_text())["results"][0]
    task = tasks.digits(seed=0)
    evaluation = evaluate(net, task.test, task, seed=0, batch_size=64)
    assert (evaluation.loss, evaluation.score) == (entry["test_loss"], entry["test_score"])
    x = np.moveaxis(task.test.inputs[:2], 0, 1)
    spikes = np.asarray(eqx.filter_jit(net)(x).spikes[0]) > 0
    assert spikes.sum() >= 10 and np.array_equal(run_in_brian(net, x).spikes[0], spikes)


def refused(monkeypatch, capsys, *arguments):
    """Return the exit code and the message that the command line prints."""
    monkeypatch.setattr(sys, "argv", ["neurocode", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code, " ".join(capsys.readouterr().err.replace("│", " ").split())


BAD_USE = (
    (["chess"], "'chess' is not a task"),
    (["ecg"], "read from files: give --data"),
    (["digits", "--data", "x"], "leave out --data"),
    (["heidelberg", "--data", "x.h5"], "give --test"),
    (["digits", "--test", "x.h5"], "leave out --test"),
    (["digits", "--neuron", "lif"], "current_unit"),
    (["digits", "--neuron", "nobody"], "nobody"),
    (["digits", "--learn", "theta", "--neuron", "lif-normalised"], "no free parameter 'theta'"),
    (["digits", "--hidden", "0"], "'hidden' must be a whole number of at least 1, not 0"),
    (
        ["digits", "--hidden", "8", "--hidden", "-3"],
        "'hidden' must be a whole number of at least 1, not -3",
    ),
    (["digits", "--hidden", "2.5"], "--hidden"),
    (["digits", "--epochs", "many"], "--epochs"),
    (["digits", "--epochs", "0"], "'epochs' must be a whole number of at least 1, not 0"),
    (["digits", "--batch", "0"], "'batch' must be a whole number of at least 1, not 0"),
    (["digits", "--seed", "-1"], "'seed' must be a whole number of at least 0, not -1"),
    (["digits", "--segment", "0"], "at least one step, not 0"),
    (["digits", "--dropout", "1.0"], "from 0 up to 1, not 1.0"),
    (["digits", "--dropout", "nan"], "from 0 up to 1, not nan"),
    (["digits", "--dropout", "-0.1"], "from 0 up to 1, not -0.1"),
    (["digits", "--rate", "0"], "'rate' must be a positive number, not 0.0"),
    (["digits", "--rate", "nan"], "'rate' must be a positive number, not nan"),
    (["digits", "--rate", "inf"], "'rate' must be a positive number, not inf"),
    (["digits", "--clip", "0"], "'clip' must be a positive number, not 0.0"),
    (["digits", "--clip", "-1"], "'clip' must be a positive number, not -1.0"),
    (["digits", "--schedule", "linear"], "'linear' is not a schedule"),
    (["digits", "--surrogate", "relu"], "not a surrogate derivative"),
    (["digits", "--slope", "0"], "must be positive, not 0.0 and 1.0"),
    (["digits", "--slope", "nan"], "must be positive, not nan"),
    (["digits", "--height", "-1"], "must be positive, not 10.0 and -1.0"),
    (["digits", "--surrogate", "density"], "no escape noise"),
    (
        ["digits", "--neuron", "noisy-lif", "--surrogate", "density", "--slope", "2"],
        "leave out --slope",
    ),
    (["digits", "--readout", "0"], "time constants of a readout must be positive"),
    (["digits", "--readout", "nan"], "must be positive"),
    (["digits", "--readout", "inf"], "must be positive and finite"),
    (["digits", "--current-unit", "1 nA"], "current_unit is '1 nA'"),
    (["digits", "--margin-unit", "x"], "'x' is not a value"),
)


@pytest.mark.parametrize(
    ("arguments", "what"), BAD_USE, ids=[" ".join(arguments) for arguments, _ in BAD_USE]
)
def test_bad_use_is_refused_in_a_sentence(tmp_path, monkeypatch, capsys, arguments, what):
    code, message = refused(monkeypatch, capsys, "train", *arguments, "-o", tmp_path / "out")
    assert code == 2 and what in message and "Traceback" not in message
    assert not (tmp_path / "out").exists()


def test_bad_data_and_folders_are_refused_before_training(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no data")
    for arguments, what in (
        (["mnist", "--data", tmp_path / "none.npz", "-o", tmp_path / "out"], "none.npz"),
        (
            ["mnist", "--data", tmp_path / "file", "-o", tmp_path / "out"],
            "file: the file cannot be read",
        ),
        (["digits", "--batch", "5000", "-o", tmp_path / "out"], "fewer than a batch"),
        (
            ["digits", "-o", tmp_path / "file"],
            "file/training: this folder cannot be written to (Not a directory)",
        ),
        (
            ["digits", "-o", "/proc/nobody/out"],
            "/proc/nobody/out/training: this folder cannot be written to",
        ),
    ):
        code, message = refused(monkeypatch, capsys, "train", *arguments)
        assert (
            code == 1
            and what in message
            and message.startswith("neurocode: ")
            and "Traceback" not in message
        )


def test_help_has_examples():
    assert "neurocode train digits" in CliRunner().invoke(app, ["train", "--help"]).output
