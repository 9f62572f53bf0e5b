"""Archives of arrays with a text that says how they belong together: populations in files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import damage_named, require_file
from neurocode.recordings.sizes import require_memory
from neurocode.whole_files import replacing

SUFFIX = ".npz"


def write_archive(
    path: str | Path, kind: str, contents: Mapping[str, Any], arrays: Mapping[str, Any]
) -> Path:
    """Write named arrays, and plain values as JSON under the name of their kind.

    Raises
    ------
    DataError
        If the name does not end in ``.npz``.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise DataError(f"{path}: a {kind} is saved as {SUFFIX}, not as '{path.suffix}'.")
    with replacing(path) as scratch, scratch.open("wb") as file:
        np.savez_compressed(file, **{**arrays, kind: np.array(json.dumps(dict(contents)))})
    return path


def read_archive(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what :func:`write_archive` wrote.

    Returns
    -------
    contents : dict
    arrays : dict of str to numpy.ndarray

    Raises
    ------
    DataError
        If there is no such file, or it holds nothing of this kind.
    """
    path = require_file(path)
    with damage_named(path, "NumPy"):
        if not zipfile.is_zipfile(path):
            raise DataError(f"{path}: this is not a NumPy archive, expected a saved {kind}.")
        with zipfile.ZipFile(path) as archive:
            sizes = sum(entry.file_size for entry in archive.infolist())
            require_memory(path, sizes, f"the {kind}")
        with np.load(path, allow_pickle=False) as arrays:
            if kind not in arrays:
                raise DataError(f"{path}: the archive holds no {kind}; it holds {arrays.files}.")
            contents = json.loads(str(arrays[kind]))
            return contents, {name: arrays[name] for name in arrays.files if name != kind}


def is_archive_of(path: str | Path, kind: str) -> bool:
    """Return whether a file is an archive of this kind."""
    path = Path(path)
    if path.suffix.lower() != SUFFIX or not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return f"{kind}.npy" in archive.namelist()
