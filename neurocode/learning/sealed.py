"""Files that hold a description and arrays. They are read only if every byte is as it was written,
and no code in them is run."""

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

#: Largest size of a description in bytes.
LONGEST = 50_000_000
#: Kinds of arrays that are read: floats, integers, unsigned integers and booleans.
PLAIN = "fiub"


def write_sealed(
    path: Path, magic: bytes, table: dict[str, Any], arrays: Sequence[np.ndarray]
) -> None:
    """Write a description and arrays; an existing file is replaced only once all is on the disk.

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
    """Return the description and the arrays of a file.

    Parameters
    ----------
    path : pathlib.Path
    magic : bytes
    what : str
        What the file should be, for the message of an error.

    Raises
    ------
    DataError
        If the file is missing, of another kind, or damaged. The message names the file.
    """
    try:
        with path.open("rb") as file:
            if file.readline(len(magic) + 1) != magic + b"\n":
                raise DataError(f"{path}: this is not a {what}, or it is of another version.")
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
    """Return the arrays of a body that holds them one after another, by their types and shapes."""
    arrays, place = [], 0
    with jax.enable_x64(True):
        for kind, shape in kinds:
            dtype = np.dtype(kind)
            if dtype.kind not in PLAIN:
                raise ValueError(f"Arrays of {dtype} cannot be read.")
            arrays.append(jnp.asarray(np.ndarray(shape, dtype, body, place)))
            place += math.prod(shape) * dtype.itemsize
    return arrays
