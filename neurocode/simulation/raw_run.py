"""Arrays that a simulation engine returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RawRun:
    """Spikes and recorded variables of a run, as arrays.

    Attributes
    ----------
    spike_steps : list of numpy.ndarray
        For each trial the steps in which it spiked.
    recorded : dict of str to numpy.ndarray
        For each recorded variable its values in SI at the start of every step, shape (trials,
        steps).
    offsets : list of numpy.ndarray, optional
        Where crossings lie inside the step: for each spike its time after the start of its step, in
        seconds.
    """

    spike_steps: list[np.ndarray]
    recorded: dict[str, np.ndarray]
    offsets: list[np.ndarray] | None = None

    def times(self, dt: float) -> list[np.ndarray]:
        """Spike times of each trial in seconds."""
        if self.offsets is None:
            return [steps * dt for steps in self.spike_steps]
        return [
            steps * dt + offset
            for steps, offset in zip(self.spike_steps, self.offsets, strict=True)
        ]
