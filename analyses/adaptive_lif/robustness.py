"""Trained networks under inputs that did not occur in training: a shifted mean, and added events
(test options of the released code)."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from analyses.adaptive_lif.training import trained
from analyses.protocol import training_of
from neurocode.learning import Part, evaluate

#: Shifts in units of the mean of the test inputs, and shares of channels and steps that get an
#: event (both our choice, not from the paper).
SHIFTS = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
EVENTS = (0.01, 0.02, 0.05, 0.1, 0.2)


def shifted(part: Part, level: float) -> Part:
    """Return inputs with ``level`` times their mean added everywhere."""
    return dataclasses.replace(
        part, inputs=(part.inputs + level * part.inputs.mean()).astype(np.float32)
    )


def with_events(part: Part, share: float, seed: int) -> Part:
    """Return inputs with an event added at a random share of channels and steps."""
    events = np.random.default_rng(seed).random(part.inputs.shape) < share
    return dataclasses.replace(part, inputs=(part.inputs + events).astype(np.float32))


def robustness_row(folder: Path, **row: Any) -> dict[str, Any]:
    """Return the score of a trained network at every level, and the columns of
    :func:`training_of`."""
    task, result = trained(row, folder)
    parts = {f"shift_{level:g}": shifted(task.test, level) for level in SHIFTS}
    parts |= {f"events_{share:g}": with_events(task.test, share, row["seed"]) for share in EVENTS}
    scores = {name: evaluate(result.network, part, task).score for name, part in parts.items()}
    return {**training_of(result, task, row["seed"]), **scores}
