"""Reading named arrays of numbers from NPZ files, without unpickling and only if the file and the
memory can hold them."""

from __future__ import annotations

import math
import zipfile
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import damage_named
from neurocode.recordings.sizes import require_memory, require_stored

MAGIC = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an NPZ file by their names.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    dict of str to numpy.ndarray
        Arrays of numbers, text, or time differences, in the order of the file.

    Raises
    ------
    DataError
        If the file is damaged, declares more than it holds, or holds Python objects, which only a
        pickle can store.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cells.npz"
    >>> np.savez(file, a=[0.5, 0.25], b=[0.75])
    >>> {name: array.tolist() for name, array in read_npz(file).items()}
    {'a': [0.5, 0.25], 'b': [0.75]}
    """
    with damage_named(path, "NumPy"), zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        total = sum(entry.file_size for entry in entries)
        require_stored(path, total, "the archive")
        require_memory(path, total, "the archive")
        return {
            entry.filename.removesuffix(".npy"): _array(path, archive, entry) for entry in entries
        }


def _array(path: Path, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    name = entry.filename.removesuffix(".npy")
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version not in MAGIC:
            raise DataError(
                f"{path}: '{name}' is of version {version} of NumPy's format, expected 1.0 or 2.0."
            )
        shape, _, dtype = MAGIC[version](file)
    if dtype.hasobject:
        raise DataError(
            f"{path}: '{name}' holds Python objects, which are not unpickled; expected numbers."
        )
    declared = math.prod(shape) * dtype.itemsize
    if declared > entry.file_size:
        raise DataError(f"{path}: '{name}' declares {declared} bytes and holds {entry.file_size}.")
    with archive.open(entry) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
