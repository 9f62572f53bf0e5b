"""Calls run side by side: in this process, in processes of one thread each, and what happens if a
worker dies."""

from __future__ import annotations

import logging
import os

import dask
import pytest

from neurocode.studies import run_study, side_by_side, study_table
from neurocode.studies.workers import PATIENCE, SINGLE_THREAD, Outcome

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def add(a, b):
    return a + b, os.getpid()


def fail(a):
    raise KeyError(a)


def threads_of_numba():
    return os.environ["NUMBA_NUM_THREADS"]


def look(number):
    """Kill the process for one number; otherwise return where the call runs."""
    if number == 3:
        os._exit(1)
    return {
        "process": os.getpid(),
        "threads": ",".join(os.environ[name] for name in THREADS),
        "xla": os.environ["XLA_FLAGS"],
    }


def test_one_worker_is_this_process():
    batches = list(side_by_side(add, [(1, 2), (3, 4)]))
    assert batches == [[Outcome(0, (3, os.getpid()))], [Outcome(1, (7, os.getpid()))]]
    assert batches[0][0].lost is None


def test_calls_are_made_when_they_are_asked_for():
    """So that a row is kept before the next one is begun."""
    made = []
    outcomes = side_by_side(lambda a: made.append(a), [(1,), (2,)])
    assert made == []
    next(outcomes)
    assert made == [1]


def test_what_a_call_raises_is_raised_here():
    with pytest.raises(KeyError, match="'x'"):
        list(side_by_side(fail, [("x",)]))


def test_no_calls_need_no_workers():
    assert (
        list(side_by_side(add, [], workers=2)) == []
        and list(side_by_side(add, [], scheduler="tcp://127.0.0.1:9")) == []
    )


def test_workers_leave_the_environment_as_it_was(monkeypatch):
    """Programs that are started afterwards compute with the threads, and so to the last digit, as
    those before."""
    for name in ("XLA_FLAGS", "NUMBA_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    outcomes = list(side_by_side(threads_of_numba, [(), ()], workers=2))
    assert [outcome.value for batch in outcomes for outcome in batch] == ["1", "1"]
    assert dict(os.environ) == before


@pytest.mark.long
def test_processes_of_one_thread_and_a_row_whose_worker_dies(tmp_path, monkeypatch):
    """Rows come from other processes, in the order asked; the one that kills its worker is
    recorded, the others are kept."""
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    level = logging.getLogger("distributed").level
    seen = []
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        table = run_study(
            look,
            [{"number": n} for n in (1, 3, 2)],
            tmp_path / "t.parquet",
            workers=2,
            progress=lambda done, total: seen.append((done, total)),
        )
    assert table["number"].tolist() == [1, 3, 2] and table["error"].isna().tolist() == [
        True,
        False,
        True,
    ]
    assert "died" in table["error"][1] and "\n" not in table["error"][1]
    assert table["seconds"].isna().tolist() == [False, True, False]
    sound = table[table["error"].isna()]
    assert os.getpid() not in set(sound["process"]) and set(sound["threads"]) == {"1,1,1,1"}
    assert set(sound["xla"]) == {
        "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    }
    assert (
        seen[0] == (0, 3) and seen[-1] == (3, 3) and len(study_table(tmp_path / "t.parquet")) == 3
    )
    assert logging.getLogger("distributed").level == level


def test_settings_of_workers():
    assert {SINGLE_THREAD[name] for name in THREADS} == {"1"} and PATIENCE == 20.0
