"""A likelihood climbed again from a maximum that is near: after data were left out, drawn anew, or
a parameter was fixed."""

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
    """Climb from ``z`` until a step is expected to gain less than ``enough`` nats or the passes are
    spent."""
    ascent = Ascent(likelihood, z, progress)
    ascent.climb(passes, enough=enough)
    return ascent
