"""Progress of a fit in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from neurocode.fitting.optimise import Report


@contextmanager
def fit_progress(title: str) -> Iterator[Report]:
    """Show phase, log-likelihood and passes over the data while a fit runs."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title)

        def report(phase: str, log_likelihood: float, passes: int) -> None:
            bar.update(task, description=f"{title}: {phase}, log-likelihood {log_likelihood:.1f}, {passes} passes")

        yield report
