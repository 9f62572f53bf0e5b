"""One time step of a layer of neurons, in two halves; what the gradient needs is saved between
them."""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp

from neurocode.errors import ModelError
from neurocode.learning.random_numbers import StepDraw, required, uniform
from neurocode.learning.surrogate import Surrogate
from neurocode.models.expressions import names_in
from neurocode.models.model import NeuronModel
from neurocode.models.noise import Values
from neurocode.simulation.step import STEPS_SINCE_SPIKE, State, Step, step_function
from neurocode.units import parse_quantity, parse_unit, same_dimension

Array = jax.Array

#: What stands in for the derivative of a spike that was drawn.
DRAW_GRADIENTS = ("straight_through", "trapezoid", "secant", "trapezoid_secant")
#: Names in the state of a layer that is computed for the case with and the case without a spike in
#: the step before. None of them can be the name of an equation.
FIRED, SPIKED_BRANCH, FREE_BRANCH = "spike before", "with a spike: ", "without a spike: "
MARGIN, CHANGE = "margin of what happened", "change of the probability by the spike before"
#: Stream of the random numbers that decide spikes; those of the state update count from one.
SPIKE_DRAW = 0


@dataclass(frozen=True)
class Dynamics:
    """The time step of a model as a layer: the update up to the threshold, then spike and reset.

    Attributes
    ----------
    step : Step
    surrogate : Surrogate or None
        Derivative of a spike. None takes the derivative of the probability of a spike, for models
        with escape noise.
    reset_gradient : bool
        Whether gradients flow through the reset.
    current : float
        Input in SI units that a weighted sum of one stands for.
    distance : float
        Margin in SI units that counts as one for the surrogate derivative.
    draw_gradient : {"straight_through", "trapezoid", "secant", "trapezoid_secant"}
        What stands in for the derivative of a spike that was drawn with probability p. It is the
        derivative of p (or of the surrogate) or, with the trapezoid, the derivative of p divided by
        2p where there is a spike and by 2(1 - p) where there is none. With the secant a spike
        changes the next state and the next probability by the differences that its reset makes,
        not by their derivatives.
    """

    step: Step
    surrogate: Surrogate | None
    reset_gradient: bool
    current: float
    distance: float
    draw_gradient: str = "straight_through"

    @classmethod
    def of(
        cls,
        model: NeuronModel,
        dt: float,
        surrogate: Surrogate | None,
        reset_gradient: bool = False,
        current_unit: str | float | None = None,
        margin_unit: str | float | None = None,
        draw_gradient: str = "straight_through",
    ) -> Dynamics:
        """Return the dynamics of a model.

        Raises
        ------
        ModelError
            For a model that does not have exactly one input, that places threshold crossings inside
            the step, or that has neither escape noise nor a surrogate; for a missing unit when the
            model is not dimensionless; for an unknown draw gradient; for trapezoid or secant
            without escape noise or together with a surrogate; and for the secant of a detached
            reset.
        """
        if len(model.inputs) != 1:
            raise ModelError(
                f"A layer needs a model with one input; '{model.name}' has {len(model.inputs)}."
            )
        if model.within_step:
            raise ModelError(
                f"Model '{model.name}' places crossings inside the step; a layer needs them on "
                f"the grid."
            )
        if surrogate is None and model.noise is None:
            raise ModelError(
                f"Model '{model.name}' has no escape noise, so its layer needs a surrogate "
                f"derivative."
            )
        _check_draw_gradient(draw_gradient, model, surrogate, reset_gradient)
        (unit,) = model.inputs.values()
        return cls(
            step_function(model, dt),
            surrogate,
            reset_gradient,
            _in_si(current_unit, unit, model, "current_unit"),
            _in_si(margin_unit, unit_of_margin(model), model, "margin_unit"),
            draw_gradient,
        )

    def initial_state(self, names: Values, shape: tuple[int, ...]) -> State:
        """Return the state of a layer at time zero, as :meth:`update` takes it."""
        state = self.step.initial_state(names, shape)
        return (
            _branches(state, state, jnp.zeros(shape, jnp.result_type(float)))
            if self._follows_both
            else state
        )

    def update(
        self, state: State, current: Array, names: Values, key: Array | None, time: Array | float
    ) -> State:
        """State of a layer after integration over one step, before threshold and reset."""
        if not self._follows_both:
            return self.integrated(state, current, names, key, time)
        fired = state[FIRED]
        spiked, free = (
            self.integrated(_branch(state, name), current, names, key, time)
            for name in (SPIKED_BRANCH, FREE_BRANCH)
        )
        names = {**names, "t": time}
        change = self._chance(spiked, names) - self._chance(free, names)
        happened = {name: jnp.where(fired > 0, spiked[name], free[name]) for name in free}
        floats = [name for name in free if jnp.issubdtype(free[name].dtype, jnp.floating)]
        linear = {name: fired * spiked[name] + (1 - fired) * free[name] for name in floats}
        # the value of the change is zero; its derivative with respect to the spike before is the
        # difference of the probabilities
        change = (fired - jax.lax.stop_gradient(fired)) * jax.lax.stop_gradient(change)
        return {**happened, **linear, MARGIN: self.step.margin(happened, names), CHANGE: change}

    def integrated(
        self, state: State, current: Array, names: Values, key: Array | None, time: Array | float
    ) -> State:
        """State of the neurons after integration over one step."""
        names = {**names, "t": time, self.step.inputs[0]: self.current * current}
        draw = StepDraw(key, jnp.shape(current), jnp.result_type(current))
        return self.step.integrate(state, names, self.step.is_refractory(state, names), draw)

    def settle(
        self,
        state: State,
        names: Values,
        key: Array | None,
        time: Array | float,
        fired: Array | None = None,
    ) -> tuple[State, Array]:
        """Return the state after the reset, and the spikes (0 or 1). ``fired`` gives spikes of
        noisy neurons that have been drawn already."""
        names = {**names, "t": time}
        margin = state[MARGIN] if self._follows_both else self.step.margin(state, names)
        spikes = self._spikes(margin, names, key, fired, state.get(CHANGE, 0.0))
        if STEPS_SINCE_SPIKE in state:
            spikes = jnp.where(self.step.is_refractory(state, names), 0, spikes)
        if self._follows_both:
            # resets may be plain numbers
            spiked = self.step.settle(
                state, names, jnp.ones_like(spikes), lambda reset, free: jnp.full_like(free, reset)
            )
            free = self.step.settle(state, names, jnp.zeros_like(spikes), lambda reset, free: free)
            return _branches(spiked, free, spikes), spikes
        chosen = spikes if self.reset_gradient else jax.lax.stop_gradient(spikes)
        after = self.step.settle(
            state, names, spikes, lambda reset, free: chosen * reset + (1 - chosen) * free
        )
        return after, spikes

    @property
    def _follows_both(self) -> bool:
        """Whether each neuron is computed up to the next step both with and without a spike."""
        return self.draw_gradient in ("secant", "trapezoid_secant")

    def _chance(self, state: State, names: Values) -> Array:
        """Return the probability of a spike in a state before the threshold."""
        probability = self.step.escape_noise.probability(
            self.step.margin(state, names), names, self.step.dt
        )
        return (
            jnp.where(self.step.is_refractory(state, names), 0, probability)
            if STEPS_SINCE_SPIKE in state
            else probability
        )

    def _spikes(
        self,
        margin: Array,
        names: Values,
        key: Array | None,
        fired: Array | None,
        change: Array | float,
    ) -> Array:
        if self.step.noise is None:
            assert self.surrogate is not None  # refused where the dynamics were made
            return self.surrogate(margin / self.distance)
        probability = self.step.noise.probability(margin, names, self.step.dt)
        if fired is None:
            key = required(key, "The step of a stochastic model")
            drawn = uniform(key, SPIKE_DRAW, jnp.shape(margin), margin.dtype)
            fired = (drawn < probability).astype(margin.dtype)
        return _drawn(fired, self._smooth(probability, fired, margin, names) + change)

    def _smooth(self, probability: Array, fired: Array, margin: Array, names: Values) -> Array:
        """Return the function that is differentiated instead of the drawn spikes."""
        if self.draw_gradient in ("trapezoid", "trapezoid_secant"):
            # the derivatives of log p and of -log(1 - p) are p'/p and p'/(1 - p), computed without
            # a division by a small number
            log_spike, log_none = self.step.escape_noise.log_probabilities(
                margin, names, self.step.dt
            )
            return 0.5 * jnp.where(fired > 0, log_spike, -log_none)
        return probability if self.surrogate is None else self.surrogate(margin / self.distance)


@jax.custom_jvp
def _drawn(fired: Array, smooth: Array) -> Array:
    """Return drawn spikes with the derivative of a smooth function (straight through the draw)."""
    return fired


@_drawn.defjvp
def _drawn_rule(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    return primals[0], tangents[1]


def _branches(spiked: State, free: State, fired: Array) -> State:
    """Return the joint state after the reset of neurons that are computed with and without a
    spike."""
    branches = ((SPIKED_BRANCH, spiked), (FREE_BRANCH, free))
    return {
        FIRED: fired,
        **{prefix + name: value for prefix, branch in branches for name, value in branch.items()},
    }


def _branch(state: State, prefix: str) -> State:
    return {
        name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
    }


def _check_draw_gradient(
    draw_gradient: str, model: NeuronModel, surrogate: Surrogate | None, reset_gradient: bool
) -> None:
    if draw_gradient not in DRAW_GRADIENTS:
        raise ModelError(
            f"A draw gradient is {' or '.join(DRAW_GRADIENTS)}, not '{draw_gradient}'."
        )
    if draw_gradient == "straight_through":
        return
    if model.noise is None:
        raise ModelError(
            f"Model '{model.name}' has no escape noise, so its layer draws no spikes for "
            f"'{draw_gradient}'."
        )
    if surrogate is not None:
        raise ModelError(
            f"draw_gradient='{draw_gradient}' differentiates the probability of a spike, so it "
            f"takes surrogate=None."
        )
    if draw_gradient != "trapezoid" and not reset_gradient:
        raise ModelError(
            f"draw_gradient='{draw_gradient}' is about the reset, so it takes reset_gradient=True."
        )


def unit_of_margin(model: NeuronModel) -> str:
    """Return the unit of the margin: that of the first state it reads, as a margin is the
    difference of that state to a threshold."""
    units = {equation.name: equation.unit for equation in model.parsed}
    read = [name for name in model.states if name in names_in(model.margin)]
    return units[read[0]] if read else "1"


def _in_si(quantity: str | float | None, unit: str, model: NeuronModel, what: str) -> float:
    if quantity is None:
        if not same_dimension(unit, "1"):
            raise ModelError(
                f"Model '{model.name}' is not dimensionless: give {what} in a unit of {unit}, "
                f"such as '1 {unit}'."
            )
        return 1.0
    if isinstance(quantity, str):
        value, given_unit = parse_quantity(quantity)
        if not same_dimension(given_unit, unit):
            raise ModelError(f"{what} is '{quantity}', expected a unit of {unit}.")
        return value * parse_unit(given_unit).scale
    return float(quantity) * parse_unit(unit).scale
