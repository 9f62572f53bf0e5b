"""Folders that a command writes: complete or not at all, with the provenance of what is in them."""

from __future__ import annotations

import json
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from neurocode.errors import DataError

PACKAGES = ("neurocode", "brian2", "jax", "neo", "numpy", "scipy", "pynwb")


@contextmanager
def output_folder(folder: Path, settings: dict[str, Any]) -> Iterator[Path]:
    """Folder to write into; its files move to ``folder`` only when everything has succeeded.

    Parameters
    ----------
    folder : pathlib.Path
    settings : dict
        What was asked, for ``provenance.json``.

    Raises
    ------
    DataError
        If ``folder`` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder}: this is a file, expected a folder to write into.")
    began, started = time.perf_counter(), datetime.now(UTC)
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)
        more = {"started": started.isoformat(timespec="seconds"), "seconds": round(time.perf_counter() - began, 3)}
        write_provenance(Path(scratch), settings, more)
        folder.mkdir(parents=True, exist_ok=True)
        for path in Path(scratch).iterdir():
            shutil.move(path, folder / path.name)


def write_provenance(folder: Path, settings: dict[str, Any], more: dict[str, Any] | None = None) -> Path:
    """Write ``provenance.json``: command, settings, and the versions of what the numbers depend on."""
    provenance = {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]], "settings": settings, **(more or {}),
        "python": platform.python_version(), "versions": {package: version(package) for package in PACKAGES},
    }  # fmt: skip
    return write_json(folder / "provenance.json", provenance)


def write_json(path: Path, table: dict[str, Any]) -> Path:
    """Write plain values as indented JSON."""
    path.write_text(json.dumps(table, indent=2), encoding="utf-8")
    return path
