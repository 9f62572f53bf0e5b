"""A sweep of 200 rows whose main process, scheduler or worker is killed: resumed, it is that of an undisturbed run."""

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
from sweep import ROWS, row

from neurocode.errors import ClusterError, DataError
from neurocode.studies import run_study, study_table

HERE = Path(__file__).parent
DASK = [sys.executable, "-m", "distributed.cli.dask_scheduler"], [sys.executable, "-m", "distributed.cli.dask_worker"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    return run_study(partial(row, str(folder / "log")), ROWS, folder / "table.parquet", workers=2).drop(columns="seconds")


def start(command, **options):
    return subprocess.Popen(
        [str(part) for part in command], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )


def wait_for_lines(log, count, seconds=60.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if log.exists() and len(log.read_text().splitlines()) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"{log} did not grow to {count} lines in {seconds} s")


@contextmanager
def cluster(folder, workers=2):
    """A scheduler and workers in processes of their own, without nannies, so that a killed worker stays dead."""
    file = folder / "scheduler.json"
    scheduler = start([*DASK[0], "--port", "0", "--no-dashboard", "--scheduler-file", file])
    own = [start([*DASK[1], "--scheduler-file", file, "--nthreads", "1", "--no-nanny", "--no-dashboard"]) for _ in range(workers)]
    end = time.monotonic() + 60
    while not file.exists() and time.monotonic() < end:
        time.sleep(0.05)
    address = pd.read_json(file, typ="series")["address"]
    try:
        yield address, scheduler, own
    finally:
        for process in (*own, scheduler):
            process.kill()
            process.wait()


def names(table):
    return {f"{r.width}/{r.seed:g}" for r in study_table(table).itertuples()}


def check(frame, undisturbed, table, log, kept):
    """Every row once, equal to an undisturbed run; those that were in the table at the kill were made once."""
    assert len(study_table(table)) == len(ROWS)
    pd.testing.assert_frame_equal(frame.drop(columns="seconds"), undisturbed)
    made = Counter(line.split()[0] for line in log.read_text().splitlines())
    assert set(made) == {f"{r['width']}/{r['seed']}" for r in ROWS}
    assert kept and all(made[name] == 1 for name in kept)


def test_a_killed_main_process(tmp_path, undisturbed):
    table, log = tmp_path / "table.parquet", tmp_path / "log"
    main = start([sys.executable, HERE / "sweep.py", table, log, 2], start_new_session=True)
    wait_for_lines(log, 60)
    os.killpg(main.pid, signal.SIGKILL)
    main.wait()
    kept = names(table)
    assert len(kept) < len(ROWS)
    check(run_study(partial(row, str(log)), ROWS, table), undisturbed, table, log, kept)


def test_a_killed_scheduler(tmp_path, undisturbed):
    table, log = tmp_path / "table.parquet", tmp_path / "log"

    def kill(done, total):
        if done >= 60:
            scheduler.kill()

    with cluster(tmp_path) as (address, scheduler, _), pytest.raises(ClusterError, match="run it again"):
        run_study(partial(row, str(log)), ROWS, table, scheduler=address, progress=kill)
    kept = names(table)
    assert 60 <= len(kept) < len(ROWS)
    check(run_study(partial(row, str(log)), ROWS, table), undisturbed, table, log, kept)


def test_a_killed_worker(tmp_path, undisturbed):
    """The other worker makes its rows; two workers reached by address give the table of local processes."""
    table, log = tmp_path / "table.parquet", tmp_path / "log"

    def kill(done, total):
        if done >= 60 and not kept:
            kept.update(names(table))
            workers[0].kill()

    kept = set()

    with cluster(tmp_path) as (address, _, workers):
        frame = run_study(partial(row, str(log)), ROWS, table, scheduler=address, progress=kill)
    assert len({line.split()[1] for line in log.read_text().splitlines()}) == 2
    check(frame, undisturbed, table, log, kept)


def test_a_scheduler_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.setattr("neurocode.studies.workers.PATIENCE", 1.0)
    with pytest.raises(ClusterError, match="no Dask scheduler at tcp"):
        run_study(partial(row, str(tmp_path / "log")), ROWS[:2], tmp_path / "t.parquet", scheduler="tcp://127.0.0.1:9")
    with cluster(tmp_path, workers=0) as (address, _, _), pytest.raises(ClusterError, match="no workers"):
        run_study(partial(row, str(tmp_path / "log")), ROWS[:2], tmp_path / "t.parquet", scheduler=address)


def test_two_runs_do_not_write_one_table(tmp_path):
    table, log = tmp_path / "table.parquet", tmp_path / "log"
    main = start([sys.executable, HERE / "sweep.py", table, log, 1])
    wait_for_lines(log, 3)
    with pytest.raises(DataError, match="another run"):
        run_study(partial(row, str(log)), ROWS, table)
    main.kill()
    main.wait()
