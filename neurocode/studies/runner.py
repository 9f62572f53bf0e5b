"""Rows of a study: each is a pure function of settings and seed, computed by parallel workers and
saved as soon as it is finished."""

from __future__ import annotations

import hashlib
import json
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from neurocode.errors import DataError
from neurocode.extras import require
from neurocode.locks import alone
from neurocode.studies.workers import side_by_side
from neurocode.whole_files import replacing

Settings = Mapping[str, Any]
Work = Callable[..., Mapping[str, Any]]
Progress = Callable[[int, int], None]

KEY, ERROR, SECONDS = "key", "error", "seconds"


def run_study(
    work: Work,
    rows: Sequence[Settings],
    table: str | Path,
    *,
    workers: int = 1,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run the rows that a table does not hold yet.

    Parameters
    ----------
    work : callable
        A function at the top level of a module that workers can import, called with the settings of
        a row as keywords. It returns the results of the row.
    rows : sequence of mappings
        Settings, including seeds: numbers, text, booleans or None.
    table : path
        Parquet file to which every finished row is added; the file is complete at any moment. Rows
        with the same settings are not run again, and rows with other settings stay.
    workers : int
        Number of local processes with one thread each; with 1, rows run in this process.
    scheduler : str, optional
        Address of a Dask scheduler whose workers are used instead.
    progress : callable, optional
        Called with the number of finished rows and the number of all rows.

    Returns
    -------
    pandas.DataFrame
        The requested rows in their order: settings, results, ``seconds``, and ``error`` with the
        traceback of a row that failed.

    Raises
    ------
    DataError
        For two rows with the same settings, or a table that cannot be read or that another run is
        writing.
    ClusterError
        If there is no scheduler or it is lost; finished rows are in the table.
    """
    require("pyarrow")
    keys = [key_of(row) for row in rows]
    if len(set(keys)) < len(keys):
        raise DataError("Two rows of the study have the same settings.")
    path = Path(table)
    with alone(path, "another run is writing this table."):
        frame = study_table(path)
        finished = set(frame.loc[frame[ERROR].isna(), KEY]) if len(frame) else set()
        waiting = [(key, row) for key, row in zip(keys, rows, strict=True) if key not in finished]
        count = len(rows) - len(waiting)
        if progress is not None:
            progress(count, len(rows))
        for entries in _entries(work, waiting, workers, scheduler):
            new = pd.DataFrame(entries)
            frame = pd.concat(
                [frame[~frame[KEY].isin(new[KEY])], new] if len(frame) else [new], ignore_index=True
            )
            with replacing(path) as scratch:
                frame.to_parquet(scratch, index=False, compression="zstd", compression_level=12)
            count += len(new)
            if progress is not None:
                progress(count, len(rows))
    return frame.set_index(KEY).loc[keys].reset_index() if len(rows) else frame


def study_table(path: str | Path) -> pd.DataFrame:
    """Return the table of a study, which is empty if there is no file.

    Raises
    ------
    DataError
        If the file is not a table of a study.
    """
    path = Path(path)
    if not path.exists():
        return pd.DataFrame({KEY: [], ERROR: []})
    require("pyarrow")
    try:
        # read the whole file at once: Arrow opens it more than once, and a run may replace it
        # meanwhile
        frame = pd.read_parquet(BytesIO(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of a study ({str(error).splitlines()[0]}).") from None
    if not {KEY, ERROR} <= set(frame.columns):
        raise DataError(
            f"{path}: not a table of a study; it has the columns {', '.join(frame.columns)}."
        )
    return frame


def key_of(row: Settings) -> str:
    """Name of the settings of a row, the same on any machine."""
    return hashlib.sha256(json.dumps(dict(row), sort_keys=True).encode()).hexdigest()[:16]


def _entries(
    work: Work, waiting: Sequence[tuple[str, Settings]], workers: int, scheduler: str | None
) -> Iterator[list[dict[str, Any]]]:
    """Yield lists of finished rows, each with those that finished since the last list."""
    calls = [(work, key, row) for key, row in waiting]
    for batch in side_by_side(_entry, calls, workers=workers, scheduler=scheduler):
        lost = (
            {
                KEY: waiting[o.number][0],
                **waiting[o.number][1],
                SECONDS: float("nan"),
                ERROR: o.lost,
            }
            for o in batch
            if o.lost
        )
        yield [*(outcome.value for outcome in batch if not outcome.lost), *lost]


def _entry(work: Work, key: str, row: Settings) -> dict[str, Any]:
    began, error, results = time.perf_counter(), None, {}
    try:
        results = dict(work(**row))
        shared = {*results} & {*row, KEY, ERROR, SECONDS}
        if shared:
            raise DataError(f"The result '{sorted(shared)[0]}' has the name of a setting.")
    except Exception:
        error, results = traceback.format_exc(), {}
    return {KEY: key, **row, **results, SECONDS: time.perf_counter() - began, ERROR: error}
