"""Effect of one spike on the distance to threshold, for any model."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.models.model import NeuronModel
from neurocode.simulation.step import step_function

RESTING_SECONDS = 1.0


def spike_effect(
    model: NeuronModel, dt: float, duration: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Return the margin after one clamped spike minus the margin without it, at zero input.

    Reset, spike-triggered current and moving threshold all enter, as the escape rate sees them.

    Parameters
    ----------
    model : NeuronModel
    dt, duration : float
        In seconds.

    Returns
    -------
    times, effect : numpy.ndarray
        Seconds since the spike, and the change of the margin in SI, after the refractory period.

    Examples
    --------
    >>> import neurocode as nc
    >>> times, effect = spike_effect(nc.models.gif(), 1e-3)
    >>> bool(effect[0] < 0)
    True
    """
    resting_steps, later_steps = round(RESTING_SECONDS / dt), round(duration / dt)
    with jax.enable_x64(True):
        step = step_function(model, dt)
        values = step.prepare(
            {name: jnp.asarray(value, float) for name, value in model.values.items()}
        )
        spikes = jnp.zeros((resting_steps + later_steps, 2), bool).at[resting_steps, 1].set(True)

        def advance(state: dict, slot: tuple) -> tuple:
            index, clamped = slot
            inputs = {**dict.fromkeys(step.inputs, 0.0), "t": index * dt}
            state, output = step(state, inputs, values, key=jax.random.key(0), spikes=clamped)
            return state, (output.margin, output.refractory)

        _, (margin, refractory) = jax.lax.scan(
            advance, step.initial_state(values, (2,)), (jnp.arange(len(spikes)), spikes)
        )
        can_spike = ~np.asarray(refractory)[resting_steps + 1 :, 1]
        effect = np.asarray(margin[:, 1] - margin[:, 0])[resting_steps + 1 :]
    times = dt * np.arange(1, len(effect) + 1)
    return times[can_spike], effect[can_spike]
