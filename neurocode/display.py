"""Display of values: a few lines in a terminal, a table in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd

#: Largest number of lines of a ``repr``.
MOST_LINES = 10


def lines(heading: str, rows: Sequence[str], most: int = MOST_LINES) -> str:
    """Return a heading with rows below it, in at most ``most`` lines; the last line says how many
    rows are left out.

    Examples
    --------
    >>> print(lines("three", ["a", "b", "c"], most=3))
    three
      a
      ... and 2 more
    """
    visible = (
        list(rows)
        if len(rows) < most
        else [*rows[: most - 2], f"... and {len(rows) - most + 2} more"]
    )
    return "\n".join([heading, *(f"  {row}" for row in visible)])


def html(heading: str, frame: pd.DataFrame, sentences: Sequence[str] = (), code: str = "") -> str:
    """A heading, lines of code, sentences and a table as HTML, with every text escaped.

    Examples
    --------
    >>> "<b>a &lt; b</b>" in html("a < b", pd.DataFrame({"x": [1]}))
    True
    """
    paragraphs = (f"<pre>{escape(code)}</pre>" if code else "") + "".join(
        f"<p>{escape(sentence)}</p>" for sentence in sentences
    )
    table = frame.to_html(float_format=lambda value: f"{value:.4g}", na_rep="", border=0)
    return f"<div><b>{escape(heading)}</b>{paragraphs}{table}</div>"
