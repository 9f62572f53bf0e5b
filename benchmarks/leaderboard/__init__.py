"""The leaderboard: tasks that anyone can rerun, and the table of what they gave beside peers.

Contents
--------
Row, published, timing_rows
    What a task measures: ours beside a peer of the same run, or beside a published value.
BenchmarkTask, Request, task_names, load_task
    A file of ``tasks/``: what is measured, and what it takes.
run_task, require_quiet_machine
    A task in a process of its own, with machine, versions and date; refused beside other work.
what_is_missing
    Sentences about peers that are not installed.
read_table, merged, write_table
    The table; new rows take the place of those of the same task and machine.
"""

from __future__ import annotations

from benchmarks.leaderboard.rows import Row, published, timing_rows
from benchmarks.leaderboard.runner import require_quiet_machine, run_task
from benchmarks.leaderboard.table import merged, read_table, write_table
from benchmarks.leaderboard.task import BenchmarkTask, Request, load_task, task_names
from benchmarks.peers import what_is_missing

__all__ = [
    "BenchmarkTask",
    "Request",
    "Row",
    "load_task",
    "merged",
    "published",
    "read_table",
    "require_quiet_machine",
    "run_task",
    "task_names",
    "timing_rows",
    "what_is_missing",
    "write_table",
]
