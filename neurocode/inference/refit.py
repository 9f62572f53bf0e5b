"""Refits that start near their maximum: after data were left out or simulated anew, or after a
parameter was fixed."""

from __future__ import annotations

import numpy as np

from neurocode.inference.likelihood import Likelihood
from neurocode.inference.optimise import Ascent, Progress

PASSES = 80


def refit(
    likelihood: Likelihood,
    z: np.ndarray,
    *,
    passes: int = PASSES,
    enough: float = 1e-3,
    progress: Progress | None = None,
) -> Ascent:
    """Climb from ``z`` until a step is expected to gain less than ``enough`` nats or all passes
    are used up."""
    ascent = Ascent(likelihood, z, progress)
    ascent.climb(passes, enough=enough)
    return ascent
