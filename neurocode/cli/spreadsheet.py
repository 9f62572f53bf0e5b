"""Tables as CSV that a spreadsheet shows and does not compute."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

#: Signs at which a spreadsheet takes a cell for a formula, or jumps to the next one.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table with its index; text that a spreadsheet would compute gets an apostrophe before
    it.

    Parameters
    ----------
    frame : pandas.DataFrame
    path : pathlib.Path

    Examples
    --------
    >>> import tempfile
    >>> file = write_csv(pd.DataFrame({"n": [-1]}, index=pd.Index(["=1+1"], name="unit")), Path(tempfile.mkdtemp()) / "x.csv")
    >>> file.read_text().splitlines()
    ['unit,n', "'=1+1,-1"]
    """
    shown = frame.map(_shown)
    shown.index = frame.index.map(_shown)
    shown.columns = frame.columns.map(_shown)
    shown.to_csv(path)
    return path


def _shown(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS) else cell
