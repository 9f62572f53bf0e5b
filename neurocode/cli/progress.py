"""Progress of long work in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

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


@contextmanager
def training_progress(epochs: int) -> Iterator[Callable[[dict[str, float]], None]]:
    """Show epochs, loss, scores and rates while a network is trained."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("training", total=epochs)

        def report(row: dict[str, float]) -> None:
            rates = ", ".join(f"{value:.3f}" for name, value in row.items() if name.startswith("rate_"))
            text = f"loss {row['loss']:.4f}, score {row['score']:.3f}, validation {row['validation_score']:.3f}, rates {rates}"
            bar.update(task, completed=row["epoch"], description=text)

        yield report


@contextmanager
def row_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many rows of a study are done, and the time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=None)

        def report(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield report
