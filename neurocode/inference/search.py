"""The starts of a fit: where they begin, how long they climb, and which of them go on."""

from __future__ import annotations

import numpy as np

from neurocode.inference.objective import Objective
from neurocode.inference.optimise import Ascent, Report, reporter

STARTS = 6
#: Number of passes that each start may use up to the end of each round. After every round the
#: better half goes on; the best start of the last round is refined.
ROUNDS = (60, 120, 240)
#: Expected gain of a step, in nats, below which a start stops climbing.
ENOUGH_FOR_A_START = 0.1
#: Standard deviation of the random starts around the first, in unconstrained coordinates.
START_SPREAD = 1.0


def search(
    objective: Objective, origin: np.ndarray, starts: int, seed: int, progress: Report | None = None
) -> Ascent:
    """Climb from an origin and from random points around it, keeping the better half each round.

    Returns
    -------
    Ascent
        The ascent with the highest log-likelihood.
    """
    random = np.random.default_rng(seed)
    origins = [
        origin,
        *(origin + START_SPREAD * random.standard_normal(len(origin)) for _ in range(starts - 1)),
    ]
    ascents = [
        Ascent(objective, z, reporter(f"start {number}", progress), rough=True)
        for number, z in enumerate(origins, 1)
    ]
    for passes in ROUNDS:
        for ascent in ascents:
            ascent.climb(passes, ENOUGH_FOR_A_START)
        ascents = sorted(ascents, key=lambda ascent: -ascent.point.log_likelihood)[
            : (len(ascents) + 1) // 2
        ]
    return ascents[0]
