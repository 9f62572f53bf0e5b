"""A task run in a process of its own: libraries of peers set threads and devices for the whole
process that they are imported in, and ours must not find what another task has set."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import pandas as pd

from benchmarks.leaderboard.machine import circumstances
from benchmarks.leaderboard.rows import Row
from benchmarks.leaderboard.table import table_of
from benchmarks.leaderboard.task import Request, load_task
from benchmarks.peers import installed
from benchmarks.quiet import BUSY, others
from neurocode.errors import DataError


def require_quiet_machine() -> None:
    """Refuse to time anything beside other work.

    Raises
    ------
    DataError
        If others use more than ``BUSY`` of the processors.
    """
    busy = others()
    if busy > BUSY:
        raise DataError(
            f"The machine is busy ({busy:.0%} of it is in use by others): timings would mean "
            f"nothing. --allow-busy prints them and keeps none."
        )


def run_task(name: str, *, quick: bool = False) -> pd.DataFrame:
    """Rows of a task, complete with machine, versions and date.

    Parameters
    ----------
    name : str
    quick : bool

    Raises
    ------
    DataError
        If the task stopped before it had measured anything.
    """
    request = Request(quick, tuple(installed(load_task(name).peers)))
    shared = {"protocol": "quick" if quick else "full", **circumstances()}
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            rows = process.submit(measured, name, request).result()
    except BrokenProcessPool:
        raise DataError(f"The process of the task '{name}' was ended by the system.") from None
    return table_of(name, rows, shared)


def measured(name: str, request: Request) -> Sequence[Row]:
    """What a task measures; a script that stops itself says why."""
    try:
        return load_task(name).rows(request)
    except SystemExit as stop:
        raise DataError(f"The task '{name}' stopped: {stop}") from None
