"""A sweep of 60 rows whose main process, scheduler or worker is killed; after it is resumed, its
table equals that of an undisturbed run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from sweep import ROWS, SECONDS, row

from neurocode.errors import ClusterError
from neurocode.studies import run_study, study_table

HERE = Path(__file__).parent
DASK = (
    [sys.executable, "-m", "distributed.cli.dask_scheduler"],
    [sys.executable, "-m", "distributed.cli.dask_worker"],
)
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]),
}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return run_study(partial(row, str(folder / "log"), 0.0), ROWS, folder / "table.parquet").drop(
        columns="seconds"
    )


def start(command, **options):
    return subprocess.Popen(
        [str(part) for part in command],
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **options,
    )


def wait_for(condition, what, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not come in {seconds} s"
        time.sleep(0.01)


def lines(log):
    return log.read_text().splitlines() if log.exists() else []


@contextmanager
def scheduler(folder):
    """Start a scheduler in a separate process; yield its address, its process, and a function that
    starts a worker.

    Workers have no nannies, so that a killed one stays dead.
    """
    file = folder / "scheduler.json"
    processes = [start([*DASK[0], "--port", "0", "--no-dashboard", "--scheduler-file", file])]

    def worker():
        processes.append(
            start(
                [
                    *DASK[1],
                    "--scheduler-file",
                    file,
                    "--nthreads",
                    "1",
                    "--no-nanny",
                    "--no-dashboard",
                ]
            )
        )
        return processes[-1]

    wait_for(lambda: file.exists() and file.read_text().endswith("}"), "the scheduler")
    try:
        yield pd.read_json(file, typ="series")["address"], processes[0], worker
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait()


def names(table):
    return {f"{r.width}/{r.seed:g}" for r in study_table(table).itertuples()}


def check(frame, undisturbed, table, log, kept):
    """Every row once, equal to an undisturbed run; those that were in the table at the kill were
    made once."""
    assert len(study_table(table)) == len(ROWS)
    pd.testing.assert_frame_equal(frame.drop(columns="seconds"), undisturbed)
    made = Counter(line.split()[0] for line in lines(log))
    assert set(made) == {f"{r['width']}/{r['seed']}" for r in ROWS}
    assert kept and all(made[name] == 1 for name in kept)


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.long)])
def test_a_killed_main_process(tmp_path, undisturbed, workers):
    """With all its workers; the lock that it held on its table is free."""
    table, log = tmp_path / "table.parquet", tmp_path / "log"
    main = start([sys.executable, HERE / "sweep.py", table, log, workers], start_new_session=True)
    wait_for(lambda: len(names(table)) >= 10, "row 10 of the table")
    os.killpg(main.pid, signal.SIGKILL)
    main.wait()
    kept = names(table)
    assert len(kept) < len(ROWS)
    check(run_study(partial(row, str(log), 0.0), ROWS, table), undisturbed, table, log, kept)


@pytest.mark.long
def test_a_killed_worker_and_a_killed_scheduler(tmp_path, undisturbed, monkeypatch):
    """Without workers it is refused; the other worker makes the rows of a killed one; without the
    scheduler it is resumed."""
    monkeypatch.setattr("neurocode.studies.workers.PATIENCE", 20.0)
    table, log = tmp_path / "table.parquet", tmp_path / "log"
    work = partial(row, str(log), SECONDS)
    kept = set()

    def kill_a_worker(done, total):
        if done >= 20 and not kept:
            kept.update(names(table))
            workers[0].kill()

    def kill_the_scheduler(done, total):
        if done >= 20:
            process.kill()

    with scheduler(tmp_path) as (address, process, worker):
        with monkeypatch.context() as impatient:
            impatient.setattr("neurocode.studies.workers.PATIENCE", 0.2)
            with pytest.raises(ClusterError) as caught:
                run_study(work, ROWS[:2], tmp_path / "none.parquet", scheduler=address)
        assert str(caught.value) == (
            f"The scheduler at {address} has no workers: start some with 'dask worker {address}'."
        )
        workers = [worker(), worker()]
        check(
            run_study(work, ROWS, table, scheduler=address, progress=kill_a_worker),
            undisturbed,
            table,
            log,
            kept,
        )
        assert {int(line.split()[1]) for line in lines(log)} <= {
            worker_process.pid for worker_process in workers
        }
        table, log = tmp_path / "second.parquet", tmp_path / "second"
        with pytest.raises(ClusterError) as caught:
            run_study(
                partial(row, str(log), SECONDS),
                ROWS,
                table,
                scheduler=address,
                progress=kill_the_scheduler,
            )
        assert (
            str(caught.value)
            == f"The scheduler {address} is gone; finished results are kept: run it again."
        )
    kept = names(table)
    assert 20 <= len(kept) < len(ROWS)
    check(run_study(partial(row, str(log), 0.0), ROWS, table), undisturbed, table, log, kept)


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("neurocode.studies.workers.PATIENCE", 0.2)
    for address in ("tcp://127.0.0.1:9", "nonsense://x"):
        with pytest.raises(ClusterError, match=f"^There is no Dask scheduler at {address} \\("):
            run_study(
                partial(row, str(tmp_path / "log"), 0.0),
                ROWS[:2],
                tmp_path / "t.parquet",
                scheduler=address,
            )
