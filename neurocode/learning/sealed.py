"""Files of arrays behind a description: read only if every byte is as it was written, and nothing
in them is run."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError
from neurocode.whole_files import replacing

#: Most bytes of a description.
LONGEST = 50_000_000
#: Kinds of arrays that are read: real numbers, whole numbers and truth values.
PLAIN = "fiub"


def write_sealed(
    path: Path, magic: bytes, table: dict[str, Any], arrays: Sequence[np.ndarray]
) -> None:
    """Write a description and arrays, replacing the file only when all is on the disk.

    Parameters
    ----------
    path : pathlib.Path
    magic : bytes
        First line of the file.
    table : dict
        Plain values.
    arrays : sequence of arrays
    """
    arrays = [np.asarray(array) for array in arrays]
    body = b"".join(array.tobytes() for array in arrays)
    kinds = [[array.dtype.str, list(array.shape)] for array in arrays]
    header = json.dumps({"table": table, "arrays": kinds}).encode()
    digest = hashlib.sha256(header + body).hexdigest().encode()
    with replacing(path) as scratch:
        scratch.write_bytes(b"\n".join([magic, digest, header, body]))


def read_sealed(path: Path, magic: bytes, what: str) -> tuple[dict[str, Any], list[jax.Array]]:
    """Description and arrays of a file.

    Parameters
    ----------
    path : pathlib.Path
    magic : bytes
    what : str
        What the file should be, for the error.

    Raises
    ------
    DataError
        That names the file: missing, another kind of file, or damaged.
    """
    try:
        with path.open("rb") as file:
            if file.readline(len(magic) + 1) != magic + b"\n":
                raise DataError(f"{path}: this is no {what}, or one of another version.")
            digest, header, body = (
                file.readline(100).strip(),
                file.readline(LONGEST).rstrip(b"\n"),
                file.read(),
            )
    except OSError as error:
        raise DataError(f"{path}: the {what} cannot be read ({error.strerror}).") from None
    if hashlib.sha256(header + body).hexdigest().encode() != digest:
        raise DataError(f"{path}: the {what} is damaged.")
    try:
        content = json.loads(header)
        return content["table"], _arrays(content["arrays"], body)
    except (ValueError, TypeError, KeyError):
        raise DataError(f"{path}: the {what} is damaged.") from None


def _arrays(kinds: list, body: bytes) -> list[jax.Array]:
    """Arrays of the types and shapes given, one after another."""
    arrays, place = [], 0
    with jax.enable_x64(True):
        for kind, shape in kinds:
            dtype = np.dtype(kind)
            if dtype.kind not in PLAIN:
                raise ValueError(f"Arrays of {dtype} are not read.")
            arrays.append(jnp.asarray(np.ndarray(shape, dtype, body, place)))
            place += math.prod(shape) * dtype.itemsize
    return arrays
