"""Rows of a study: a pure function of settings and seed, in processes side by side, each row kept when it is done."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import pandas as pd

from neurocode.errors import DataError
from neurocode.whole_files import replacing

Settings = Mapping[str, Any]
Work = Callable[..., Mapping[str, Any]]
Progress = Callable[[int, int], None]

#: One thread a process: two of them do 1.65 times the work of one with two threads.
SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
KEY, ERROR, SECONDS = "key", "error", "seconds"


def run_study(
    work: Work, rows: Sequence[Settings], table: str | Path, *, jobs: int = 1, progress: Progress | None = None
) -> pd.DataFrame:
    """Run the rows that a table does not hold yet.

    Parameters
    ----------
    work : callable
        A function at the top level of a module, called with the settings of a row as keywords; returns its results.
    rows : sequence of mappings
        Settings, seeds among them: numbers, text, booleans or None.
    table : path
        Parquet file that grows by a row whenever one is done, whole at any moment; rows in it with the same settings are not run
        again, and rows of other settings stay.
    jobs : int
        Processes of one thread each; 1 works in this process.
    progress : callable, optional
        Called with the number of rows done and of all.

    Returns
    -------
    pandas.DataFrame
        The rows asked for, in their order: settings, results, ``seconds``, and ``error`` with the traceback of a row that failed.

    Raises
    ------
    DataError
        For two rows of the same settings, a result named like a setting, or a table that cannot be read.
    """
    keys = [key_of(row) for row in rows]
    if len(set(keys)) < len(keys):
        raise DataError("Two rows of the study have the same settings.")
    path = Path(table)
    done = study_table(path)
    found = set(done.loc[done[ERROR].isna(), KEY]) if len(done) else set()
    waiting = [(key, row) for key, row in zip(keys, rows, strict=True) if key not in found]
    count = len(rows) - len(waiting)
    for key, entry in _entries(work, waiting, jobs):
        done = pd.concat([done[done[KEY] != key] if len(done) else done, pd.DataFrame([entry])], ignore_index=True)
        with replacing(path) as scratch:
            done.to_parquet(scratch, index=False)
        count += 1
        if progress is not None:
            progress(count, len(rows))
    return done.set_index(KEY).loc[keys].reset_index() if len(rows) else done


def study_table(path: str | Path) -> pd.DataFrame:
    """The table of a study, empty where there is no file.

    Raises
    ------
    DataError
        If the file is no table of a study.
    """
    path = Path(path)
    if not path.exists():
        return pd.DataFrame({KEY: [], ERROR: []})
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no table of a study ({str(error).splitlines()[0]}).") from None
    if not {KEY, ERROR} <= set(frame.columns):
        raise DataError(f"{path}: no table of a study; it has the columns {', '.join(frame.columns)}.")
    return frame


def key_of(row: Settings) -> str:
    """Name of the settings of a row, the same on any machine."""
    return hashlib.sha256(json.dumps(dict(row), sort_keys=True).encode()).hexdigest()[:16]


def _entries(work: Work, waiting: Sequence[tuple[str, Settings]], jobs: int) -> Iterator[tuple[str, dict[str, Any]]]:
    if jobs == 1:
        for key, row in waiting:
            yield key, _entry(work, key, row)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_single_thread) as pool:
        futures = {pool.submit(_entry, work, key, row): key for key, row in waiting}
        for future in as_completed(futures):
            yield futures[future], future.result()


def _single_thread() -> None:
    """Before the numerical libraries are loaded in a new process."""
    os.environ.update(SINGLE_THREAD)


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
