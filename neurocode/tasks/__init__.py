"""Tasks that networks learn, and the losses that judge them.

Contents
--------
Task, Part, stratified
    What a task is; one of your own is an object of :class:`Task`.
Presentation, RateCoding, Shifts
    How its sequences are shown: as spikes drawn anew every time, or shifted in training.
Loss, LOSSES
    What a loss is, and those that come with neurocode.
burst_sequences, spring_mass
    Generated (Baronig et al. 2025).
random_manifolds
    Generated (Zenke & Vogels 2021).
ecg, heidelberg, braille
    From files; :func:`download_heidelberg` fetches the Heidelberg sets.
digits, mnist, fashion_mnist, cifar10
    Images.
nmnist, dvs_gesture, read_aedat
    Event cameras.
spoken_digits, mel_frames
    Waveforms as input currents.
sources, tell_sources_apart
    Sources of spike trains of known statistics, and telling them apart.
"""

from __future__ import annotations

import importlib
from typing import Any

from neurocode.tasks.catalogue import ROWS

#: Module of each public name, loaded when the name is first used, so that names of tasks are known
#: without what reads their files.
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
