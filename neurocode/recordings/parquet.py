"""Reading columns of Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neurocode.extras import require
from neurocode.recordings.guard import damage_named
from neurocode.recordings.sizes import require_memory

#: Bytes per value in memory, for a number or the name of a unit.
VALUE_BYTES = 8


def headings_of_parquet(path: Path) -> list[str]:
    """Names of the columns of a Parquet file.

    Raises
    ------
    DataError
        If the file is damaged.
    MissingExtraError
        If pyarrow is not installed.
    """
    parquet = require("pyarrow.parquet")
    with damage_named(path, "Parquet"):
        return list(parquet.read_schema(path).names)


def read_parquet(path: Path, headings: Sequence[str]) -> dict[str, np.ndarray]:
    """Read the named columns of a Parquet file, and no others.

    Parameters
    ----------
    path : pathlib.Path
    headings : sequence of str

    Returns
    -------
    dict of str to numpy.ndarray

    Raises
    ------
    DataError
        If the file is damaged or declares too many rows.
    MissingExtraError
        If pyarrow is not installed.

    Examples
    --------
    >>> import pandas as pd, tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cells.parquet"
    >>> pd.DataFrame({"time": [0.5, 0.25], "unit": ["a", "b"]}).to_parquet(file)
    >>> headings_of_parquet(file), read_parquet(file, ["time"])["time"].tolist()
    (['time', 'unit'], [0.5, 0.25])
    """
    parquet = require("pyarrow.parquet")
    with damage_named(path, "Parquet"), parquet.ParquetFile(path, memory_map=False) as file:
        require_memory(path, file.metadata.num_rows * VALUE_BYTES * len(headings), "the table")
        table = file.read(columns=list(headings), use_threads=False)
        return {heading: np.asarray(table.column(heading).to_pandas()) for heading in headings}
