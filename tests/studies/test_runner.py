"""Rows of a study: each is run once, resumed, kept if one fails, named by its settings, and written
by one run at a time."""

from __future__ import annotations

import re
import time

import numpy as np
import pandas as pd
import pytest

from neurocode.errors import DataError
from neurocode.studies import key_of, run_study, study_table


def square(x, seed, log=None):
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{x} ")
    if x == 3:
        raise ValueError("three is refused")
    return {"square": x**2 + seed}


def rows(*values, **more):
    return [{"x": x, "seed": 0, **more} for x in values]


def said(call, *arguments, **options):
    """Return the message of a DataError."""
    with pytest.raises(DataError) as caught:
        call(*arguments, **options)
    return str(caught.value)


def test_a_key_is_the_hash_of_the_sorted_settings():
    """The first 16 digits of SHA-256 of '{"seed": 0, "x": 1}' and '{"cell": "SE", "q": 120.0,
    "seed": 3, "t": null, "y": true}'."""
    assert key_of({"x": 1, "seed": 0}) == key_of({"seed": 0, "x": 1}) == "9fea1e3240c3528f"
    assert key_of({"cell": "SE", "q": 120.0, "seed": 3, "t": None, "y": True}) == "88ddeb1a8ab34247"
    assert (
        len({key_of(row) for row in ({"x": 1}, {"x": 1.0}, {"x": "1"}, {"x": True}, {"y": 1})}) == 5
    )


def test_a_row_holds_settings_results_and_what_it_took(tmp_path):
    def slow(x):
        time.sleep(0.02)
        return {"y": 2 * x, "name": "a"}

    table = run_study(slow, [{"x": 4}], tmp_path / "deep" / "t.parquet")
    assert list(table.columns) == ["key", "x", "y", "name", "seconds", "error"]
    (row,) = table.to_dict("records")
    assert (row["key"], row["x"], row["y"], row["name"], row["error"]) == (
        key_of({"x": 4}),
        4,
        8,
        "a",
        None,
    )
    assert 0.02 <= row["seconds"] < 2.0


def test_rows_in_the_table_are_not_run_again(tmp_path):
    """Asked for in their order; rows that are not asked for stay."""
    log, table = tmp_path / "log", tmp_path / "table.parquet"
    first = run_study(square, rows(1, 2, log=str(log)), table)
    second = run_study(square, rows(2, 4, 1, log=str(log)), table)
    assert log.read_text().split() == ["1", "2", "4"]
    assert first["square"].tolist() == [1, 4] and second["square"].tolist() == [4, 16, 1]
    third = run_study(square, rows(4, log=str(log)), table)
    assert third["square"].tolist() == [16] and study_table(table)["square"].tolist() == [1, 4, 16]
    assert run_study(square, [], table)["square"].tolist() == [
        1,
        4,
        16,
    ] and log.read_text().split() == ["1", "2", "4"]


def test_a_table_grows_by_a_row_whenever_one_is_done(tmp_path):
    """Progress is told first of what is there, then after each row, when it is in the table."""
    table, seen = tmp_path / "t.parquet", []

    def progress(done, total):
        seen.append((done, total, len(study_table(table))))

    run_study(square, rows(1, 2), table, progress=progress)
    run_study(square, rows(1, 5, 3), table, progress=progress)
    assert seen == [(0, 2, 0), (1, 2, 1), (2, 2, 2), (1, 3, 2), (2, 3, 3), (3, 3, 4)]


def test_a_failing_row_is_recorded_and_run_again(tmp_path):
    """Its traceback is kept in its place and replaced when it is run again, whether it fails or
    not."""
    table = tmp_path / "table.parquet"
    frame = run_study(square, rows(2, 3, 5), table)
    assert frame["square"].isna().tolist() == [False, True, False] and frame["x"].tolist() == [
        2,
        3,
        5,
    ]
    assert frame["error"].isna().tolist() == [True, False, True]
    assert frame["error"][1].startswith("Traceback") and frame["error"][1].endswith(
        "ValueError: three is refused\n"
    )
    assert run_study(square, rows(3), table)["error"][0] and len(study_table(table)) == 3
    again = run_study(lambda x, seed: {"square": -1}, rows(2, 3, 5), table)
    assert again["square"].tolist() == [4, -1, 25] and again["error"].isna().all()
    assert sorted(study_table(table)["square"]) == [-1, 4, 25]


@pytest.mark.parametrize("name", ["x", "seed", "key", "error", "seconds"])
def test_a_result_with_the_name_of_a_setting_fails(tmp_path, name):
    frame = run_study(lambda x, seed: {"fine": 1, name: 0}, rows(7), tmp_path / "t.parquet")
    assert frame["error"][0].endswith(
        f"DataError: The result '{name}' has the name of a setting.\n"
    )
    assert frame["x"].tolist() == [7] and "fine" not in frame


def test_two_processes_give_the_rows_of_one(tmp_path):
    alone, together = (
        run_study(square, rows(1, 2, 5, 7), tmp_path / f"{n}.parquet", workers=n) for n in (1, 2)
    )
    pd.testing.assert_frame_equal(alone.drop(columns="seconds"), together.drop(columns="seconds"))


def test_an_interrupted_row_is_no_row(tmp_path):
    """An interruption is not recorded as a failure of the row. It ends the run, and finished rows
    are kept."""

    def interrupted(x, seed):
        if x == 2:
            raise KeyboardInterrupt
        return {"square": x**2}

    with pytest.raises(KeyboardInterrupt):
        run_study(interrupted, rows(1, 2, 3), tmp_path / "t.parquet")
    assert study_table(tmp_path / "t.parquet")["square"].tolist() == [1]


def test_results_that_only_some_rows_have(tmp_path):
    frame = run_study(
        lambda x: {"even": x} if x % 2 == 0 else {"odd": x},
        [{"x": 1}, {"x": 2}],
        tmp_path / "t.parquet",
    )
    np.testing.assert_array_equal(frame["even"], [np.nan, 2])
    np.testing.assert_array_equal(frame["odd"], [1, np.nan])


def test_two_rows_of_the_same_settings_are_refused(tmp_path):
    assert (
        said(run_study, square, rows(1, 2, 1), tmp_path / "t.parquet")
        == "Two rows of the study have the same settings."
    )
    assert not (tmp_path / "t.parquet").exists()


def test_a_table_is_written_by_one_run_at_a_time(tmp_path):
    """A row that writes the table it is a row of is refused; the lock is free when the run is
    over."""
    table = tmp_path / "t.parquet"

    def meddling(x):
        return {"said": said(run_study, square, rows(1), table)}

    sentence = f"{table}: another run is writing this table."
    assert run_study(meddling, [{"x": 1}], table)["said"].tolist() == [sentence]
    assert run_study(square, rows(1), table)["square"].tolist() == [1]


def test_what_is_no_table_of_a_study_is_refused(tmp_path):
    path = tmp_path / "bad.parquet"
    assert study_table(path).empty and list(study_table(path).columns) == ["key", "error"]
    path.write_bytes(b"PAR1 cut short")
    assert re.fullmatch(
        re.escape(f"{path}: not a table of a study (") + ".+" + re.escape(")."),
        said(study_table, path),
    )
    assert said(run_study, square, rows(1), path).startswith(f"{path}: not a table of a study (")
    pd.DataFrame({"key": ["a"], "x": [1]}).to_parquet(path)
    assert said(study_table, path) == f"{path}: not a table of a study; it has the columns key, x."
