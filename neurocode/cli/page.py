"""A self-contained HTML page: text, tables and inline images, no link to anything outside."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; font-size: 0.9rem } th, td { padding: 0.2rem 0.8rem 0.2rem 0; text-align: left }
th { border-bottom: 1px solid #888 } td { border-bottom: 1px solid #ddd } img { max-width: 100% }
"""


def paragraph(text: str) -> str:
    """A paragraph of plain text."""
    return f"<p>{html.escape(text)}</p>"


def heading(text: str) -> str:
    """A section heading."""
    return f"<h2>{html.escape(text)}</h2>"


def table(frame: pd.DataFrame) -> str:
    """A table without its index, numbers to four digits, empty cells for what is absent."""
    return frame.to_html(index=False, border=0, na_rep="", float_format=lambda x: f"{x:.4g}")


def image(path: Path, description: str) -> str:
    """A PNG, inline."""
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{html.escape(description, quote=True)}" src="data:image/png;base64,{data}">'


def write_page(path: Path, title: str, parts: Sequence[str]) -> Path:
    """Write a page made of parts."""
    name = html.escape(title)
    path.write_text(
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{name}</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head>\n<body><h1>{name}</h1>\n'
        + "\n".join(parts)
        + "\n</body></html>\n",
        encoding="utf-8",
    )
    return path
