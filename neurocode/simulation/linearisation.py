"""A model near a steady state: the matrix of its time step, and what follows from it (decay,
oscillation, resonance)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.simulation.step import Step, step_function

Array = jax.Array

Move = Callable[[Array], Array]

#: Number of Newton steps; largest last correction, relative to the size of a state, at which the
#: state counts as steady; size below which a state counts as zero.
NEWTON, STEADY, SMALLEST = 50, 1e-9, 1e-15


@dataclass(frozen=True)
class Linearisation:
    """``x[k+1] = matrix x[k] + gain I[k]`` for deviations from a steady state, between spikes.

    Attributes
    ----------
    states : tuple of str
    matrix : numpy.ndarray (..., n, n)
        In SI; leading axes are those of parameters given as arrays.
    gain : numpy.ndarray (..., n)
        Effect of the input of a step.
    steady : numpy.ndarray (..., n)
        The steady state.
    dt : float
        Time step in seconds.
    """

    states: tuple[str, ...]
    matrix: np.ndarray
    gain: np.ndarray
    steady: np.ndarray
    dt: float

    @property
    def eigenvalues(self) -> np.ndarray:
        """Eigenvalues of the matrix, largest first."""
        values = np.linalg.eigvals(self.matrix)
        return np.take_along_axis(values, np.argsort(-np.abs(values), axis=-1), axis=-1)

    @property
    def spectral_radius(self) -> np.ndarray:
        """Factor per step of the slowest deviation; above one, the steady state is unstable."""
        return np.abs(self.eigenvalues[..., 0])

    @property
    def frequency(self) -> np.ndarray:
        """Frequency in hertz of the slowest deviation that oscillates, zero where none does."""
        values = self.eigenvalues
        angles = np.abs(np.angle(values)) * (np.abs(np.imag(values)) > 0)
        first = np.argmax(angles > 0, axis=-1)[..., None]
        return np.take_along_axis(angles, first, axis=-1)[..., 0] / (2 * np.pi * self.dt)

    def impulse_response(self, steps: int) -> np.ndarray:
        """Return the first state in each step after a unit input, of shape (..., steps)."""
        deviation, responses = self.gain, []
        for _ in range(steps):
            responses.append(deviation[..., 0])
            deviation = np.einsum("...ij,...j->...i", self.matrix, deviation)
        return np.stack(responses, axis=-1)

    def transfer(self, frequencies: np.ndarray) -> np.ndarray:
        """Return the complex response of the first state to sinusoidal inputs with frequencies in
        hertz, of shape (..., frequencies).

        Where the first state is a membrane potential and the input a current, this is the impedance
        in ohm.
        """
        turn = np.exp(2j * np.pi * np.asarray(frequencies) * self.dt)
        system = turn[:, None, None] * np.eye(len(self.states)) - self.matrix[..., None, :, :]
        return np.linalg.solve(system, self.gain[..., None, :, None])[..., 0, 0] * turn

    def resonance(
        self, highest: float = 500.0, resolution: float = 0.25
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the frequency in hertz of the largest response, and the ratio of this response to
        the one to a constant input.

        An integrator responds most to constant input: frequency 0, ratio 1.

        Parameters
        ----------
        highest, resolution : float
            Range and grid in hertz; the range ends at half of the sampling rate.
        """
        grid = np.arange(0.0, min(highest, 0.5 / self.dt), resolution)
        size = np.abs(self.transfer(grid))
        best = np.argmax(size, axis=-1)
        return grid[best], np.take_along_axis(size, best[..., None], axis=-1)[..., 0] / size[..., 0]


def linearise(
    model: NeuronModel,
    dt: float,
    *,
    current: float = 0.0,
    parameters: Mapping[str, np.ndarray] | None = None,
) -> Linearisation:
    """Linearise the time step of a model around its steady state under a constant input.

    The matrix is the derivative of the step that simulation, fits and training use, without spikes.

    Parameters
    ----------
    model : NeuronModel
        Deterministic between spikes, with one input.
    dt : float
        Time step in seconds.
    current : float
        Constant input in SI.
    parameters : mapping of str to array, optional
        Values in SI instead of the model's, all of one shape.

    Returns
    -------
    Linearisation

    Raises
    ------
    ModelError
        For a model with ``xi`` noise or another number of inputs, an unknown parameter, or where no
        steady state below threshold is found.

    Examples
    --------
    >>> import neurocode as nc
    >>> model = nc.models.adlif().with_parameters(tau_u="25 ms", tau_w="60 ms", a=1.0)
    >>> linear = nc.simulation.linearise(model, 1e-3)
    >>> round(float(linear.spectral_radius), 5), round(float(linear.frequency), 1)
    (0.97206, 45.1)
    """
    if model.has_diffusion or len(model.inputs) != 1:
        raise ModelError(
            f"A model to linearise has exactly one input and no xi noise; '{model.name}' does not."
        )
    arrays = {name: np.asarray(values, float) for name, values in (parameters or {}).items()}
    unknown = [name for name in arrays if name not in model.parameters]
    if unknown:
        raise ModelError(
            f"Model '{model.name}' has no parameter '{unknown[0]}'; it has "
            f"{', '.join(model.parameters)}."
        )
    with jax.enable_x64(True):
        step = step_function(model, dt)
        shape = np.broadcast_shapes(*(values.shape for values in arrays.values())) if arrays else ()
        columns = {
            name: jnp.asarray(np.broadcast_to(values, shape).reshape(-1))
            for name, values in arrays.items()
        }
        fixed = {
            name: jnp.asarray(value, float)
            for name, value in model.values.items()
            if name not in arrays
        }
        parts = _around(step, columns, fixed, jnp.asarray(current, float), int(np.prod(shape)))
        steady, error, margin, matrix, gain = (np.asarray(part) for part in parts)
    if not np.all(error <= STEADY) or (model.noise is None and np.any(margin > 0)):
        raise ModelError(
            f"Model '{model.name}': no steady state below threshold was found at an input of "
            f"{current:g}."
        )
    n = len(model.states)
    shapes = ((*shape, n, n), (*shape, n), (*shape, n))
    matrix, gain, steady = (
        part.reshape(s) for part, s in zip((matrix, gain, steady), shapes, strict=True)
    )
    return Linearisation(model.states, matrix, gain, steady, dt)


@partial(jax.jit, static_argnames=("step", "count"))
def _around(
    step: Step, columns: dict[str, Array], fixed: dict[str, Array], drive: Array, count: int
) -> tuple[Array, ...]:
    """Return steady states, last corrections, distances to threshold, matrices and gains for each
    entry of the columns."""

    def at_entry(column: dict[str, Array]) -> tuple[Array, ...]:
        values = {**fixed, **column}
        state = step.initial_state(values)
        x, error = _steady_state(
            lambda x: _moved(step, x, drive, values)[0],
            jnp.stack([state[name] for name in step.states]),
        )
        margin = _moved(step, x, drive, values)[1]
        return (
            x,
            error,
            margin,
            *jax.jacfwd(lambda x, drive: _moved(step, x, drive, values)[0], (0, 1))(x, drive),
        )

    return jax.vmap(at_entry, axis_size=count)(columns)


def _moved(step: Step, x: Array, drive: Array, values: Mapping[str, Array]) -> tuple[Array, Array]:
    """Return the states after one step without a spike, and the distance to threshold."""
    state = step.initial_state(values)
    state |= dict(zip(step.states, x, strict=True))
    next_state, output = step(
        state, {step.inputs[0]: drive, "t": 0.0}, values, spikes=jnp.asarray(False)
    )
    return jnp.stack([next_state[name] for name in step.states]), output.margin


def _steady_state(move: Move, start: Array) -> tuple[Array, Array]:
    """Return the state that a step does not change, found by Newton's method, and the last
    correction relative to the size of the state."""

    def correct(_: int, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        x, size, _last = carry
        change = jnp.linalg.solve(jnp.eye(len(x)) - jax.jacfwd(move)(x), move(x) - x)
        return x + change, jnp.maximum(size, jnp.abs(x)), change

    x, size, change = jax.lax.fori_loop(
        0, NEWTON, correct, (start, jnp.abs(start), jnp.zeros_like(start))
    )
    return x, jnp.max(jnp.abs(change) / jnp.maximum(size, SMALLEST))
