"""Many tasks, each into a folder of its own: by workers side by side, finished ones read back."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from neurocode.cli.progress import fit_progress
from neurocode.errors import ClusterError
from neurocode.studies import side_by_side

Task = TypeVar("Task")
Attempt = Callable[[Task, Path], dict[str, Any]]


def run_all(
    attempt: Attempt, tasks: Sequence[Task], folder: Path, workers: int, scheduler: str | None = None
) -> list[dict[str, Any]]:
    """Outcomes of fits, each in a folder of its own; finished ones with the same settings are read, not run again.

    Raises
    ------
    ClusterError
        If a fit kills its worker again and again, or the scheduler is not there.
    """
    entries = {task.label: entry for task in tasks if (entry := finished(task, folder / task.label)) is not None}
    waiting = [task for task in tasks if task.label not in entries]
    calls = [(task, folder / task.label) for task in waiting]
    with fit_progress(f"{len(tasks)} fits") as report:
        for outcome in itertools.chain.from_iterable(side_by_side(attempt, calls, workers=workers, scheduler=scheduler)):
            label = waiting[outcome.number].label
            if outcome.lost:
                raise ClusterError(f"{label}: {outcome.lost}")
            entries[label] = outcome.value
            report(f"{label} done", outcome.value.get("log_likelihood") or float("nan"), len(entries))
    return [entries[task.label] for task in tasks]


def finished(task: Task, folder: Path) -> dict[str, Any] | None:
    """Result of a task that was finished with the same settings."""
    try:
        settings = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["settings"]
        results = json.loads((folder / "result.json").read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError):
        return None
    return results[0] if settings == asdict(task) else None
