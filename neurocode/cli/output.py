"""Writing the output folder of a command: completely or not at all, and with its provenance."""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neurocode.extras import is_installed
from neurocode.whole_files import recover_folder, replacing_folder

if TYPE_CHECKING:
    import neo

PACKAGES = ("neurocode", "brian2", "jax", "neo", "numpy", "scipy", "pynwb")
PROVENANCE = "provenance.json"


@contextmanager
def output_folder(folder: Path, settings: dict[str, Any]) -> Iterator[Path]:
    """Temporary folder to write into; it replaces ``folder`` as a whole, and only when everything
    has succeeded.

    Files that an earlier command wrote there, according to its ``provenance.json``, are removed;
    other files of the folder are kept.

    Parameters
    ----------
    folder : pathlib.Path
    settings : dict
        Settings of the command, for ``provenance.json``.

    Raises
    ------
    DataError
        If ``folder`` cannot be written, or another process is writing there.
    """
    began, started = time.perf_counter(), datetime.now(UTC)
    with replacing_folder(folder, written_before) as scratch:
        yield scratch
        more = {
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - began, 3),
        }
        more["files"] = sorted({PROVENANCE, *(path.name for path in scratch.iterdir())})
        write_provenance(scratch, settings, more)


def written_before(folder: Path) -> list[str]:
    """Names of the files that the last command wrote into a folder."""
    return _provenance(folder).get("files", [])


def finished(folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Results in a folder that was completed with the same settings, else None."""
    recover_folder(folder, written_before)
    if _provenance(folder).get("settings") != json.loads(json.dumps(settings)):
        return None
    try:
        return json.loads((folder / "result.json").read_text(encoding="utf-8"))["results"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _provenance(folder: Path) -> dict[str, Any]:
    try:
        table = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}


def write_provenance(
    folder: Path, settings: dict[str, Any], more: dict[str, Any] | None = None
) -> Path:
    """Write ``provenance.json``: command, settings, and the versions of the packages."""
    provenance = {
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "settings": settings,
        **(more or {}),
        "python": platform.python_version(),
        "versions": _versions(),
    }
    return write_json(folder / PROVENANCE, provenance)


def _versions() -> dict[str, str]:
    """Versions of the installed packages that numbers and files depend on."""
    versions = {}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def write_spikes(block: neo.Block, path: Path) -> None:
    """Write the spikes of repeated trials as CSV and, where pynwb is installed, as NWB.

    Parameters
    ----------
    block : neo.Block
        One segment per trial, with the train of one neuron.
    path : pathlib.Path
        Path without a suffix.
    """
    import pandas as pd

    from neurocode.recordings import write

    trains = [segment.spiketrains[0].rescale("s").magnitude for segment in block.segments]
    rows = [(trial, time) for trial, train in enumerate(trains) for time in train]
    pd.DataFrame(rows, columns=["trial", "time_s"]).to_csv(path.with_suffix(".csv"), index=False)
    if is_installed("pynwb"):
        write(block, path.with_suffix(".nwb"))


def write_json(path: Path, table: dict[str, Any]) -> Path:
    """Write plain values as indented JSON."""
    path.write_text(json.dumps(table, indent=2), encoding="utf-8")
    return path
