"""Writing tables as CSV in which a spreadsheet evaluates no text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

#: First characters with which a spreadsheet takes a cell as a formula, or moves to another cell.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a table with its index; text that a spreadsheet would evaluate is prefixed with an
    apostrophe.

    Parameters
    ----------
    frame : pandas.DataFrame
    path : pathlib.Path

    Examples
    --------
    >>> import tempfile
    >>> frame = pd.DataFrame({"n": [-1]}, index=pd.Index(["=1+1"], name="unit"))
    >>> file = write_csv(frame, Path(tempfile.mkdtemp()) / "x.csv")
    >>> file.read_text().splitlines()
    ['unit,n', "'=1+1,-1"]
    """
    escaped = frame.map(_escaped)
    escaped.index = frame.index.map(_escaped)
    escaped.columns = frame.columns.map(_escaped)
    escaped.to_csv(path)
    return path


def _escaped(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_SIGNS) else cell
