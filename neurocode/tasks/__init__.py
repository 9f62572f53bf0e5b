"""Tasks that networks learn, and the losses that measure how well.

Contents
--------
Task, Part, stratified
    The definition of a task; a task of your own is an object of :class:`Task`.
Presentation, RateCoding, Shifts
    How sequences are shown: as spikes that are drawn anew every time, or shifted in training.
Loss, LOSSES
    The definition of a loss, and the losses that come with neurocode.
burst_sequences, spring_mass
    Generated tasks (Baronig et al. 2025).
random_manifolds
    A generated task (Zenke & Vogels 2021).
ecg, heidelberg, braille
    Tasks from files; :func:`download_heidelberg` fetches the Heidelberg data sets.
digits, mnist, fashion_mnist, cifar10
    Images as constant inputs.
nmnist, dvs_gesture, read_aedat
    Recordings of event cameras.
spoken_digits, mel_frames
    Waveforms as input currents.
sources, tell_sources_apart
    Sources of spike trains with known statistics, and the task of telling them apart.
"""

from __future__ import annotations

import importlib
from typing import Any

from neurocode.tasks.catalogue import ROWS

#: Module of each public name. It is loaded when the name is first used, so that the names of tasks
#: are known without loading the libraries that read their files.
_MODULES = {
    "Task": "task",
    "Part": "task",
    "stratified": "task",
    "Loss": "loss",
    "LOSSES": "losses",
    "Presentation": "presentation",
    "RateCoding": "presentation",
    "Shifts": "presentation",
    **{name.replace("-", "_"): row.module for name, row in ROWS.items()},
    "random_manifolds": "manifolds",
    "download_heidelberg": "recorded",
    "read_aedat": "events",
    "spoken_digits": "speech",
    "mel_frames": "speech",
    "tell_sources_apart": "sources",
}

__all__ = [*_MODULES, "sources"]


def __getattr__(name: str) -> Any:
    if name == "sources":
        return importlib.import_module("neurocode.tasks.sources")
    if name not in _MODULES:
        raise AttributeError(f"module 'neurocode.tasks' has no attribute '{name}'")
    return getattr(importlib.import_module(f"neurocode.tasks.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
