"""``neurocode benchmark``: which tasks are run, which results are kept, and what is printed about
the others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmarks import leaderboard
from benchmarks.leaderboard import BenchmarkTask, Row, published, read_table, runner
from benchmarks.leaderboard.table import table_of
from neurocode.cli import app
from neurocode.errors import DataError, ModelError

ROOT = Path(__file__).parents[2]
HERE = {
    "protocol": "quick",
    "machine": "here",
    "neurocode": "1",
    "python": "3",
    "libraries": "",
    "date": "2026-11-27",
}
SPEED = Row("a case", "time", "s", "lower", 2.0, "Brian2 cython", 6.0)
SCORE = published(Row("cells", "Md*", "", "higher", 0.7), "GIF", 0.35, "a paper", "other cells")


def run(*arguments):
    return CliRunner().invoke(app, ["benchmark", *map(str, arguments)], catch_exceptions=True)


def refused(kind, *arguments):
    """Return the one-sentence error of a command that was refused."""
    result = run(*arguments)
    assert type(result.exception) is kind, result.exception
    return str(result.exception)


@pytest.fixture(autouse=True)
def tasks(monkeypatch):
    """Write three tasks: one with seconds and a peer, one with scores, and one whose recordings are
    absent."""
    made = {
        "speed": BenchmarkTask("Speed", 1, lambda request: [SPEED], True, ("Brian2 cython",)),
        "score": BenchmarkTask("Score", 2, lambda request: [SCORE]),
        "absent": BenchmarkTask("Absent", 3, lambda request: [SCORE], data=("nowhere",)),
    }
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    monkeypatch.setattr(leaderboard, "task_names", lambda: [*made])
    monkeypatch.setattr(leaderboard, "load_task", lambda name: made[name])
    monkeypatch.setattr(
        leaderboard, "run_task", lambda name, quick: table_of(name, made[name].rows(None), HERE)
    )
    monkeypatch.setattr(runner, "others", lambda: 0.0)


def text_of(result) -> str:
    return " ".join(result.output.split())


def test_tasks_are_listed_with_what_they_lack():
    text = text_of(run("--list"))
    assert "speed: Speed, about 1 min. score: Score, about 2 min. absent: Absent, about 3" in text
    assert "Not here: the folder nowhere of NEUROCODE_DATA is not set." in text
    assert "Speed" not in run("--list", "--task", "score").output


def test_what_can_be_run_is_kept_and_the_rest_is_named(tmp_path):
    path = tmp_path / "board.csv"
    result = run("-o", path)
    assert result.exit_code == 0, result.output
    text = text_of(result)
    assert "absent is left out: the folder nowhere of NEUROCODE_DATA is not set." in text
    assert "- a case, time: 2 s; Brian2 cython 6 s; ratio 3" in text
    assert "- cells, Md*: 0.7; GIF 0.35 (a paper); ratio 2; other cells" in text
    rows = read_table(path)
    assert rows[["task", "kind", "ratio"]].to_numpy().tolist() == [
        ["score", "published", 2.0],
        ["speed", "same run", 3.0],
    ]


def test_a_task_alone_replaces_its_own_rows(tmp_path, monkeypatch):
    path = tmp_path / "board.csv"
    run("-o", path)
    monkeypatch.setattr(
        leaderboard,
        "run_task",
        lambda name, quick: table_of(name, [Row("new", "time", "s", "lower", 1.0)], HERE),
    )
    assert run("--task", "speed", "--task", "speed", "-o", path).exit_code == 0
    assert pd.read_csv(path)["case"].tolist() == ["cells", "new"]


def test_a_busy_machine_times_nothing_that_is_kept(tmp_path, monkeypatch):
    """16 % in use by others is too much, 14 % is not; scores do not depend on it."""
    path = tmp_path / "board.csv"
    monkeypatch.setattr(runner, "others", lambda: 0.16)
    sentence = refused(DataError, "--task", "speed", "-o", path)
    assert sentence.startswith("The machine is busy (16% of it is in use by others)")
    assert run("--task", "score", "-o", path).exit_code == 0
    text = text_of(run("--task", "speed", "--allow-busy", "-o", path))
    assert "ratio 3" in text and "Not kept: the machine may have been busy." in text
    assert read_table(path)["task"].tolist() == ["score"]
    monkeypatch.setattr(runner, "others", lambda: 0.14)
    assert run("--task", "speed", "-o", path).exit_code == 0
    assert read_table(path)["task"].tolist() == ["score", "speed"]


def test_nothing_to_run_is_an_error(tmp_path):
    assert "No task was run" in refused(DataError, "--task", "absent", "-o", tmp_path / "b.csv")
    assert not (tmp_path / "b.csv").exists()


def test_bad_use_is_refused_before_anything_is_run(tmp_path, monkeypatch):
    monkeypatch.setattr(leaderboard, "run_task", None)
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert "not a table of a leaderboard" in refused(DataError, "-o", tmp_path / "other.csv")
    assert "is a folder" in refused(DataError, "-o", tmp_path)
    monkeypatch.undo()
    monkeypatch.chdir(ROOT)
    assert "'nothing' is not among the tasks" in refused(ModelError, "--task", "nothing")


@pytest.mark.long
def test_a_task_is_run_in_a_process_of_its_own(tmp_path, monkeypatch):
    """In that process the columns of describe are compared with Elephant's; the task stops if they
    differ."""
    monkeypatch.undo()
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(runner, "others", lambda: 0.0)
    path = tmp_path / "board.csv"
    result = run("--task", "describe", "--quick", "-o", path)
    assert result.exit_code == 0, result.output
    (row,) = read_table(path).itertuples()
    assert (row.case, row.peer, row.protocol) == ("500 units x 200 spikes", "Elephant", "quick")
    assert row.peer_version.startswith("elephant 1.") and 0 < row.ours < row.peer_value
