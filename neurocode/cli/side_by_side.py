"""Running many tasks in parallel, each into its own folder; finished ones are read back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import Field, asdict
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from rich import print as show
from rich.markup import escape

from neurocode.cli.output import finished
from neurocode.cli.progress import fits_progress
from neurocode.errors import ClusterError
from neurocode.studies import side_by_side
from neurocode.whole_files import require_replaceable


class Labelled(Protocol):
    """A dataclass that names the folder of its result."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def label(self) -> str: ...


Task = TypeVar("Task", bound=Labelled)
Attempt = Callable[[Task, Path], dict[str, Any]]


def run_all(
    attempt: Attempt,
    tasks: Sequence[Task],
    folder: Path,
    workers: int,
    scheduler: str | None = None,
) -> list[dict[str, Any]]:
    """Run fits and return their entries, each with its ``folder`` below the output folder.

    Finished fits with the same settings and inputs are read, not run again.

    Raises
    ------
    DataError
        If nothing can be written into the folder.
    ClusterError
        If a fit kills its worker repeatedly, or the scheduler cannot be reached.
    """
    require_replaceable(folder)
    entries = {
        task.label: entry
        for task in tasks
        if (entry := reused(task, folder / task.label)) is not None
    }
    waiting = [task for task in tasks if task.label not in entries]
    calls = [(task, folder / task.label) for task in waiting]
    with fits_progress(len(tasks)) as report:
        for outcome in itertools.chain.from_iterable(
            side_by_side(attempt, calls, workers=workers, scheduler=scheduler)
        ):
            label = waiting[outcome.number].label
            if outcome.lost:
                raise ClusterError(f"{label}: {outcome.lost}")
            entries[label] = outcome.value
            report(label, len(entries))
    return [{**entries[task.label], "folder": task.label} for task in tasks]


def reused(task: Task, folder: Path) -> dict[str, Any] | None:
    """Result of a task that was finished with the same options, data, model text and version, which
    is then reported in the terminal; else None."""
    results = finished(folder, asdict(task))
    if results is None:
        return None
    show(
        f"reused: {escape(task.label)} (same data, model, options and version; delete "
        f"{escape(str(folder))} to fit it again)"
    )
    return results[0]
