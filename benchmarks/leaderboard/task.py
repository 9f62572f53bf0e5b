"""A task of the leaderboard: one file of ``tasks/`` that declares ``TASK``."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.leaderboard.rows import Row
from benchmarks.peers import installed, library_of
from neurocode.errors import ModelError
from neurocode.studies.study import missing_folders

FOLDER = Path(__file__).with_name("tasks")


@dataclass(frozen=True)
class Request:
    """How a task is run.

    Attributes
    ----------
    quick : bool
        Small, in about a minute: shows that it works.
    peers : tuple of str
        Those of the task that are installed.
    """

    quick: bool
    peers: tuple[str, ...]


@dataclass(frozen=True)
class BenchmarkTask:
    """What is measured, and what it takes.

    Attributes
    ----------
    title : str
    minutes : float
        About how long it runs on two cores with nothing else running.
    rows : callable
        From a :class:`Request` the rows.
    timed : bool
        Whether seconds are measured, which a busy machine makes worthless.
    peers : tuple of str
        Names of ``benchmarks/peers.py`` that run beside ours. A timed task needs one of them.
    data : tuple of str
        Folders of ``NEUROCODE_DATA`` that are read.
    """

    title: str
    minutes: float
    rows: Callable[[Request], Sequence[Row]]
    timed: bool = False
    peers: tuple[str, ...] = ()
    data: tuple[str, ...] = ()

    def obstacle(self) -> str:
        """Why the task cannot be run here; empty where it can."""
        missing = missing_folders(self.data)
        if missing:
            data_folder = os.environ.get("NEUROCODE_DATA", "")
            where = f"is not in {data_folder}" if data_folder else "is not set"
            return f"the folder {missing[0]} of NEUROCODE_DATA {where}."
        if self.timed and not installed(self.peers):
            libraries = ", ".join(dict.fromkeys(library_of(peer) for peer in self.peers))
            return f'no peer is installed ({libraries}): pip install "neurocode[bench]".'
        return ""


def task_names() -> list[str]:
    """Names of all tasks, as on the command line."""
    return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[!_]*.py"))


def load_task(name: str) -> BenchmarkTask:
    """The task of a name.

    Raises
    ------
    ModelError
        If there is none of this name.
    """
    if name not in task_names():
        raise ModelError(
            f"'{name}' is not among the tasks of the leaderboard; known are "
            f"{', '.join(task_names())}."
        )
    module = f"benchmarks.leaderboard.tasks.{name.replace('-', '_')}"
    return importlib.import_module(module).TASK
