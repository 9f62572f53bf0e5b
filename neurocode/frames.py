"""Look-ups in tables of pandas that have one type; pandas says of each that it may be a column, a
table or a scalar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import pandas as pd

Table = TypeVar("Table", "pd.DataFrame", "pd.Series")


def column(frame: pd.DataFrame, name: Any) -> pd.Series:
    """One column of a table.

    Examples
    --------
    >>> import pandas as pd
    >>> column(pd.DataFrame({"rate": [1.0, 2.5]}), "rate").tolist()
    [1.0, 2.5]
    """
    return cast("pd.Series", frame[name])


def kept(table: Table, rows: Any) -> Table:
    """The rows of a table or column for which a truth value per row holds.

    Examples
    --------
    >>> import pandas as pd
    >>> rates = pd.Series([1.0, 2.5])
    >>> kept(rates, rates > 2).tolist()
    [2.5]
    """
    return cast("Table", table[rows])
