"""Showing the progress of long computations in the terminal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from neurocode.inference.optimise import Report


class Update(Protocol):
    """Function that moves a progress bar, or sets the text of the next line."""

    def __call__(
        self, description: str, completed: float | None = None, total: float | None = None
    ) -> None:
        """Describe the current step, and how much of it is completed."""


#: Seconds between lines if there is no terminal in which a bar could move.
LINE_SECONDS = 20.0


class Lines:
    """Progress of a long computation as a line at regular intervals: for logs, which have no bars.

    Parameters
    ----------
    console : rich.console.Console
    title : str
    """

    def __init__(self, console: Console, title: str) -> None:
        self.console, self.latest, self._ended, self._began = (
            console,
            title,
            threading.Event(),
            time.monotonic(),
        )
        self._thread = threading.Thread(target=self._speak, daemon=True)

    def __enter__(self) -> Lines:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _speak(self) -> None:
        while not self._ended.wait(LINE_SECONDS):
            text = f"{self.latest}, {time.monotonic() - self._began:.0f} s"
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _bar(
    title: str, columns: Sequence[ProgressColumn], transient: bool, total: float | None = None
) -> Iterator[Update]:
    """Show a bar in a terminal, and lines elsewhere; yields a function that takes a description and
    the completed part."""
    console = Console(stderr=True)
    if not console.is_terminal:
        with Lines(console, title) as lines:

            def say(
                description: str, completed: float | None = None, total: float | None = None
            ) -> None:
                lines.latest = (
                    description
                    if completed is None or total is None
                    else f"{description}, {completed} of {total}"
                )

            yield say
        return
    with Progress(*columns, console=console, transient=transient) as bar:
        task = bar.add_task(escape(title), total=total)

        def move(
            description: str, completed: float | None = None, total: float | None = None
        ) -> None:
            bar.update(task, description=escape(description), completed=completed, total=total)

        yield move


@contextmanager
def fit_progress(title: str) -> Iterator[Report]:
    """Show phase, log-likelihood and passes over the data while a fit runs."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with _bar(title, columns, transient=True) as update:

        def report(phase: str, log_likelihood: float, passes: int) -> None:
            update(f"{title}: {phase}, log-likelihood {log_likelihood:.1f}, {passes} passes")

        yield report


@contextmanager
def fits_progress(total: int) -> Iterator[Callable[[str, int], None]]:
    """Show how many of several fits are finished, and which one finished last."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with _bar(f"fits, 0 of {total} done", columns, transient=True, total=total) as update:

        def report(latest: str, done: int) -> None:
            update(f"fits, latest {latest}", done, total)

        yield report


@contextmanager
def training_progress(epochs: int) -> Iterator[Callable[[dict[str, float]], None]]:
    """Show epochs, loss, scores and rates while a network is trained."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with _bar("training", columns, transient=True, total=epochs) as update:

        def report(row: dict[str, float]) -> None:
            rates = ", ".join(
                f"{value:.3f}" for name, value in row.items() if name.startswith("rate_")
            )
            text = (
                f"loss {row['loss']:.4f}, score {row['score']:.3f}, validation "
                f"{row['validation_score']:.3f}, rates {rates}"
            )
            update(text, row["epoch"], epochs)

        yield report


@contextmanager
def row_progress(title: str) -> Iterator[Callable[[int, int], None]]:
    """Show how many rows of a study are done, and the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with _bar(title, columns, transient=False) as update:

        def report(done: int, total: int) -> None:
            update(title, done, total)

        yield report
