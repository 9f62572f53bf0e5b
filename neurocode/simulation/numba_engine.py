"""Large populations for long times: compiled loops over blocks of neurons, run in threads."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from neurocode.models.model import NeuronModel
from neurocode.simulation.loop import time_loop
from neurocode.simulation.raw_run import RawRun

#: Neurons that share a random generator; the spikes do not depend on the number of threads.
BLOCK = 32
#: Spikes per neuron and second for which there is room at first; a block with more spikes runs
#: again with the same random numbers.
ROOM = 50.0


def run_numba(
    model: NeuronModel,
    dt: float,
    n_steps: int,
    trials: int,
    *,
    parameters: Mapping[str, float | np.ndarray],
    stimulus: np.ndarray | None,
    seed: int,
    t_start: float = 0.0,
) -> RawRun:
    """Run a model neuron by neuron and keep only spikes; ``t`` begins at ``t_start`` seconds."""
    loop = time_loop(model, dt)
    values = {**model.values, **parameters}
    width = trials if any(np.ndim(value) for value in values.values()) else 1
    table = np.array(
        [np.broadcast_to(np.asarray(value, float), (width,)) for value in values.values()]
    ).reshape(len(values), width)
    currents = (
        np.zeros((n_steps, 1))
        if stimulus is None
        else np.asarray(stimulus, float).reshape(n_steps, -1)
    )

    def run_block(first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        block = slice(first, min(first + BLOCK, trials))
        block_inputs = [
            np.ascontiguousarray(array[:, block] if array.shape[1] > 1 else array)
            for array in (currents, table)
        ]
        room = int(ROOM * (block.stop - first) * n_steps * dt) + 1024
        while True:
            rng = np.random.Generator(
                np.random.SFC64(np.random.SeedSequence(seed, spawn_key=(first // BLOCK,)))
            )
            steps, offsets, counts = (
                np.empty(room, np.int64),
                np.empty(room),
                np.zeros(block.stop - first, np.int64),
            )
            total = loop(rng, n_steps, dt, t_start, *block_inputs, steps, offsets, counts)
            if total <= room:
                return steps[:total], offsets[:total], counts
            room = total

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        blocks = list(pool.map(run_block, range(0, trials, BLOCK)))
    ends = [np.cumsum(counts)[:-1] for _, _, counts in blocks]
    steps, offsets = (
        [
            train
            for block, end in zip(blocks, ends, strict=True)
            for train in np.split(block[part], end)
        ]
        for part in (0, 1)
    )
    return RawRun(steps, {}, offsets if model.within_step else None)
