"""Printed output: tables of 80 columns, names shown literally, and progress lines if there is no
terminal."""

from __future__ import annotations

import io
import logging
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from neurocode.cli import progress, recording_task, unit_task
from neurocode.cli.terminal import cell_text, number, show_report, show_table, spike_counts
from neurocode.errors import CoarseStepWarning


def printed(frame, headings, width=80):
    console = Console(file=io.StringIO(), width=width)
    show_table(frame, headings, console)
    return console.file.getvalue()


@pytest.mark.parametrize(
    "headings", [recording_task.COMPARISON.headings, unit_task.COMPARISON.headings]
)
def test_wide_tables_stay_inside_80_columns_with_numbers_whole(headings):
    names = {"recording", "model", "unit"}
    row = {
        name: "a_very_long_name_of_a_recording_20261126" if name in names else -0.123456
        for name in headings
    }
    text = printed(pd.DataFrame([row, row]), headings)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert text.count("-0.123") == 2 * len(set(headings) - names)
    assert text.replace("\n", "").replace(" ", "").count("a_very") == 2 * len(set(headings) & names)


def test_columns_that_a_table_lacks_are_left_out_and_headings_stand_above():
    text = printed(
        pd.DataFrame({"b": [1.5], "a": ["x"]}), {"a": "name", "c": "none", "b": "va-\nlue"}
    )
    assert [line.split() for line in text.splitlines()] == [["va-"], ["name", "lue"], ["x", "1.5"]]


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "-"),
        (np.nan, "-"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (3, "3"),
        (3.0, "3"),
        (0.12345, "0.123"),
        (999.4, "999"),
        (999.6, "1000"),
        (-2000.4, "-2000"),
        ("[red]/cell", r"\[red]/cell"),
        ("/cell", "/cell"),
    ],
)
def test_cells_are_short_and_text_keeps_its_brackets(cell, text):
    assert cell_text(cell) == text


def test_brackets_in_names_are_printed(capsys, tmp_path):
    assert "[bold]a[/bold]" in printed(pd.DataFrame({"unit": ["[bold]a[/bold]"]}), {"unit": "unit"})
    show_report(tmp_path / "[red]out")
    assert "[red]out/report.html" in capsys.readouterr().out.replace("\n", "")


def test_numbers_and_counts_in_words():
    assert number(None) == "undefined" and number(1.23456) == "1.235"
    assert (
        spike_counts(12, 10)
        == "12 training spikes, of which 10 count (the first 500 ms of a sweep do not)"
    )


@pytest.fixture
def log(monkeypatch):
    """Return a standard error that is not a terminal and prints a line every 20 ms."""
    stream = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **options: Console(file=stream, width=80))
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.02)
    return stream


def wait_for(log, text):
    for _ in range(500):
        if text in log.getvalue():
            return True
        time.sleep(0.01)
    return False


def test_a_fit_speaks_where_there_is_no_terminal(log):
    with progress.fit_progress("cell/[gif]") as report:
        assert wait_for(log, "cell/[gif], 0 s\n")
        report("refining", -12.345, 7)
        assert wait_for(log, "cell/[gif]: refining, log-likelihood -12.3, 7 passes, ")
    printed = log.getvalue()
    time.sleep(0.1)
    assert log.getvalue() == printed


def test_many_fits_rows_and_epochs_speak_too(log):
    with progress.fits_progress(4) as report:
        report("a/gif", 3)
        assert wait_for(log, "fits, latest a/gif, 3 of 4, ")
    with progress.row_progress("study") as report:
        report(2, 10)
        assert wait_for(log, "study, 2 of 10, ")
    with progress.training_progress(5) as report:
        report({"epoch": 2, "loss": 0.5, "score": 0.75, "validation_score": 0.25, "rate_1": 0.125})
        assert wait_for(log, "loss 0.5000, score 0.750, validation 0.250, rates 0.125, 2 of 5, ")


def test_a_line_comes_at_least_every_30_seconds():
    assert 0 < progress.LINE_SECONDS <= 30


def test_a_terminal_gets_a_bar(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda **options: Console(file=stream, force_terminal=True, width=100)
    )
    with progress.row_progress("study [a]") as report:
        report(3, 10)
    assert "study [a]" in stream.getvalue() and "3/10" in stream.getvalue()


def test_warnings_for_a_user_are_one_line_and_others_stay_python_s(capsys, monkeypatch):
    from neurocode import cli

    def warn(_):
        logging.captureWarnings(True)  # what the import of Brian2 does
        warnings.warn("The step is coarse.", CoarseStepWarning, stacklevel=1)
        warnings.warn("2 of 5 clusters are left out.", stacklevel=1)
        warnings.warn("nan", RuntimeWarning, stacklevel=1)

    passed_on = []
    monkeypatch.setattr(cli, "app", warn)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, category, *where, **more: passed_on.append(
            (str(message), category)
        )
        cli.main()
        warnings.warn("afterwards", stacklevel=1)
    assert (
        capsys.readouterr().err
        == "note: The step is coarse.\nnote: 2 of 5 clusters are left out.\n"
    )
    assert passed_on == [("nan", RuntimeWarning), ("afterwards", UserWarning)]
