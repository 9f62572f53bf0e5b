"""One time step of a model in JAX: it runs the same abstract code as Brian2, can be differentiated,
and can be clamped to given spikes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from neurocode.errors import ModelError
from neurocode.models.model import SPIKED, NeuronModel
from neurocode.models.noise import EscapeNoise, Values
from neurocode.simulation.brian import NEVER
from neurocode.simulation.evaluate import Draw, evaluate, execute, timestep
from neurocode.simulation.program import Program, build_program
from neurocode.simulation.within_step import CROSSED, LAG, WAIT

Array = jax.Array
State = dict[str, Array]

#: Ends in an underscore, which no name of a model does.
STEPS_SINCE_SPIKE = "steps_since_spike_"
READY = "_prepared"
CLOCK = (LAG, WAIT, CROSSED)


class StepOutput(NamedTuple):
    """Result of one step.

    Attributes
    ----------
    spikes : bool array
        Spikes of the step, drawn or clamped.
    margin : array
        Distance to threshold after the state update, before the reset.
    log_probability : array
        Logarithm of the probability of ``spikes`` given the state.
    refractory : bool array
        True where the neuron was refractory and could not spike.
    offset : array
        Time of the spike after the start of the step in seconds, where crossings lie inside the
        step; else zero.
    """

    spikes: Array
    margin: Array
    log_probability: Array
    refractory: Array
    offset: Array


@dataclass(frozen=True)
class Step:
    """One time step of a model in JAX; made by :func:`step_function`.

    The slots follow Brian2's: state update, threshold, reset, update after the reset. Called with
    ``spikes`` the step is clamped: these spikes take the place of drawn ones (teacher forcing).
    Two steps of equal structure and time step are equal, so compiled programs are shared.
    """

    key: tuple
    dt: float = field(compare=False)
    program: Program = field(compare=False, repr=False)
    noise: EscapeNoise | None = field(compare=False)
    states: tuple[str, ...] = field(compare=False)
    inputs: tuple[str, ...] = field(compare=False)
    uses_spiked: bool = field(compare=False)
    within_step: bool = field(compare=False)

    @property
    def escape_noise(self) -> EscapeNoise:
        """The escape noise of the model.

        Raises
        ------
        ModelError
            If the model has none.
        """
        if self.noise is None:
            raise ModelError("The model has no escape noise, so no spike has a probability.")
        return self.noise

    def initial_state(self, parameters: Values, shape: tuple[int, ...] = ()) -> State:
        """Return the state at time zero, in which every variable has the same shape.

        Parameters
        ----------
        parameters : mapping of str to float or array
            Values in SI.
        shape : tuple of int
            For example ``(trials,)``.
        """
        names = {**self.prepare(parameters), "t": 0.0, **dict.fromkeys(self.inputs, 0.0)}
        dtype = jnp.result_type(float)
        state: State = {}
        for name in self.states:
            tree = self.program.initial.get(name)
            value = (
                0.0
                if tree is None
                else evaluate(tree, {**dict.fromkeys(self.states, 0.0), **names, **state})
            )
            state[name] = jnp.broadcast_to(jnp.asarray(value, dtype), shape)
        if self.uses_spiked:
            state[SPIKED] = jnp.zeros(shape, dtype)
        if self.within_step:
            state |= {name: jnp.zeros(shape, dtype) for name in (LAG, WAIT, CROSSED)}
        if self.program.refractory is not None:
            state[STEPS_SINCE_SPIKE] = jnp.full(shape, NEVER, jnp.int32)
        return state

    def prepare(self, parameters: Values) -> dict[str, Array | np.ndarray | float]:
        """Return the parameters together with all constants of the step, such as decays.

        Call it once before a loop.
        """
        if READY in parameters:
            return dict(parameters)
        return {**execute(self.program.constants, {**parameters, "dt": self.dt}), READY: True}

    def value(self, name: str, state: State, inputs: Values, parameters: Values) -> Array:
        """Value of a state variable or a subexpression in a state."""
        if name in state:
            return state[name]
        return evaluate(
            self.program.subexpressions[name], {**self.prepare(parameters), **inputs, **state}
        )

    def __call__(
        self,
        state: State,
        inputs: Values | Array | float,
        parameters: Values,
        key: Array | None = None,
        spikes: Array | None = None,
    ) -> tuple[State, StepOutput]:
        """Advance by one step.

        Parameters
        ----------
        state : dict of str to array
        inputs : mapping of str to array or float, or array or float
            In SI, held over the step; an array is the model's only input. ``"t"`` gives the time in
            seconds to models that read it.
        parameters : mapping of str to array
            In SI; from :meth:`prepare` inside a loop.
        key : jax.Array, optional
            Random key, needed by stochastic models.
        spikes : bool array, optional
            Clamps the spikes.

        Returns
        -------
        state : dict of str to array
        output : StepOutput
        """
        if not isinstance(inputs, Mapping):
            inputs = dict(zip(self.inputs, (inputs,), strict=True))
        names = {**self.prepare(parameters), **inputs}
        first = state[self.states[0]]
        draw = Draw(key, jnp.shape(first), jnp.result_type(first))
        refractory = self.is_refractory(state, names)
        state = self.integrate(state, names, refractory, draw)
        margin = self.margin(state, names)
        if self.within_step:
            if spikes is not None:
                raise ModelError(
                    "A step with the crossing inside cannot be clamped to recorded spikes; see "
                    "fit_spike_times."
                )
            spikes, log_probability = state[CROSSED] > 0, jnp.zeros_like(margin)
        else:
            spikes, log_probability = self._spike(margin, names, draw, refractory, spikes)
        state = self.settle(
            state,
            names,
            spikes,
            lambda reset_value, value: jnp.where(spikes, reset_value, value),
            draw,
        )
        offset = self.dt + state[LAG] if self.within_step else jnp.zeros_like(margin)
        return state, StepOutput(spikes, margin, log_probability, refractory, offset)

    def is_refractory(self, state: State, names: Values) -> Array:
        """Whether neurons are refractory in a state, by prepared parameters and inputs."""
        if self.program.refractory is None:
            return jnp.zeros(jnp.shape(state[self.states[0]]), bool)
        return state[STEPS_SINCE_SPIKE] < timestep(
            evaluate(self.program.refractory, {**names, **state}), self.dt
        )

    def integrate(
        self, state: State, names: Values, refractory: Array, draw: Draw | None = None
    ) -> State:
        """State update of one step, before threshold and reset."""
        active = execute(self.program.active, {**names, **state}, draw)
        new = {name: active[name] for name in state}
        for name in self.program.held_names:
            new[name] = jnp.where(refractory, state[name], new[name])
        if self.program.switched_names:
            held = execute(self.program.held, {**names, **state}, draw)
            for name in self.program.switched_names:
                new[name] = jnp.where(refractory, held[name], new[name])
        return new

    def margin(self, state: State, names: Values) -> Array:
        """Distance to threshold."""
        return evaluate(self.program.margin, {**names, **state})

    def settle(
        self,
        state: State,
        names: Values,
        spikes: Array,
        choose: Callable[[Array, Array], Array],
        draw: Draw | None = None,
    ) -> State:
        """Return the state after the reset and after the updates that follow it.

        Parameters
        ----------
        state : dict of str to array
            After the state update.
        names : mapping of str to array
            Prepared parameters and inputs.
        spikes : array
        choose : callable
            Combines the value after a reset with the value without one.
        draw : Draw, optional
        """
        reset = execute(self.program.reset, {**names, **state})
        new = {
            name: choose(reset[name], value)
            for name, value in state.items()
            if name in self.states or name in CLOCK
        }
        if self.uses_spiked:
            new[SPIKED] = spikes.astype(state[SPIKED].dtype)
        if self.program.refractory is not None:
            new[STEPS_SINCE_SPIKE] = jnp.where(spikes > 0, 0, state[STEPS_SINCE_SPIKE]) + 1
        if self.program.after_reset:
            updated = execute(self.program.after_reset, {**names, **new}, draw)
            new = {name: updated[name] for name in new}
        return new

    def _spike(
        self,
        margin: Array,
        names: Values,
        draw: Draw,
        refractory: Array,
        clamped: Array | None,
    ) -> tuple[Array, Array]:
        if self.noise is None:
            crossed = (margin > 0) & ~refractory
            spikes = crossed if clamped is None else clamped
            return spikes, jnp.where(spikes == crossed, 0.0, -jnp.inf)
        log_spike, log_none = self.noise.log_probabilities(margin, names, self.dt)
        if clamped is None:
            clamped = (draw("rand") < self.noise.probability(margin, names, self.dt)) & ~refractory
        log_probability = jnp.where(clamped, log_spike, log_none)
        return clamped, jnp.where(refractory, jnp.where(clamped, -jnp.inf, 0.0), log_probability)


def step_function(model: NeuronModel, dt: float) -> Step:
    """Compile the equations of a model to a JAX step.

    Parameters
    ----------
    model : NeuronModel
    dt : float
        Time step in seconds.

    Returns
    -------
    Step
        Callable ``(state, inputs, parameters, key=None, spikes=None) -> state, StepOutput``.

    Raises
    ------
    ModelError
        If units do not fit or the integrator does not admit the equations.

    Examples
    --------
    >>> import neurocode as nc
    >>> model = nc.models.lif()
    >>> step = nc.simulation.step_function(model, 1e-4)
    >>> state, output = step(step.initial_state(model.values), 0.0, model.values)
    >>> bool(output.spikes)
    False
    """
    key = (
        float(dt),
        model.equations,
        model.margin,
        model.reset,
        model.refractory,
        model.integrator,
        model.after_reset,
        model.noise,
        tuple(model.initial.items()),
        tuple(model.parameters),
        model.within_step,
    )
    return Step(
        key=key,
        dt=float(dt),
        program=build_program(model, float(dt)),
        noise=model.noise,
        states=model.states,
        inputs=tuple(model.inputs),
        uses_spiked=model.uses_spiked,
        within_step=model.within_step,
    )
