"""The table of the leaderboard as Markdown, for the site."""

from __future__ import annotations

import re

import pandas as pd

from benchmarks.leaderboard.rows import ALONE, PUBLISHED
from benchmarks.leaderboard.task import load_task, task_names

EMPTY = "No task has been run yet."
HEADER = "| case | measure | ours | peer | its value | ratio | same run or published |"
#: What Markdown would take for something else than text.
SPECIAL = re.compile(r"([\\|*_`<\[\]$])")


def markdown_of(table: pd.DataFrame) -> str:
    """One section per task, and in it one table per machine.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`benchmarks.leaderboard.read_table` gives it.
    """
    parts = []
    for task, rows in table.groupby("task", sort=False):
        title = load_task(task).title if task in task_names() else task
        parts.append(f"## {title}\n\n`neurocode benchmark --task {task}`")
        shared = ["machine", "neurocode", "python", "libraries", "date", "protocol"]
        for names, of_run in rows.groupby(shared, sort=False):
            lines = [_line(row) for row in of_run.itertuples(index=False)]
            parts += [_circumstances(*names), "\n".join([HEADER, "|---" * 7 + "|", *lines])]
    return "\n\n".join(parts) or EMPTY


def _circumstances(
    machine: str, neurocode: str, python: str, libraries: str, date: str, protocol: str
) -> str:
    text = f"{machine}; neurocode {neurocode}, Python {python}, {libraries}; {date}"
    return escaped(text if protocol == "full" else f"{text}; {protocol}")


def _line(row: tuple) -> str:
    ours, peer_value = (f"{value:.4g} {row.unit}".strip() for value in (row.ours, row.peer_value))
    ratio = "" if pd.isna(row.ratio) else f"{row.ratio:.3g}"
    cells = [
        escaped(row.case),
        escaped(row.measure),
        escaped(ours),
        escaped(row.peer),
        "" if row.kind == ALONE else escaped(peer_value),
        ratio,
        _origin(row),
    ]
    return f"| {' | '.join(cells)} |"


def _origin(row: tuple) -> str:
    """Where the value of the peer is from: published values stand out."""
    mark = "**published**" if row.kind == PUBLISHED else row.kind
    more = [row.source, row.peer_version, row.note]
    return "; ".join([mark, *(escaped(text) for text in more if text)])


def escaped(text: str) -> str:
    """Text of which Markdown makes nothing else."""
    return SPECIAL.sub(r"\\\1", text)
