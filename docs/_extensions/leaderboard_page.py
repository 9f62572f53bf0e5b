"""Puts the rows of ``benchmarks/leaderboard.csv`` into the page of the leaderboard when the site is
built, so that page and table cannot differ."""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

from benchmarks.leaderboard import read_table
from benchmarks.leaderboard.page import markdown_of

PAGE, PLACE = "leaderboard", "<!-- the rows of benchmarks/leaderboard.csv -->"


def put_rows(app: Sphinx, page: str, source: list[str]) -> None:
    """Replace the comment that stands for the rows; a table that changes makes the page anew."""
    if page != PAGE:
        return
    path = Path(app.srcdir).parent / "benchmarks" / "leaderboard.csv"
    app.env.note_dependency(str(path), docname=page)
    source[0] = source[0].replace(PLACE, markdown_of(read_table(path)))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("source-read", put_rows)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
