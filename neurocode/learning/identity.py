"""What identifies a training run, so that only the same run continues from a checkpoint."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import neurocode
from neurocode.learning.network import Network
from neurocode.learning.parts_file import table_of
from neurocode.learning.settings import Settings
from neurocode.tasks.loss import Loss
from neurocode.tasks.losses import LOSSES, as_loss
from neurocode.tasks.task import Task

Array = jax.Array


def identity(network: Network, task: Task, settings: Settings, seed: int) -> dict[str, Any]:
    """Return what must be the same for a checkpoint to be used: the network at its start, the task,
    how the network is trained, and the version and precision."""
    table = {
        "version": neurocode.__version__,
        "precision": str(jnp.result_type(float)),
        "seed": seed,
        "settings": asdict(settings),
        "network": network.table(),
        "disturbance": table_of(network.disturbance),
        "starting arrays": _digest(jax.tree.leaves(network)),
        "task": {
            "loss": _loss(as_loss(task.loss)),
            "presentation": table_of(task.presentation),
            **{
                name: getattr(task, name)
                for name in ("name", "n_outputs", "dt", "free_running_from")
            },
        },
        "data": {
            name: _digest(jax.tree.leaves(getattr(task, name)))
            for name in ("training", "validation", "test")
        },
    }
    return json.loads(json.dumps(table))


def _digest(arrays: list[Array | np.ndarray]) -> str:
    """Return a hash of arrays, their types and shapes."""
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        for row in np.atleast_1d(array):
            digest.update(row.tobytes())
    return digest.hexdigest()


def _loss(loss: Loss) -> str | dict[str, str]:
    """Return the name of a loss of neurocode, or the class and attributes of any other loss."""
    if LOSSES.get(loss.name) == loss:
        return loss.name
    attributes = {
        name: re.sub(" at 0x[0-9a-f]+", "", repr(value)) for name, value in vars(loss).items()
    }
    return {"class": f"{type(loss).__module__}.{type(loss).__qualname__}", **attributes}
