"""Parallel calls: in this process, in local processes of one thread each, or in the workers of a
Dask scheduler."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from neurocode.errors import ClusterError
from neurocode.extras import require
from neurocode.logs import quiet

if TYPE_CHECKING:
    from distributed import Client, Future

#: One thread per process: two such processes do 1.65 times the work of one with two threads.
SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
#: Further variables that Dask sets in the process that starts workers.
SET_BY_DASK = ("PYTHONHASHSEED", "__DASK_PARENT_PID")
#: Seconds to wait for a scheduler that does not answer, and for a first worker.
PATIENCE = 20.0


class Outcome(NamedTuple):
    """Result of a call: its value, or why there is none (its worker died repeatedly)."""

    number: int
    value: Any
    lost: str | None = None


def side_by_side(
    work: Callable[..., Any],
    calls: Sequence[tuple],
    *,
    workers: int = 1,
    scheduler: str | None = None,
) -> Iterator[list[Outcome]]:
    """Yield outcomes of ``work(*call)``, each time those that arrived since the last time.

    Parameters
    ----------
    work : callable
        A function at the top level of a module that the workers can import. Its exceptions are
        raised here.
    calls : sequence of tuple
    workers : int
        Number of local processes; with 1, calls run in this process.
    scheduler : str, optional
        Address of a Dask scheduler, such as ``tcp://10.0.0.1:8786``, whose workers are used
        instead.

    Yields
    ------
    list of Outcome

    Raises
    ------
    ClusterError
        If the scheduler does not answer, has no worker, or is lost before the end.
    """
    if workers == 1 and scheduler is None:
        for number, call in enumerate(calls):
            yield [Outcome(number, work(*call))]
        return
    if not calls:
        return
    require("distributed")
    from distributed import as_completed
    from distributed.comm.core import CommClosedError

    with quiet("distributed"), _client(workers, scheduler) as client:
        futures = {
            client.submit(work, *call, pure=False): number for number, call in enumerate(calls)
        }
        try:
            for batch in as_completed(futures).batches():
                yield [_outcome(future, futures.pop(future)) for future in batch]
        except (CommClosedError, asyncio.CancelledError, concurrent.futures.CancelledError):
            where = scheduler or "of the local processes"
            raise ClusterError(
                f"The scheduler {where} is gone; finished results are kept: run it again."
            ) from None


def _outcome(future: Future, number: int) -> Outcome:
    from distributed import KilledWorker

    try:
        return Outcome(number, future.result())
    except KilledWorker as error:
        return Outcome(number, None, str(error).splitlines()[0])
    finally:
        # a value that is still referenced would be computed again if its worker died
        future.release()


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Client]:
    import dask.config
    from distributed import Client, LocalCluster

    if scheduler is not None:
        try:
            client = Client(scheduler, timeout=PATIENCE)
        except (OSError, ValueError) as error:
            raise ClusterError(f"There is no Dask scheduler at {scheduler} ({error}).") from None
        with client:
            try:
                client.wait_for_workers(1, timeout=PATIENCE)
            except TimeoutError:
                raise ClusterError(
                    f"The scheduler at {scheduler} has no workers: start some with 'dask worker "
                    f"{scheduler}'."
                ) from None
            yield client
        return
    settings = {"distributed.nanny.pre-spawn-environ": SINGLE_THREAD}
    options = {
        "threads_per_worker": 1,
        "memory_limit": None,
        "dashboard_address": ":0",
        "silence_logs": logging.CRITICAL,
    }
    with (
        _environment_put_back(*SINGLE_THREAD, *SET_BY_DASK),
        dask.config.set(settings),
        LocalCluster(n_workers=workers, **options) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def _environment_put_back(*names: str) -> Iterator[None]:
    """Restore environment variables afterwards, because Dask sets those of its workers permanently
    in the process that starts them.

    Programs that this process starts later would otherwise use another number of threads, and their
    results would differ in the last digits.
    """
    previous = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
