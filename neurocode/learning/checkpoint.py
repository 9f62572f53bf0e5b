"""Checkpoints of a training: written whole or not at all, and refused when damaged or of another
training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jax
import numpy as np

from neurocode.errors import DataError
from neurocode.learning.sealed import read_sealed, write_sealed

MAGIC = b"neurocode checkpoint 2"


def save_checkpoint(path: Path, state: Any, settings: dict[str, Any]) -> None:
    """Write the arrays of a state, replacing the file only when all is on the disk.

    Parameters
    ----------
    path : pathlib.Path
    state : tree of arrays
    settings : dict
        Plain values that must be the same for a training to go on from it.
    """
    write_sealed(path, MAGIC, settings, jax.tree.leaves(state))


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
    """Plain values by their dotted names; lists of other lengths differ by theirs."""
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
