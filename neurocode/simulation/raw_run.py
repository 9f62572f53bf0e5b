"""What an engine returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RawRun:
    """What an engine returns: arrays only.

    Attributes
    ----------
    spike_steps : list of numpy.ndarray
        For each trial the steps in which it spiked.
    recorded : dict of str to numpy.ndarray
        For each recorded variable its values in SI at the start of every step, shape (trials, steps).
    """

    spike_steps: list[np.ndarray]
    recorded: dict[str, np.ndarray]
