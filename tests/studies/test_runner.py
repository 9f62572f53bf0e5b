"""Studies: rows are run once, resumed, kept when one fails, and named by their settings."""

from __future__ import annotations

import pandas as pd
import pytest

from neurocode.errors import DataError
from neurocode.studies import Claim, run_study, study_table, write_claims


def square(x, seed, log=None):
    if log:
        with open(log, "a", encoding="utf-8") as file:
            file.write(f"{x} ")
    if x == 3:
        raise ValueError("three is refused")
    return {"square": x**2 + seed}


def rows(*values, **more):
    return [{"x": x, "seed": 0, **more} for x in values]


def test_rows_in_the_table_are_not_run_again(tmp_path):
    log, table = tmp_path / "log", tmp_path / "table.parquet"
    first = run_study(square, rows(1, 2, log=str(log)), table)
    second = run_study(square, rows(2, 4, 1, log=str(log)), table)
    assert log.read_text().split() == ["1", "2", "4"]
    assert first["square"].tolist() == [1, 4] and second["square"].tolist() == [4, 16, 1]
    assert len(study_table(table)) == 3


def test_a_failing_row_is_recorded_and_run_again(tmp_path):
    table = tmp_path / "table.parquet"
    frame = run_study(square, rows(2, 3, 5), table)
    assert frame["square"].isna().tolist() == [False, True, False]
    assert "three is refused" in frame["error"][1]
    assert run_study(square, rows(3), table)["error"][0] and len(study_table(table)) == 3


def test_two_processes_give_the_rows_of_one(tmp_path):
    alone, together = (run_study(square, rows(1, 2, 5, 7), tmp_path / f"{n}.parquet", workers=n) for n in (1, 2))
    pd.testing.assert_frame_equal(alone.drop(columns="seconds"), together.drop(columns="seconds"))


def test_bad_studies_are_refused(tmp_path):
    with pytest.raises(DataError, match="same settings"):
        run_study(square, rows(1, 1), tmp_path / "t.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(DataError, match=r"bad\.parquet"):
        run_study(square, rows(1), tmp_path / "bad.parquet")
    with pytest.raises(DataError, match="no verdict"):
        Claim("c", "s", "", None, None, 0, "perhaps")
    assert write_claims(tmp_path, [Claim("c", "s", "", None, None, 0, "depends")]).shape == (1, 7)
