"""Tasks that several studies train on, by name and seed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.learning import Part, Task, stratified, tasks

NAMES = ("digits", "mnist10k", "braille")
PARTS = ("training", "validation", "test")
#: Seed of the division into the test part and the rest.
TEST_SEED = 0
#: Number of samples of a Braille letter that are averaged into one step. Averaging two is our
#: choice, not from the paper; it halves the training time.
BRAILLE_STEPS = 2


def data_folder(name: str) -> Path:
    """Return the path of a folder of recorded data."""
    if "NEUROCODE_DATA" not in os.environ:
        raise DataError(
            f"Recordings are read from the folder {name} of NEUROCODE_DATA, which is not set."
        )
    return Path(os.environ["NEUROCODE_DATA"]) / name


def recorded(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the tasks that are read from a data folder; the digits come with
    scikit-learn."""
    return tuple(name for name in names if name != "digits")


def dataset(name: str, seed: int, steps: int = 8) -> Task:
    """Return the task ``digits``, ``mnist10k`` or ``braille`` for a seed.

    These are the digits of scikit-learn and ten thousand digits of MNIST, each shown for ``steps``
    steps, and Braille letters at half their sampling rate. The test part is the same for every
    seed, so that no seed is tuned on the test sequences of another; the rest is divided into
    training and validation anew for each seed.
    """
    return divided_anew(_made(name, steps), seed)


def _made(name: str, steps: int) -> Task:
    if name == "digits":
        return tasks.digits(n_steps=steps, seed=TEST_SEED)
    if name == "mnist10k":
        return tasks.mnist(data_folder(name) / "mnist10k.npz", n_steps=steps, seed=TEST_SEED)
    return coarser(
        tasks.braille(data_folder(name) / "braille_letters.npz", seed=TEST_SEED), BRAILLE_STEPS
    )


def coarser(task: Task, steps: int) -> Task:
    """Return a task whose steps are means over ``steps`` steps of the original.

    A mean is valid if any of its steps is valid. Steps at the end that do not fill a mean are left
    out.
    """

    def joined(part: Part) -> Part:
        length = part.inputs.shape[1] // steps
        inputs = part.inputs[:, : length * steps].reshape(len(part), length, steps, -1).mean(axis=2)
        return Part(
            inputs,
            part.targets,
            part.valid[:, : length * steps].reshape(len(part), length, steps).any(axis=2),
        )

    return replace(task, **{name: joined(getattr(task, name)) for name in PARTS})


def divided_anew(task: Task, seed: int) -> Task:
    """Return a task whose training and validation sequences are put in a new random order and
    divided into parts of the same sizes."""
    pooled = Part(
        *(
            np.concatenate([getattr(part, field) for part in (task.training, task.validation)])
            for field in ("inputs", "targets", "valid")
        )
    )
    order = np.random.default_rng(seed).permutation(len(pooled))
    training, validation = (
        pooled.select(indices) for indices in np.split(order, [len(task.training)])
    )
    return replace(task, training=training, validation=validation)


def smaller(task: Task, sequences: int, seed: int) -> Task:
    """Return a task with ``sequences`` sequences of every part, with every label in proportion."""
    return replace(
        task, **{name: stratified(getattr(task, name), sequences, seed) for name in PARTS}
    )


def binned(trains: Sequence[np.ndarray], dt: float, steps: int) -> np.ndarray:
    """Return whether a spike falls into each bin (trains, steps); times and ``dt`` are in
    seconds."""
    rows = np.zeros((len(trains), steps), bool)
    for row, times in zip(rows, trains, strict=True):
        bins = np.floor(np.asarray(times) / dt + 1e-9).astype(int)
        row[bins[(bins >= 0) & (bins < steps)]] = True
    return rows
