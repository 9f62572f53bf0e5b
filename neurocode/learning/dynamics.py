"""One layer of neurons in one time step, in two halves between which its residuals are saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.random_numbers import StepDraw, uniform
from neurocode.learning.surrogate import Surrogate
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.simulation.step import STEPS_SINCE_SPIKE, State, Step, step_function
from neurocode.units import parse_quantity, parse_unit, same_dimension

Array = jax.Array
Names = Mapping[str, Array | float]

#: Stream of the random numbers that decide spikes; those of the state update count from one.
SPIKE_DRAW = 0


@dataclass(frozen=True)
class Dynamics:
    """The step of a model as a layer: update up to the threshold, then spike and reset.

    Attributes
    ----------
    step : Step
    surrogate : Surrogate or None
        Derivative of a spike; None for the derivative of the probability of a spike, for models with escape noise.
    reset_gradient : bool
        Whether gradients flow through the reset.
    current : float
        Input in SI of a weighted sum of one.
    distance : float
        Margin in SI that counts as one for the surrogate derivative.
    """

    step: Step
    surrogate: Surrogate | None
    reset_gradient: bool
    current: float
    distance: float

    @classmethod
    def of(
        cls,
        model: NeuronModel,
        dt: float,
        surrogate: Surrogate | None,
        reset_gradient: bool = False,
        current_unit: str | float | None = None,
        margin_unit: str | float | None = None,
    ) -> Dynamics:
        """Dynamics of a model.

        Raises
        ------
        ModelError
            For a model without exactly one input, one that places crossings inside the step, one without escape noise where
            there is no surrogate, or a missing unit of a model that is not dimensionless.
        """
        if len(model.inputs) != 1:
            raise ModelError(f"A layer needs a model with one input; '{model.name}' has {len(model.inputs)}.")
        if model.within_step:
            raise ModelError(f"Model '{model.name}' places crossings inside the step; a layer needs them on the grid.")
        if surrogate is None and model.noise is None:
            raise ModelError(f"Model '{model.name}' has no escape noise, so its layer needs a surrogate derivative.")
        (unit,) = model.inputs.values()
        return cls(
            step_function(model, dt), surrogate, reset_gradient,
            _in_si(current_unit, unit, model, "current_unit"), _in_si(margin_unit, unit_of_margin(model), model, "margin_unit"),
        )  # fmt: skip

    def update(self, state: State, current: Array, names: Names, key: Array | None, time: Array | float) -> State:
        """State after integration over one step, before threshold and reset."""
        names = {**names, "t": time, self.step.inputs[0]: self.current * current}
        draw = StepDraw(key, jnp.shape(current), jnp.result_type(current))
        return self.step.integrate(state, names, self.step.is_refractory(state, names), draw)

    def settle(
        self, state: State, names: Names, key: Array | None, time: Array | float, fired: Array | None = None
    ) -> tuple[State, Array]:
        """Spikes (0 or 1) and the state after the reset; ``fired`` gives the spikes of noisy neurons that were drawn before."""
        names = {**names, "t": time}
        margin = self.step.margin(state, names)
        spikes = self._spikes(margin, names, key, fired)
        if STEPS_SINCE_SPIKE in state:
            spikes = jnp.where(self.step.is_refractory(state, names), 0, spikes)
        chosen = spikes if self.reset_gradient else jax.lax.stop_gradient(spikes)
        after = self.step.settle(state, names, spikes, lambda reset, free: chosen * reset + (1 - chosen) * free)
        return after, spikes

    def _spikes(self, margin: Array, names: Names, key: Array | None, fired: Array | None) -> Array:
        if self.step.noise is None:
            return self.surrogate(margin / self.distance)
        probability = self.step.noise.probability(margin, names, self.step.dt)
        if fired is None:
            drawn = uniform(key, SPIKE_DRAW, jnp.shape(margin), margin.dtype)
            fired = (drawn < probability).astype(margin.dtype)
        smooth = probability if self.surrogate is None else self.surrogate(margin / self.distance)
        return _drawn(fired, smooth)


@jax.custom_jvp
def _drawn(fired: Array, smooth: Array) -> Array:
    """Spikes that were drawn, with the derivative of a smooth function (straight through the draw)."""
    return fired


@_drawn.defjvp
def _drawn_rule(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    return primals[0], tangents[1]


def unit_of_margin(model: NeuronModel) -> str:
    """Unit of the first state that the margin reads: margins are differences to a threshold."""
    units = {equation.name: equation.unit for equation in model.parsed}
    read = [name for name in model.states if name in names_in(model.margin)]
    return units[read[0]] if read else "1"


def _in_si(given: str | float | None, unit: str, model: NeuronModel, what: str) -> float:
    if given is None:
        if not same_dimension(unit, "1"):
            raise ModelError(f"Model '{model.name}' is not dimensionless: give {what} in a unit of {unit}, such as '1 {unit}'.")
        return 1.0
    if isinstance(given, str):
        value, own = parse_quantity(given)
        if not same_dimension(own, unit):
            raise ModelError(f"{what} is '{given}', expected a unit of {unit}.")
        return value * parse_unit(own).scale
    return float(given) * parse_unit(unit).scale
