"""The table of the leaderboard: one CSV file with the rows of all tasks and machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from benchmarks.leaderboard.rows import Row
from benchmarks.peers import version_of
from neurocode.errors import DataError
from neurocode.whole_files import replacing

NUMBERS = ("ours", "peer_value", "ratio")
COLUMNS = (
    "task",
    "case",
    "measure",
    "unit",
    "better",
    "ours",
    "peer",
    "peer_value",
    "ratio",
    "kind",
    "source",
    "note",
    "protocol",
    "machine",
    "neurocode",
    "python",
    "peer_version",
    "libraries",
    "date",
)


def table_of(task: str, rows: Sequence[Row], circumstances: Mapping[str, str]) -> pd.DataFrame:
    """Rows of a task with what they share.

    Parameters
    ----------
    task : str
    rows : sequence of Row
    circumstances : mapping of str to str
        ``protocol``, and the columns of :func:`benchmarks.leaderboard.machine.circumstances`.
    """
    records = [
        {
            "task": task,
            **asdict(row),
            "kind": row.kind,
            "ratio": row.ratio,
            # a published value was not measured with the version that is installed here
            "peer_version": "" if row.source else version_of(row.peer),
            **circumstances,
        }
        for row in rows
    ]
    return pd.DataFrame(records, columns=COLUMNS)


def read_table(path: Path) -> pd.DataFrame:
    """The table in a file; an empty one where there is no file.

    Raises
    ------
    DataError
        If the file is no table of a leaderboard.
    """
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS)
    try:
        # every other column is text, also where it looks like a number
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table = table.assign(**{name: pd.to_numeric(table[name]) for name in NUMBERS})
        return table[list(COLUMNS)]
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{path} is not a table of a leaderboard ({error}).") from None


def merged(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Both tables, sorted by task; rows of a task and machine that was measured again are replaced,
    all of them, so that what stands together was measured together."""
    again = set(zip(new["task"], new["machine"], strict=True))
    kept = [pair not in again for pair in zip(old["task"], old["machine"], strict=True)]
    parts = [part for part in (old[kept], new) if len(part)]
    if not parts:
        return new
    return pd.concat(parts, ignore_index=True).sort_values(
        ["task", "machine"], kind="stable", ignore_index=True
    )


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table whole or not at all; numbers with six significant digits."""
    with replacing(path) as scratch:
        table.to_csv(scratch, index=False, float_format="%.6g")
