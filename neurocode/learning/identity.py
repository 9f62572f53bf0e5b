"""What makes two trainings the same, so that one goes on from the checkpoint of the other."""

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
from neurocode.tasks.losses import LOSSES
from neurocode.tasks.task import Task

Array = jax.Array


def identity(network: Network, task: Task, settings: Settings, seed: int) -> dict[str, Any]:
    """What a checkpoint must agree on: the network at its start, the task, how it is trained, and
    by what."""
    table = {
        "version": neurocode.__version__,
        "precision": str(jnp.result_type(float)),
        "seed": seed,
        "settings": asdict(settings),
        "network": network.table(),
        "disturbance": table_of(network.disturbance),
        "starting arrays": _digest(jax.tree.leaves(network)),
        "task": {
            "loss": _loss(task.loss),
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
    """Hash of arrays, their types and shapes."""
    digest = hashlib.sha256()
    for array in map(np.asarray, arrays):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        for row in np.atleast_1d(array):
            digest.update(row.tobytes())
    return digest.hexdigest()


def _loss(loss: Loss) -> str | dict[str, str]:
    """The name of a loss of neurocode, the class and the attributes of another."""
    if LOSSES.get(loss.name) == loss:
        return loss.name
    attributes = {
        name: re.sub(" at 0x[0-9a-f]+", "", repr(value)) for name, value in vars(loss).items()
    }
    return {"class": f"{type(loss).__module__}.{type(loss).__qualname__}", **attributes}
