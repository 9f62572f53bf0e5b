"""Runs of a model by scanning its JAX step."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.models.model import NeuronModel
from neurocode.simulation.raw_run import RawRun
from neurocode.simulation.step import Step, step_function

#: Steps scanned in one call: bounds the memory of the spike raster and lets progress be shown.
BLOCK = 50_000


def run_jax(
    model: NeuronModel,
    dt: float,
    n_steps: int,
    trials: int,
    *,
    parameters: Mapping[str, float | np.ndarray],
    stimulus: np.ndarray | None,
    seed: int,
    record: tuple[str, ...] = (),
    t_start: float = 0.0,
) -> RawRun:
    """Run a model in JAX, trials as lanes of one array, in float64; ``t`` begins at ``t_start``
    seconds."""
    with jax.enable_x64(True):
        step = step_function(model, dt)
        values = {**model.values, **parameters}
        values = {name: jnp.asarray(value, float) for name, value in values.items()}
        state = step.initial_state(values, (trials,))
        key = jax.random.key(seed)
        if stimulus is None:
            stimulus = np.zeros(n_steps)
        rasters, offsets, recorded = [], [], {name: [] for name in record}
        for start in range(0, n_steps, BLOCK):
            stop = min(start + BLOCK, n_steps)
            state, spikes, offset, values_of = _scan(
                step, record, state, jnp.asarray(stimulus[start:stop]), values, key, start, t_start
            )
            rasters.append(np.nonzero(np.asarray(spikes)))
            if model.within_step:
                offsets.append(np.asarray(offset)[rasters[-1]])
            rasters[-1][0][:] += start
            for name in record:
                recorded[name].append(np.asarray(values_of[name]))
    steps = np.concatenate([raster[0] for raster in rasters])
    lanes = np.concatenate([raster[1] for raster in rasters])
    order = np.argsort(lanes, kind="stable")
    ends = np.searchsorted(lanes[order], np.arange(1, trials))
    inside = np.split(np.concatenate(offsets)[order], ends) if offsets else None
    return RawRun(
        np.split(steps[order], ends),
        {name: np.concatenate(blocks).T for name, blocks in recorded.items()},
        inside,
    )


@partial(jax.jit, static_argnames=("step", "record"))
def _scan(
    step: Step,
    record: tuple[str, ...],
    state: dict,
    stimulus: jax.Array,
    values: dict,
    key: jax.Array,
    start: int,
    t_start: float,
):
    prepared = step.prepare(values)

    def advance(state, slot):
        index, current = slot
        inputs = {**{name: current for name in step.inputs}, "t": t_start + index * step.dt}
        recorded = {name: step.value(name, state, inputs, prepared) for name in record}
        state, output = step(state, inputs, prepared, key=jax.random.fold_in(key, index))
        offset = output.offset if step.within_step else ()
        return state, (
            output.spikes,
            offset,
            {name: jnp.broadcast_to(v, output.spikes.shape) for name, v in recorded.items()},
        )

    indices = start + jnp.arange(stimulus.shape[0])
    state, (spikes, offsets, recorded) = jax.lax.scan(advance, state, (indices, stimulus))
    return state, spikes, offsets, recorded
