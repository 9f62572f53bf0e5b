"""SpikeProp: gradient descent on the times of single spikes (Bohte, Kok, La Poutré 2002)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import DataError, TrainingError

Array = jax.Array

#: Smallest slope of a potential at its crossing, per millisecond; it keeps the gradient finite
#: where the potential only grazes the threshold.
SMALLEST_SLOPE = 0.02


class Weights(NamedTuple):
    """Weights of hidden and of output neurons, each of shape (delays, inputs, neurons)."""

    hidden: Array
    output: Array


@dataclass(frozen=True)
class SpikeTimeNetwork:
    """Two layers of neurons that fire at most once, with several delayed synapses of either sign
    between each pair of neurons.

    The potential of a neuron is the sum of ``w (s/tau) exp(1 - s/tau)`` over its synapses, where
    ``s`` is the time since a spike arrived. The neuron fires when the potential first reaches the
    threshold.

    Attributes
    ----------
    n_in, n_hidden, n_out : int
    delays : tuple of float
        Delays of the synapses in milliseconds.
    tau : float
        Time constant of the potential in milliseconds.
    threshold : float
    horizon, resolution : float
        Time up to which spikes are searched, and step of the grid on which a crossing is bracketed,
        in milliseconds.

    Raises
    ------
    TrainingError
        For sizes, times or a threshold that are not positive.

    Examples
    --------
    >>> net = SpikeTimeNetwork(2)
    >>> hidden, output = net(net.start(0), jnp.array([0.0, 3.0]))
    >>> hidden.shape, output.shape
    ((5,), (1,))
    """

    n_in: int
    n_hidden: int = 5
    n_out: int = 1
    delays: tuple[float, ...] = tuple(float(k) for k in range(1, 17))
    tau: float = 7.0
    threshold: float = 1.0
    horizon: float = 50.0
    resolution: float = 0.1

    def __post_init__(self) -> None:
        numbers = (
            self.n_in,
            self.n_hidden,
            self.n_out,
            self.tau,
            self.threshold,
            self.horizon,
            self.resolution,
            *self.delays,
        )
        if not self.delays or not all(number > 0 for number in numbers):
            raise TrainingError("Sizes, delays, times and the threshold must be positive.")

    def start(self, seed: int) -> Weights:
        """Return initial weights with which every neuron fires about midway through its inputs."""
        hidden, output = jax.random.split(jax.random.key(seed))
        n = len(self.delays)
        draw = partial(jax.random.uniform, minval=0.1, maxval=1.0)
        return Weights(
            draw(hidden, (n, self.n_in, self.n_hidden)) * 3 * self.threshold / (n * self.n_in),
            draw(output, (n, self.n_hidden, self.n_out)) * 4 * self.threshold / (n * self.n_hidden),
        )

    @partial(jax.jit, static_argnums=0)
    def __call__(self, weights: Weights, times: Array) -> tuple[Array, Array]:
        """Return spike times (n_hidden,) and (n_out,) in ms for input times (n_in,). The time of a
        silent input or neuron is infinite."""
        hidden = self._layer(weights.hidden, times)
        return hidden, self._layer(weights.output, hidden)

    def _layer(self, weights: Array, times: Array) -> Array:
        return jax.vmap(lambda column: self._crossing(column, times), in_axes=2)(weights)

    def _potential(self, weights: Array, times: Array, time: Array) -> Array:
        arrival = times[None, :] + jnp.asarray(self.delays)[:, None]
        elapsed = jnp.where(jnp.isfinite(arrival), time - arrival, -1.0)
        elapsed = jnp.maximum(elapsed, 0.0)
        return jnp.sum(weights * (elapsed / self.tau) * jnp.exp(1 - elapsed / self.tau))

    def _crossing(self, weights: Array, times: Array) -> Array:
        """Return the first time at the threshold: it is bracketed on the grid, refined by bisection
        and differentiated as an implicit function."""
        fixed = jax.lax.stop_gradient((weights, times))
        grid = jnp.arange(0, self.horizon, self.resolution)
        reached = jax.vmap(lambda time: self._potential(*fixed, time))(grid) >= self.threshold
        first = grid[jnp.argmax(reached)]

        def halve(_: int, bracket: tuple[Array, Array]) -> tuple[Array, Array]:
            middle = (bracket[0] + bracket[1]) / 2
            above = self._potential(*fixed, middle) >= self.threshold
            return jnp.where(above, bracket[0], middle), jnp.where(above, middle, bracket[1])

        low, high = jax.lax.fori_loop(0, 30, halve, (first - self.resolution, first))
        when = jax.lax.stop_gradient((low + high) / 2)
        slope = jax.lax.stop_gradient(
            jnp.maximum(jax.grad(self._potential, 2)(*fixed, when), SMALLEST_SLOPE)
        )
        crossing = (
            when
            - (
                self._potential(weights, times, when)
                - jax.lax.stop_gradient(self._potential(*fixed, when))
            )
            / slope
        )
        return jnp.where(reached.any(), crossing, jnp.inf)


@dataclass(frozen=True)
class SpikeTimes:
    """Input times and the output times they should cause.

    Attributes
    ----------
    inputs, targets : numpy.ndarray (patterns, n_in), (patterns, n_out)
        Spike times in milliseconds.

    Raises
    ------
    DataError
        For shapes that do not fit one another, or times that are negative or not finite.

    Examples
    --------
    >>> SpikeTimes([[0.0, 6.0]], [[10.0]]).inputs.shape
    (1, 2)
    """

    inputs: np.ndarray
    targets: np.ndarray

    def __post_init__(self) -> None:
        for name in ("inputs", "targets"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), float))
        if (
            self.inputs.ndim != 2
            or self.targets.ndim != 2
            or len(self.inputs) != len(self.targets)
            or not len(self.inputs)
        ):
            raise DataError(
                f"Input and target times must have one row per pattern, not shapes "
                f"{self.inputs.shape}, {self.targets.shape}."
            )
        for times in (self.inputs, self.targets):
            if not np.all(np.isfinite(times)) or times.min() < 0:
                raise DataError("Spike times must be finite and not negative.")


@dataclass(frozen=True)
class SpikePropResult:
    """Result of SpikeProp.

    Attributes
    ----------
    weights : Weights
    errors : numpy.ndarray (cycles,)
        Half the sum of squared errors of the output times over all patterns, in ms^2, before each
        update.
    """

    weights: Weights
    errors: np.ndarray


@dataclass(frozen=True)
class SpikeProp:
    """Batch gradient descent on the squared errors of output spike times.

    Each spike time moves by ``dt = -dV/(dV/dt)`` at the threshold (Bohte et al. 2002, eq. 9),
    computed here as the derivative of an implicit function. The gradient through both layers
    therefore equals the deltas in the paper. A silent output neuron counts as firing at the
    horizon, and all its weights grow.

    Attributes
    ----------
    learning_rate : float
    growth : float
        Amount added to the magnitude of the weights of a silent neuron (our choice, not from the
        paper).

    Raises
    ------
    TrainingError
        For rates that are not positive.

    Examples
    --------
    >>> rule, net = SpikeProp(), SpikeTimeNetwork(2, n_hidden=3)
    >>> result = rule.fit(net, SpikeTimes([[0.0, 4.0]], [[15.0]]), cycles=60, stop=0.1)
    >>> bool(result.errors[-1] < 0.1)
    True
    """

    learning_rate: float = 0.003
    growth: float = 0.005

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.growth > 0):
            raise TrainingError("The learning rate and the growth must be positive.")

    def fit(
        self,
        network: SpikeTimeNetwork,
        task: SpikeTimes,
        *,
        cycles: int = 500,
        stop: float = 0.0,
        seed: int = 0,
    ) -> SpikePropResult:
        """Learn until the error is below ``stop``.

        Raises
        ------
        DataError
            For a task that does not fit the network.
        """
        if (task.inputs.shape[1], task.targets.shape[1]) != (network.n_in, network.n_out):
            raise DataError(
                f"The network takes {network.n_in} input and {network.n_out} target times per "
                f"pattern, not {task.inputs.shape[1]} and {task.targets.shape[1]}."
            )
        with jax.enable_x64(True):
            weights, errors = network.start(seed), []
            inputs, targets = jnp.asarray(task.inputs), jnp.asarray(task.targets)
            for _ in range(cycles):
                error, weights = _update(
                    weights, inputs, targets, network, self.learning_rate, self.growth
                )
                errors.append(float(error))
                if errors[-1] < stop:
                    break
        return SpikePropResult(weights, np.array(errors))


@partial(jax.jit, static_argnums=3)
def _update(
    weights: Weights,
    inputs: Array,
    targets: Array,
    network: SpikeTimeNetwork,
    rate: float,
    growth: float,
) -> tuple[Array, Weights]:
    (error, times), slopes = jax.value_and_grad(partial(_error, network=network), has_aux=True)(
        weights, inputs, targets
    )
    silent = [jnp.mean(~jnp.isfinite(layer_times), axis=0) for layer_times in times]
    moved = [
        layer - rate * slope + growth * jnp.where(layer < 0, -1.0, 1.0) * quiet
        for layer, slope, quiet in zip(weights, slopes, silent, strict=True)
    ]
    return error, Weights(*moved)


def _error(
    weights: Weights, inputs: Array, targets: Array, network: SpikeTimeNetwork
) -> tuple[Array, tuple[Array, Array]]:
    hidden, output = jax.vmap(lambda pattern: network(weights, pattern))(inputs)
    fired = jnp.isfinite(output)
    errors = jnp.where(fired, jnp.where(fired, output, 0.0), network.horizon) - targets
    return 0.5 * jnp.sum(errors**2), (hidden, output)
