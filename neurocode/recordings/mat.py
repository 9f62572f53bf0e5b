"""Reading arrays of numbers, and cells of them, from MATLAB files, checked before SciPy or h5py
reads them.

SciPy allocates the memory that a file declares before it reads the data, and turns structs and
objects into arrays of Python objects. This module therefore compares the declared classes and sizes
with the bytes that follow them first.
"""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.io
from scipy.io.matlab import matfile_version

from neurocode.errors import DataError
from neurocode.recordings.guard import damage_named
from neurocode.recordings.hdf5 import is_hdf5, no_variable, read_array
from neurocode.recordings.sizes import MOST_BYTES, require_memory

#: Types of elements of MATLAB 5 files, and bytes per number for each type (MathWorks, "MAT-File
#: Format").
MATRIX, COMPRESSED, NAMES = 14, 15, (1, 16)
NUMBER_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 4, 9: 8, 12: 8, 13: 8}
#: Classes of arrays, and the flag of complex numbers.
CELL, NUMERIC, COMPLEX = 1, range(6, 16), 0x0800
CLASSES = {
    2: "a struct",
    3: "an object",
    4: "text",
    5: "a sparse matrix",
    16: "a function",
    17: "an object",
}
HEADER_BYTES, TAG_BYTES, HEAD_BYTES = 128, 8, 4096


def read_mat(path: Path, names: Sequence[str]) -> list[np.ndarray]:
    """Read variables of a MATLAB file of any version.

    Parameters
    ----------
    path : pathlib.Path
    names : sequence of str

    Returns
    -------
    list of numpy.ndarray
        Numbers, or cells (arrays of arrays) of numbers.

    Raises
    ------
    DataError
        If the file is damaged, has no such variable, declares more than it holds, or if a variable
        holds structs, objects, functions or text.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.mat"
    >>> scipy.io.savemat(file, {"times": [0.5, 0.25]})
    >>> read_mat(file, ["times"])[0].tolist()
    [[0.5, 0.25]]
    """
    if is_hdf5(path):
        return [read_array(path, name) for name in names]
    with damage_named(path, "MATLAB"):
        if matfile_version(path)[0] == 0:
            _require_numbers_of_version_4(path, names)
        else:
            _require_numbers_of_version_5(path, names)
        content = scipy.io.loadmat(path, variable_names=list(names))
        return [np.asarray(content[name]) for name in names]


def _require_numbers_of_version_4(path: Path, names: Sequence[str]) -> None:
    variables = {
        name: (math.prod(map(int, shape)), kind) for name, shape, kind in scipy.io.whosmat(path)
    }
    for name in names:
        if name not in variables:
            raise no_variable(path, name, list(variables))
        count, kind = variables[name]
        if kind != "double":
            raise DataError(f"{path}: '{name}' holds values of class {kind}, expected numbers.")
        if count > path.stat().st_size:
            raise DataError(
                f"{path}: '{name}' declares {count} numbers, more than the file has bytes."
            )


def _require_numbers_of_version_5(path: Path, names: Sequence[str]) -> None:
    data = memoryview(np.memmap(path, np.uint8, "r"))
    order = "<" if bytes(data[HEADER_BYTES - 2 : HEADER_BYTES]) == b"IM" else ">"
    variables = {}
    for kind, content in _elements(path, data[HEADER_BYTES:], order):
        head = (
            memoryview(zlib.decompressobj().decompress(content, HEAD_BYTES))[TAG_BYTES:]
            if kind == COMPRESSED
            else content
        )
        name = next(
            bytes(part)
            for kind_of_part, part in _elements(path, head, order)
            if kind_of_part in NAMES
        )
        variables[name.decode("latin1")] = kind, content
    for name in names:
        if name not in variables:
            raise no_variable(path, name, list(variables))
        kind, content = variables[name]
        if kind == COMPRESSED:
            kind, content = next(_elements(path, _inflated(path, name, content), order))
        _require_numbers(path, name, content, order)


def _inflated(path: Path, name: str, content: memoryview) -> memoryview:
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(content, MOST_BYTES)
    require_memory(path, len(inflated) + len(inflater.unconsumed_tail), f"'{name}'")
    return memoryview(inflated)


class _Array(NamedTuple):
    """Class, flags and shape of an array, and the elements that hold its values."""

    kind: int
    flags: int
    shape: tuple[int, ...]
    values: Iterator[tuple[int, memoryview]]


def _array(path: Path, content: memoryview, order: str) -> _Array:
    elements = _elements(path, content, order)
    (_, flags), (_, shape), _ = itertools.islice(elements, 3)
    word = struct.unpack_from(f"{order}I", flags)[0]
    return _Array(word & 0xFF, word, struct.unpack(f"{order}{len(shape) // 4}i", shape), elements)


def _require_numbers(path: Path, name: str, content: memoryview, order: str) -> None:
    """Refuse an array, or cells of arrays, that hold anything but real numbers, or another number
    of them than they declare."""
    array = _array(path, content, order)
    if min(array.shape) < 0:
        raise DataError(f"{path}: '{name}' has the shape {array.shape}.")
    if array.kind == CELL:
        cells = list(itertools.islice(array.values, len(content)))
        _require_count(path, name, "cells", math.prod(array.shape), len(cells))
        for _, cell in cells:
            if len(cell):
                _require_numbers(path, name, cell, order)
    elif array.kind in NUMERIC and not array.flags & COMPLEX:
        kind, values = next(array.values, (9, b""))
        _require_count(
            path, name, "numbers", math.prod(array.shape), len(values) // NUMBER_BYTES[kind]
        )
    else:
        content_class = (
            "complex numbers"
            if array.kind in NUMERIC
            else CLASSES.get(array.kind, f"class {array.kind}")
        )
        raise DataError(
            f"{path}: '{name}' holds {content_class}, expected real numbers or cells of them."
        )


def _require_count(path: Path, name: str, what: str, declared: int, held: int) -> None:
    if declared != held:
        raise DataError(f"{path}: '{name}' declares {declared} {what} and holds {held}.")


def _elements(path: Path, data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Type and content of the elements in ``data``, each of which follows a tag with its type and
    its number of bytes."""
    place = 0
    while place + TAG_BYTES <= len(data):
        kind, size = struct.unpack_from(f"{order}II", data, place)
        start = place + TAG_BYTES
        if kind >> 16:  # up to four bytes that are stored in the tag itself
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
        if start + size > len(data):
            raise DataError(
                f"{path}: the file is cut off: an element of {size} bytes has {len(data) - start}."
            )
        yield kind, data[start : start + size]
        place = start + size
        if kind not in (MATRIX, COMPRESSED):
            place += -place % TAG_BYTES
