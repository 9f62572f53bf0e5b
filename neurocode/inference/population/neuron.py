"""The neuron of a population: a model of the library or a user's text, with traces of spikes in its
equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from neurocode.errors import ModelError
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter
from neurocode.simulation.linearisation import Linearisation, linearise
from neurocode.simulation.step import Step, step_function
from neurocode.units import si_unit_text

#: Time constants of the traces in ms, from a single bin to adaptation (our choice).
TIME_CONSTANTS_MS = (1.7, 3.4, 6.8, 13.6, 27.0, 54.0, 160.0)
#: Margins, in units of the noise, between which the one of a given rate is sought.
WIDEST = 60.0


@dataclass(frozen=True, eq=False)
class PopulationNeuron:
    """A model with escape noise whose margin also holds traces of spikes of all cells.

    The margin is that of the model plus ``x_1 + ... + x_K``. Each trace ``x_k`` decays with the
    time constant ``tau_x_k`` and jumps at a spike of the cell itself (history) or of another cell
    (coupling). Jumps are in units of the scale of the escape noise.

    Attributes
    ----------
    base : NeuronModel
        With one input and escape noise.
    time_constants : tuple of float
        Of the traces, in seconds.
    dt : float
        Time step in seconds, the length of a bin.
    """

    base: NeuronModel
    time_constants: tuple[float, ...]
    dt: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "base", self.base.of_one_neuron())
        if self.base.noise is None or self.base.has_diffusion or self.base.within_step:
            raise ModelError(
                f"A neuron of a population needs escape noise and no xi, since recorded spikes are "
                f"clamped; model '{self.base.name}' has "
                f"{'xi' if self.base.has_diffusion else 'no escape noise'}."
            )
        _ = self.base.only_input
        if any("t" in names_in(e.expression) for e in self.base.parsed if e.expression):
            raise ModelError(
                f"Model '{self.base.name}' reads the time t, which pieces of a recording do not "
                f"have in common."
            )
        times = self.time_constants
        if not times or min(times) <= 0 or len(set(times)) < len(times):
            raise ModelError(
                f"The time constants of traces must be positive and distinct, not {times}."
            )

    @property
    def noise(self) -> EscapeNoise:
        """The escape noise."""
        return self.step.escape_noise

    @property
    def scale(self) -> float:
        """Scale of the escape noise in SI, the unit of margins here."""
        return float(np.mean(self.base.values[self.noise.scale]))

    @cached_property
    def model(self) -> NeuronModel:
        """The model with the traces in its equations and the history in its reset."""
        unit = si_unit_text(self.base.parameters[self.noise.scale].unit)
        numbers = range(1, len(self.time_constants) + 1)
        parameters = dict(self.base.parameters)
        for n, time_constant in zip(numbers, self.time_constants, strict=True):
            parameters[f"tau_x_{n}"] = Parameter(
                time_constant * 1e3, "ms", fixed=True, description="time constant of a trace"
            )
            parameters[f"h_{n}"] = Parameter(
                0.0, unit, fixed=True, per_neuron=True, description="jump of a trace at a spike"
            )
        traces = "\n".join(f"dx_{n}/dt = -x_{n}/tau_x_{n} : {unit}" for n in numbers)
        jumps = "\n".join(f"x_{n} += h_{n}" for n in numbers)
        return replace(
            self.base,
            name=f"{self.base.name}-population",
            equations=f"{self.base.equations}\n{traces}",
            margin=" + ".join([f"({self.base.margin})", *(f"x_{n}" for n in numbers)]),
            reset=f"{self.base.reset}\n{jumps}",
            parameters=parameters,
        )

    @cached_property
    def step(self) -> Step:
        """One time step of the model without traces."""
        return step_function(self.base, self.dt)

    @cached_property
    def decays(self) -> NDArray[np.float64]:
        """Factor by which each trace decays in a time step, by the integrator of the model."""
        model = self.model
        with jax.enable_x64(True):
            step = step_function(model, self.dt)
            values = step.prepare(model.values)
            state = step.initial_state(values)
            names = [f"x_{n}" for n in range(1, len(self.time_constants) + 1)]
            state |= dict.fromkeys(names, jnp.asarray(1.0))
            inputs = {model.only_input[0]: jnp.asarray(0.0), "t": jnp.asarray(0.0)}
            following = step.integrate(state, {**values, **inputs}, jnp.asarray(False))
            return np.array([float(following[name]) for name in names])

    @cached_property
    def linear(self) -> Linearisation:
        """The model near its steady state without input."""
        return linearise(self.base, self.dt)

    @cached_property
    def input_scale(self) -> float:
        """Change of the input in SI that moves the margin at rest by one scale of the noise."""
        linear = self.linear
        steady = np.linalg.solve(np.eye(len(linear.states)) - linear.matrix, linear.gain)
        with jax.enable_x64(True):
            slope = jax.jvp(
                lambda *states: self._margin(linear.states, states),
                tuple(jnp.asarray(value) for value in linear.steady),
                tuple(jnp.asarray(value) for value in steady),
            )[1]
        if not float(slope) > 0:
            raise ModelError(
                f"The input of model '{self.base.name}' does not raise its margin, expected a "
                f"neuron that its input excites."
            )
        return self.scale / float(slope)

    @cached_property
    def resting_margin(self) -> float:
        """Margin at rest without input, in units of the noise."""
        with jax.enable_x64(True):
            steady = tuple(jnp.asarray(value) for value in self.linear.steady)
            margin = self._margin(self.linear.states, steady)
        return float(margin) / self.scale

    def drive_of_rate(self, rates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the constant drives, in units of the noise, at which a neuron that does not reset
        has these rates in hertz."""
        margins = np.linspace(-WIDEST, WIDEST, 4801)
        with jax.enable_x64(True):
            probabilities = np.asarray(
                self.noise.probability(jnp.asarray(margins * self.scale), self.base.values, self.dt)
            )
        return np.interp(rates * self.dt, probabilities, margins) - self.resting_margin

    def _margin(self, states: Sequence[str], values: Sequence[jax.Array]) -> jax.Array:
        prepared = self.step.prepare(self.base.values)
        names = {**prepared, self.base.only_input[0]: jnp.asarray(0.0), "t": jnp.asarray(0.0)}
        return self.step.margin(dict(zip(states, values, strict=True)), names)
