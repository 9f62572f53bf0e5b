"""A small noisy training that can be killed: ``python killed_training.py FOLDER
[EPOCH_TO_DIE_WRITING]`` prints a digest."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Callable

import jax
import numpy as np

import neurocode as nc
from neurocode.learning import Dense, Layer, Network, Readout, Recurrent, Settings, tasks, train

EPOCHS = 4


def network(n_in: int, n_out: int, dropout: float = 0.1) -> Network:
    """Noisy neurons with learned intrinsic parameters and dropout, so that random keys matter."""
    keys = jax.random.split(jax.random.key(5), 3)
    hidden = Layer(
        Dense(n_in, 6, key=keys[0]),
        nc.models.noisy_lif(),
        1e-3,
        recurrent=Recurrent(6, key=keys[1]),
        learned=("tau",),
        dropout=dropout,
    )
    return Network([hidden, Readout(Dense(6, n_out, key=keys[2]), 1e-3)])


def digest(folder: str, seed: int = 3, progress: Callable[[dict], None] | None = None) -> str:
    """Return a hash of everything with which a training ends, except for times."""
    task = tasks.burst_sequences(n_classes=3, n_samples=40, seed=1)
    settings = Settings(
        epochs=EPOCHS, batch_size=9, learning_rate=0.01, clip=1.0, schedule="cosine"
    )
    result = train(
        network(10, 3), task, seed=seed, settings=settings, folder=folder, progress=progress
    )
    leaves = [
        np.asarray(leaf)
        for leaf in jax.tree.leaves((result.network, result.last))
        if hasattr(leaf, "dtype")
    ]
    numbers = result.history.drop(columns="seconds").to_numpy()
    return hashlib.sha256(b"".join(leaf.tobytes() for leaf in [*leaves, numbers])).hexdigest()


def main() -> None:
    """Train, and kill the process while it writes the checkpoint of the given epoch."""
    if len(sys.argv) > 2:
        write, fatal, count = os.fsync, int(sys.argv[2]), 0

        def die(descriptor: int) -> None:
            nonlocal count
            count += 1
            if count == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            write(descriptor)

        os.fsync = die
    print(digest(sys.argv[1]), flush=True)


if __name__ == "__main__":
    main()
