"""Brian2 in threads: a seed gives the same spikes, and preferences are restored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import brian2
import numpy as np

import neurocode as nc
from neurocode.simulation.step import step_function


def test_threads_get_the_spikes_of_their_seed_and_leave_the_preferences():
    model, current = nc.models.noisy_lif(), np.full(30, 0.5)

    def spikes(seed):
        return (
            nc.simulate(model, current, dt=1e-3, seed=seed)
            .segments[0]
            .spiketrains[0]
            .magnitude.tolist()
        )

    target = brian2.prefs.codegen.target
    alone = [spikes(seed) for seed in range(4)]
    assert len({tuple(train) for train in alone}) > 2
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(spikes, range(4)))
        steps = list(
            pool.map(lambda k: step_function(nc.models.glm((2.0 + k, 50.0)), 1e-3).states, range(4))
        )
    assert together == alone
    assert steps == [("u", "h_1", "h_2")] * 4
    assert brian2.prefs.codegen.target == target == "auto"
