"""Checkpoints of a training run: written completely or not at all, and refused when they are
damaged or belong to another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np

from neurocode.errors import DataError
from neurocode.learning.sealed import read_sealed, write_sealed

MAGIC = b"neurocode checkpoint 2"


def save_checkpoint(path: Path, state: Any, settings: dict[str, Any]) -> None:
    """Write the arrays of a state; an existing file is replaced only once all is on the disk.

    Parameters
    ----------
    path : pathlib.Path
    state : tree of arrays
    settings : dict
        Plain values that must be the same for a training run to continue from the checkpoint.
    """
    write_sealed(path, MAGIC, settings, jax.tree.leaves(state))


def load_checkpoint(path: Path, like: Any, settings: dict[str, Any]) -> Any:
    """Read a state back.

    Parameters
    ----------
    path : pathlib.Path
    like : tree of arrays
        Example of the expected structure and shapes.
    settings : dict

    Raises
    ------
    DataError
        If the file is damaged, was written with other settings, or holds another network. The
        message names the file.
    """
    try:
        table, leaves = read_sealed(path, MAGIC, "checkpoint")
    except DataError as error:
        raise DataError(f"{str(error).rstrip('.')}; delete it to start anew.") from None
    written, wanted = _flat(table), _flat(settings)
    differing = sorted({name for name, _ in written.items() ^ wanted.items()})
    if differing:
        raise DataError(
            f"{path}: the checkpoint was made with another '{differing[0]}'; choose another "
            f"folder or delete it."
        )
    expected = jax.tree.leaves(like)
    if [leaf.shape for leaf in leaves] != [np.shape(leaf) for leaf in expected]:
        raise DataError(
            f"{path}: the checkpoint holds another network; choose another folder or delete it."
        )
    return jax.tree.unflatten(jax.tree.structure(like), leaves)


def _flat(value: Any, name: str = "") -> dict[str, Any]:
    """Return plain values under dotted names; a list also enters its length, so that lists of
    different lengths differ."""
    if isinstance(value, dict):
        parts = [_flat(part, f"{name}.{key}".lstrip(".")) for key, part in value.items()]
    elif isinstance(value, (list, tuple)):
        parts = [
            {name: len(value)},
            *(_flat(part, f"{name}.{key}") for key, part in enumerate(value)),
        ]
    else:
        return {name: value}
    return {key: part for flat in parts for key, part in flat.items()}
