"""A self-contained HTML page: text, tables and inline images; its only links lead to places in it
and to pages in the same folder."""

from __future__ import annotations

import base64
import html
import math
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from numbers import Number
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pandas as pd

from neurocode.cli.page_script import SCRIPT
from neurocode.cli.page_style import STYLE
from neurocode.frames import column

#: How the page knows that it holds a table that can be sorted.
SORTABLE = '<table class="sortable"'
#: Tables of more columns may be wider than the page; the keyboard scrolls them.
WIDE = 4


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def heading(text: str) -> str:
    """A section heading."""
    return f"<h2>{html.escape(text)}</h2>"


def anchor(name: str) -> str:
    """A place that links lead to by its name."""
    return f'<a id="{html.escape(name, quote=True)}"></a>'


def bullets(texts: Sequence[str]) -> str:
    """A list of plain texts, or nothing if there are none."""
    return f"<ul>{''.join(f'<li>{html.escape(text)}</li>' for text in texts)}</ul>" if texts else ""


def table(
    frame: pd.DataFrame,
    links: Mapping[str, Sequence[str | None]] | None = None,
    *,
    rows: Sequence[str] | None = None,
    example: str | None = None,
) -> str:
    """A table without its index, numbers to four digits, empty cells for what is absent.

    Parameters
    ----------
    frame : pandas.DataFrame
    links : mapping of str to sequence of str or None, optional
        For each cell of a column the page beside this one that it leads to, or the place in this
        page where it begins with ``#``.
    rows : sequence of str, optional
        Names of the rows, which links of this page lead to.
    example : str, optional
        A filter of rows that makes sense here; with it the reader can sort and filter the table.

    Examples
    --------
    >>> print(table(pd.DataFrame({"unit": ["a"], "rate": [2.0]})))
    <div class="table"><table>
      <thead><tr><th>unit</th><th class="number">rate</th></tr></thead>
      <tbody>
    <tr>
          <td>a</td>
          <td class="number">2</td></tr>
      </tbody>
    </table></div>
    """
    columns = [
        _cells(column(frame, name), (links or {}).get(name), exact=example is not None)
        for name in frame.columns
    ]
    names = [""] * len(frame) if rows is None else [f' id="{html.escape(row)}"' for row in rows]
    lines = [
        f"<tr{name}>\n      " + "\n      ".join(cells) + "</tr>"
        for name, *cells in zip(names, *columns, strict=True)
    ]
    heads = "".join(_head(column(frame, name), typed=example is not None) for name in frame.columns)
    opening = "<table>"
    if example is not None:
        opening = f'<table class="sortable" data-example="{html.escape(example, quote=True)}">'
    focus = ' tabindex="0" role="region" aria-label="table"' if frame.shape[1] > WIDE else ""
    return (
        f'<div class="table"{focus}>{opening}\n  <thead><tr>{heads}</tr></thead>\n  <tbody>\n'
        + "\n".join(lines)
        + "\n  </tbody>\n</table></div>"
    )


def _head(column: pd.Series, *, typed: bool) -> str:
    """A heading, with the type of its values where they can be sorted."""
    kind = "number" if _is_numeric(column) else "text"
    style = ' class="number"' if kind == "number" else ""
    return (
        f"<th{style}{f' data-type={chr(34)}{kind}{chr(34)}' if typed else ''}>"
        f"{html.escape(str(column.name))}</th>"
    )


def _cells(column: pd.Series, targets: Sequence[str | None] | None, *, exact: bool) -> list[str]:
    """Cells of a column, with their links and, where they can be sorted, their exact values."""
    opening = '<td class="number"' if _is_numeric(column) else "<td"
    targets = [None] * len(column) if targets is None else targets
    cells = []
    for value, target in zip(column.astype(object), targets, strict=True):
        absent = value is None or (isinstance(value, float) and math.isnan(value))
        text = "" if absent else html.escape(_shown(value))
        whole = "" if absent else html.escape(str(value), quote=True)
        kept = f' data-value="{whole}"' if exact else ""
        cells.append(f"{opening}{kept}>{link(text, target) if target else text}</td>")
    return cells


def link(text: str, target: str) -> str:
    """A link from text in HTML to a page beside this one, or to a place in it (``#place``)."""
    place = target if target.startswith("#") else quote(target)
    return f'<a href="{html.escape(place, quote=True)}">{text}</a>'


def _is_numeric(column: pd.Series) -> bool:
    """Whether all values that are there are numbers."""
    values = column.dropna()
    numbers = [isinstance(v, Number) and not isinstance(v, (bool, np.bool_)) for v in values]
    return bool(numbers) and all(numbers)


def _shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)


def definitions(meanings: Mapping[str, str], names: Iterable[str]) -> str:
    """What the names of columns or scores mean, without those that have no stated meaning."""
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


def panel(path: Path, description: str) -> str:
    """A PNG, inline, which keeps its size on a narrow screen and is moved sideways there."""
    return f'<div class="panel" tabindex="0">{image(path, description)}</div>'


def figure(path: Path, caption: str, description: str = "") -> str:
    """A PNG, inline, above its caption.

    Parameters
    ----------
    path : pathlib.Path
    caption : str
    description : str
        What stands for the picture where it is not seen; the caption by default.
    """
    picture = image(path, description or caption)
    return f"<figure>{picture}<figcaption>{html.escape(caption)}</figcaption></figure>"


def section(name: str, title: str, parts: Sequence[str]) -> str:
    """A part of the page that links lead to by its name."""
    opening = f'<section id="{html.escape(name, quote=True)}"><h3>{html.escape(title)}</h3>'
    return "\n".join([opening, *parts, "</section>"])


def navigation(targets: Mapping[str, str]) -> str:
    """Links in a row, from their texts to their places."""
    anchors = "".join(link(html.escape(text), target) for text, target in targets.items())
    return f"<nav>{anchors}</nav>"


def hint(text: str) -> str:
    """A small remark on how to use the page, which is not printed."""
    return f'<p class="hint">{html.escape(text)}</p>'


def write_page(path: Path, title: str, parts: Sequence[str]) -> Path:
    """Write a page made of parts; its footer says how it was made."""
    name = html.escape(title)
    script = f"<script>{SCRIPT}</script>" if any(SORTABLE in part for part in parts) else ""
    path.write_text(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title>"
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>\n<body><h1>{name}</h1>\n'
        + "\n".join([*parts, _foot(), script])
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
