"""Many tasks, each into a folder of its own: in processes side by side, finished ones read back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from neurocode.cli.progress import fit_progress
from neurocode.studies import side_by_side

Task = TypeVar("Task")
Attempt = Callable[[Task, Path], dict[str, Any]]


def outcomes(attempt: Attempt, tasks: Sequence[Task], folder: Path, jobs: int) -> Iterator[tuple[Task, dict[str, Any]]]:
    """Tasks with their outcomes, as they come; each has a ``label``, the name of its folder."""
    calls = [(task, folder / task.label) for task in tasks]
    for batch in side_by_side(attempt, calls, workers=jobs):
        for number, outcome, lost in batch:
            yield tasks[number], outcome if lost is None else {**asdict(tasks[number]), "error": lost}


def run_all(attempt: Attempt, tasks: Sequence[Task], folder: Path, jobs: int) -> list[dict[str, Any]]:
    """Outcomes of fits, each in a folder of its own; finished ones with the same settings are read, not run again."""
    entries = {task.label: entry for task in tasks if (entry := finished(task, folder / task.label)) is not None}
    waiting = [task for task in tasks if task.label not in entries]
    with fit_progress(f"{len(tasks)} fits") as report:
        for task, outcome in outcomes(attempt, waiting, folder, jobs):
            entries[task.label] = outcome
            report(f"{task.label} done", outcome.get("log_likelihood") or float("nan"), len(entries))
    return [entries[task.label] for task in tasks]


def finished(task: Task, folder: Path) -> dict[str, Any] | None:
    """Result of a task that was finished with the same settings."""
    try:
        settings = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["settings"]
        results = json.loads((folder / "result.json").read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        return None
    return results[0] if settings == asdict(task) else None
