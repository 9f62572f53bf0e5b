"""One mutant, one process: do the tests notice?"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.mutation.draw import Mutant

KILLED, SURVIVED = "killed", "survived"


class Planned:
    """Plugin of pytest that keeps the planned tests, in their order."""

    def __init__(self, plan: Sequence[str]) -> None:
        self.rank = {test: number for number, test in enumerate(plan)}

    def pytest_collection_modifyitems(self, items: list) -> None:
        """Sort the tests by the plan and drop all others."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self.rank),
            key=lambda item: self.rank[item.nodeid],
        )


def try_mutant(mutant: Mutant, plan: Sequence[str], root: Path, stamp: int, limit: float) -> str:
    """Plant the fault in a checkout, run the tests until one fails, and take the fault out again.

    Parameters
    ----------
    mutant : Mutant
    plan : sequence of str
        Tests.
    root : pathlib.Path
        A checkout of its own.
    stamp : int
        Different for each call: caches of compiled code go by the time of a file, which so never is
        that of another content.
    limit : float
        Seconds; tests that take longer have noticed.
    """
    if not plan:
        return SURVIVED
    path = root / mutant.path
    original = path.read_text(encoding="utf-8")
    try:
        _write(path, mutant.code(root), 2 * stamp)
        process = multiprocessing.get_context("fork").Process(target=_run, args=(root, plan))
        process.start()
        process.join(limit)
        if process.is_alive():
            os.killpg(process.pid, signal.SIGKILL)
            process.join()
        return SURVIVED if process.exitcode == 0 else KILLED
    finally:
        _write(path, original, 2 * stamp + 1)


def _write(path: Path, text: str, stamp: int) -> None:
    path.write_text(text, encoding="utf-8")
    seconds = 1_700_000_000 + stamp
    os.utime(path, (seconds, seconds))


def _run(root: Path, plan: Sequence[str]) -> None:
    os.setsid()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.chdir(root)
    os.environ["PYTHONPATH"] = str(root)
    sys.path.insert(0, str(root))
    files = list(dict.fromkeys(test.partition("::")[0] for test in plan))
    options = [
        "-x",
        "-q",
        "-p",
        "no:xdist",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:cov",
        "-m",
        "long or not long",
    ]
    code = pytest.main([*options, *files], plugins=[Planned(plan)])
    os._exit(int(code))
