"""Values of a network from recorded spikes and signals, by gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import FitError
from neurocode.extras import require
from neurocode.networks.differentiable import Recorded

Array = jax.Array
Arrays = Mapping[str, Any]

#: What keeps the steps of Adam (Kingma & Ba 2015) finite.
SMALLEST = 1e-12


@dataclass(frozen=True)
class NetworkFit:
    """Result of a fit.

    Attributes
    ----------
    values : dict of str to numpy.ndarray
        Values with the lowest loss, in SI.
    loss : float
        Lowest loss: 0 for equal spikes and signals. A silent network has 1 for its spikes, and a
        constant mean 1 for each signal.
    losses : numpy.ndarray
        Loss before each update and after the last one.
    """

    values: dict[str, np.ndarray]
    loss: float
    losses: np.ndarray


@dataclass(frozen=True)
class Targets:
    """What a network should record.

    Attributes
    ----------
    spikes : dict of str to numpy.ndarray, shape (steps, neurons)
        Numbers of spikes by the name of the monitor.
    signals : dict of (str, str) to numpy.ndarray, shape (steps, entries)
        In SI, by the names of the monitor and the variable.
    decay : float
        Decay of the exponential filter of spikes in one step.
    """

    spikes: Mapping[str, np.ndarray]
    signals: Mapping[tuple[str, str], np.ndarray]
    decay: float

    def loss(self, recorded: Recorded) -> Array:
        """Distance of a record: that of van Rossum (2001) for spikes, and squared for signals, each
        as a part of its target."""
        total = jnp.zeros(())
        for name, spikes in self.spikes.items():
            aim = filtered(jnp.asarray(spikes), self.decay)
            seen = filtered(recorded.spikes[name], self.decay)
            total += ((seen - aim) ** 2).sum() / (aim**2).sum()
        for (name, variable), signal in self.signals.items():
            seen = recorded.states[name][variable]
            total += ((seen - signal) ** 2).mean() / np.var(signal)
        return total


def filtered(spikes: Array, decay: float) -> Array:
    """Spikes after an exponential filter along their first axis."""

    def advance(trace: Array, spikes: Array) -> tuple[Array, Array]:
        trace = decay * trace + spikes
        return trace, trace

    return jax.lax.scan(advance, jnp.zeros(spikes.shape[1:]), spikes)[1]


def descend(
    function: Callable[[Arrays], Recorded],
    start: Arrays,
    targets: Targets,
    intervals: Mapping[str, tuple[float, float]],
    updates: int,
    rate: float,
) -> NetworkFit:
    """Fit values by Adam, in which every value moves by a part of its own size.

    Raises
    ------
    FitError
        If the loss or its gradient is not finite at the start.
    """
    with jax.enable_x64(True):
        both = jax.jit(jax.value_and_grad(lambda values: targets.loss(function(values))))
        values = {name: np.asarray(value, float) for name, value in start.items()}
        scales = {name: float(np.mean(np.abs(v))) or 1.0 for name, v in values.items()}
        adam = require("optax").scale_by_adam(eps=SMALLEST)
        moments = adam.init(values)
        best, losses = values, []
        for number in range(updates + 1):
            loss, gradient = both(values)
            losses.append(float(loss))
            if not _finite(loss, gradient):
                if number == 0:
                    raise FitError("The loss or its gradient is not finite at the start.")
                break
            if losses[-1] == min(losses):
                best = values
            slopes = {name: gradient[name] * scale for name, scale in scales.items()}
            steps, moments = adam.update(slopes, moments)
            for name, value in values.items():
                step = rate * scales[name] * np.asarray(steps[name])
                low, high = intervals.get(name, (-np.inf, np.inf))
                values = {**values, name: np.clip(value - step, low, high)}
    finite = [loss for loss in losses if np.isfinite(loss)]
    return NetworkFit(best, min(finite), np.array(losses))


def _finite(loss: Array, gradient: Mapping[str, Array]) -> bool:
    return bool(np.isfinite(loss)) and all(np.isfinite(g).all() for g in gradient.values())
