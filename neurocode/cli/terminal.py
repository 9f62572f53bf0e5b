"""Printing tables and sentences in the terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from rich import print
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from neurocode.extras import is_installed, missing


def show_table(
    frame: pd.DataFrame, headings: Mapping[str, str], console: Console | None = None
) -> None:
    """Print columns of a table; numbers are never wrapped, long names are.

    Parameters
    ----------
    frame : pandas.DataFrame
    headings : mapping of str to str
        Columns to print, if the table has them, and their headings.
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
    """Print the path of the report, and which package would have to be installed for further
    files."""
    if not is_installed("pynwb") and any(folder.rglob("*spikes.csv")):
        print(f"Spikes are written only as CSV: {escape(missing('pynwb'))}")
    print(f"Report: {escape(str(folder / 'report.html'))}")


def number(value: float | None) -> str:
    """A score with three decimals, or the word undefined if there is none."""
    return "undefined" if value is None else f"{value:.3f}"


def spike_counts(n_recorded: int, n_counted: int) -> str:
    """Text with the numbers of training spikes and of those that enter the likelihood, used
    wherever they are printed."""
    return (
        f"{n_recorded} training spikes, of which {n_counted} count (the first 500 ms of a "
        f"sweep do not)"
    )


def cell_text(cell: Any) -> str:
    """A cell as text: three digits of a number, yes or no, a dash if absent, or escaped text."""
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
