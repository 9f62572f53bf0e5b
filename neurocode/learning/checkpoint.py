"""Checkpoints of a training: written whole or not at all, and refused when damaged."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import jax
import numpy as np

from neurocode.errors import DataError
from neurocode.whole_files import replacing

MAGIC = b"neurocode checkpoint 1\n"


def save_checkpoint(path: Path, state: Any, settings: dict[str, Any]) -> None:
    """Write the arrays of a state, replacing the file only when all is on the disk.

    Parameters
    ----------
    path : pathlib.Path
    state : tree of arrays
    settings : dict
        What must be the same for a training to go on from it.
    """
    buffer = io.BytesIO()
    np.savez(buffer, **{f"leaf_{k}": np.asarray(leaf) for k, leaf in enumerate(jax.tree.leaves(state))})
    body = buffer.getvalue()
    header = json.dumps({"sha256": hashlib.sha256(body).hexdigest(), "settings": settings}).encode() + b"\n"
    with replacing(path) as scratch:
        scratch.write_bytes(MAGIC + header + body)


def load_checkpoint(path: Path, like: Any, settings: dict[str, Any]) -> Any:
    """Read a state back.

    Parameters
    ----------
    path : pathlib.Path
    like : tree of arrays
        Of the structure and the shapes expected.
    settings : dict

    Raises
    ------
    DataError
        That names the file: damaged, of other settings, or of another network.
    """
    content = path.read_bytes()
    header, _, body = content.removeprefix(MAGIC).partition(b"\n")
    try:
        table = json.loads(header)
        intact = content.startswith(MAGIC) and table["sha256"] == hashlib.sha256(body).hexdigest()
    except (ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        raise DataError(f"{path}: the checkpoint is damaged; delete it to start anew.")
    differing = sorted(k for k in {*table["settings"], *settings} if table["settings"].get(k) != settings.get(k))
    if differing:
        raise DataError(f"{path}: the checkpoint was made with another '{differing[0]}'; choose another folder or delete it.")
    with np.load(io.BytesIO(body)) as arrays:
        leaves = [arrays[f"leaf_{k}"] for k in range(len(arrays.files))]
    expected = jax.tree.leaves(like)
    if [leaf.shape for leaf in leaves] != [np.shape(leaf) for leaf in expected]:
        raise DataError(f"{path}: the checkpoint holds another network.")
    return jax.tree.unflatten(jax.tree.structure(like), [jax.numpy.asarray(leaf) for leaf in leaves])
