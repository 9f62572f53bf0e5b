"""A self-contained HTML page: text, tables and inline images; its only links lead to pages in the
same folder."""

from __future__ import annotations

import base64
import html
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from urllib.parse import quote

import pandas as pd

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-size: 0.9rem } th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left }
th { border-bottom: 1px solid #888 } td { border-bottom: 1px solid #ddd } img { max-width: 100% }
dl { font-size: 0.9rem } dt { float: left; clear: left; font-weight: 600; margin-right: 0.6rem } dd { margin: 0 0 0.2rem 0 }
footer { margin-top: 3rem; border-top: 1px solid #ddd; font-size: 0.8rem; color: #555; overflow-wrap: anywhere }
"""


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def heading(text: str) -> str:
    """A section heading."""
    return f"<h2>{html.escape(text)}</h2>"


def bullets(texts: Sequence[str]) -> str:
    """A list of plain texts, nothing where there is none."""
    return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>" if texts else ""


def table(frame: pd.DataFrame, links: Mapping[str, Sequence[str | None]] | None = None) -> str:
    """A table without its index, numbers to four digits, empty cells for what is absent.

    Parameters
    ----------
    frame : pandas.DataFrame
    links : mapping of str to sequence of str or None, optional
        For each cell of a column the page beside this one that it leads to.
    """
    shown = frame.astype(object).map(
        lambda cell: html.escape(cell) if isinstance(cell, str) else cell
    )
    for column, targets in (links or {}).items():
        cells = zip(shown[column], targets, strict=True)
        shown[column] = [
            f'<a href="{quote(target)}">{cell}</a>' if target else cell for cell, target in cells
        ]
    shown.columns = [html.escape(str(column)) for column in shown.columns]
    return shown.to_html(
        index=False, border=0, na_rep="", float_format=lambda x: f"{x:.4g}", escape=False
    )


def definitions(meanings: Mapping[str, str], names: Iterable[str]) -> str:
    """What names, of columns or scores, mean; those without a meaning say it themselves."""
    rows = [
        f"<dt>{html.escape(name)}</dt><dd>{html.escape(meanings[name])}</dd>"
        for name in names
        if name in meanings
    ]
    return f"<dl>{''.join(rows)}</dl>" if rows else ""


def image(path: Path, description: str) -> str:
    """A PNG, inline."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{html.escape(description, quote=True)}" src="data:image/png;base64,{data}">'


def write_page(path: Path, title: str, parts: Sequence[str]) -> Path:
    """Write a page made of parts; at its foot stands how it was made."""
    name = html.escape(title)
    path.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>\n<body><h1>{name}</h1>\n'
        + "\n".join([*parts, _foot()])
        + "\n</body></html>\n",
        encoding="utf-8",
    )
    return path


def _foot() -> str:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    made = datetime.now(UTC).isoformat(sep=" ", timespec="minutes").removesuffix("+00:00")
    text = (
        f"Made by <code>{html.escape(command)}</code> with neurocode {version('neurocode')}, "
        f"Python {platform.python_version()}, "
        f"{made} UTC. Settings and the versions of what the numbers depend on are in "
        f"<code>provenance.json</code> beside this page."
    )
    return f"<footer>{text}</footer>"
