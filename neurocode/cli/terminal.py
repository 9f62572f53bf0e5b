"""Tables and sentences in the terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from rich import print
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from neurocode.extras import is_installed, missing


def show_table(
    frame: pd.DataFrame, headings: Mapping[str, str], console: Console | None = None
) -> None:
    """Print columns of a table; numbers stay whole, names are folded where they are long.

    Parameters
    ----------
    frame : pandas.DataFrame
    headings : mapping of str to str
        Columns to print, those that the table has, and what stands above them.
    console : rich.console.Console, optional
    """
    columns = [name for name in headings if name in frame]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in columns:
        is_text = any(isinstance(cell, str) for cell in frame[name])
        table.add_column(
            headings[name],
            overflow="fold",
            no_wrap=not is_text,
            justify="left" if is_text else "right",
        )
    for row in frame[columns].astype(object).itertuples(index=False):
        table.add_row(*(cell_text(cell) for cell in row))
    (console or Console()).print(table)


def show_report(folder: Path) -> None:
    """Say where the page is that a person opens first, and what would have to be installed for
    more."""
    if not is_installed("pynwb") and any(folder.rglob("*spikes.csv")):
        print(f"Spikes are written as CSV alone: {escape(missing('pynwb'))}")
    print(f"Report: {escape(str(folder / 'report.html'))}")


def number(value: float | None) -> str:
    """A score to three digits after the point; undefined where there is none."""
    return "undefined" if value is None else f"{value:.3f}"


def spike_counts(n_recorded: int, n_counted: int) -> str:
    """How many training spikes there are and how many enter the likelihood, in the same words
    everywhere."""
    return (
        f"{n_recorded} training spikes, of which {n_counted} count (the first 500 ms of a "
        f"sweep do not)"
    )


def cell_text(cell: object) -> str:
    """Three digits of a number, yes or no, a dash for what is absent, text without its markup read."""
    if isinstance(cell, str):
        return escape(cell)
    if cell is None or cell != cell:
        return "-"
    if isinstance(cell, bool) or type(cell).__name__ == "bool":
        return "yes" if cell else "no"
    return (
        f"{cell:d}"
        if isinstance(cell, int)
        else f"{cell:.3g}"
        if abs(cell) < 999.5
        else f"{cell:.0f}"
    )
