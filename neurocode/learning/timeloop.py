"""The time loop of a layer, and its adjoint, derived from the step of the model.

Between two saved states, each just before threshold and reset, lie the spike, the reset and the
next state update. The forward loop saves only those states and the spikes. The backward loop
recomputes the step between two of them, with the spikes that were drawn, and JAX transposes it. The
gradient of the recurrent weights is a single product after the loop. The input of a step is
recomputed only where the transposed step reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import Literal

from neurocode.learning.dynamics import Dynamics
from neurocode.models.model import SPIKED
from neurocode.models.noise import Values
from neurocode.simulation.step import State

Array = jax.Array
Arrays = dict[str, Array]
Carry = tuple[State, Array]
Statics = tuple[tuple[str, float | bool], ...]


class Moment(NamedTuple):
    """Random key (for stochastic models) and time in seconds, of one step or of all steps."""

    key: Array | None
    time: Array


class Recurrence(NamedTuple):
    """Recurrent connections.

    Attributes
    ----------
    weight : array (n, n)
        Weights from the neuron of the row to that of the column.
    delay : tuple of int
        Number of steps from a spike of each neuron to its effect, at least one.
    gradient : bool
        Whether gradients flow back through the connections; their weights learn in any case.
    """

    weight: Array
    delay: tuple[int, ...]
    gradient: bool

    def current(self, arriving: Array) -> Array:
        """Return the weighted sums of the spikes that arrive."""
        return (arriving if self.gradient else jax.lax.stop_gradient(arriving)) @ self.weight


class _Setting(NamedTuple):
    """The hashable settings of a loop, which are not differentiated."""

    dynamics: Dynamics
    numbers: Statics
    delay: tuple[int, ...] | None
    gradient: bool

    def kept(self, before: State) -> State:
        """Return the part of a state before threshold and reset that the backward loop needs: all
        but the spike of the step before."""
        return {name: value for name, value in before.items() if name != SPIKED}

    def complete(self, before: State) -> State:
        """Return the whole state, given the part that was kept of it."""
        if not self.dynamics.step.uses_spiked:
            return before
        return {**before, SPIKED: jnp.zeros_like(before[self.dynamics.step.states[0]])}


def run(
    dynamics: Dynamics,
    state: State,
    inputs: Array,
    names: Values,
    recurrence: Recurrence | None = None,
    keys: Array | None = None,
    *,
    adjoint: bool = True,
    segment: int | None = None,
    fired: Array | None = None,
) -> Array:
    """Return the spikes of a layer.

    Parameters
    ----------
    dynamics : Dynamics
    state : dict of str to array (batch, n)
        State at time zero.
    inputs : array (time, batch, n)
        Weighted input of every step.
    names : mapping of str to array or float
        Prepared parameters; those that are arrays have gradients.
    recurrence : Recurrence, optional
    keys : array (time,), optional
        Random keys of the steps, for stochastic models.
    adjoint : bool
        Whether the gradient takes the adjoint of this module; otherwise JAX differentiates the
        loop.
    segment : int, optional
        Number of steps between saved states. The loop then runs twice but takes memory for one
        segment instead of the whole sequence; JAX differentiates it.
    fired : array (time, batch, n), optional
        Spikes of noisy neurons that have been drawn already and replace new draws. JAX
        differentiates the loop.

    Returns
    -------
    array (time, batch, n)
    """
    # parameters get one value per sequence too, so that the backward loop sums over the batch once
    # and not in every step
    arrays = {
        name: jnp.broadcast_to(v, inputs.shape[1:])
        for name, v in names.items()
        if isinstance(v, jax.Array)
    }
    numbers = cast(  # what is no array of JAX is a plain number here
        "Statics", tuple((name, value) for name, value in names.items() if name not in arrays)
    )
    setting = _Setting(
        dynamics,
        numbers,
        None if recurrence is None else recurrence.delay,
        recurrence is None or recurrence.gradient,
    )
    weight = None if recurrence is None else recurrence.weight
    moments = Moment(keys, dynamics.step.dt * jnp.arange(len(inputs), dtype=inputs.dtype))
    if segment is not None:
        return _segmented(setting, state, inputs, arrays, weight, moments, segment)
    if fired is not None:
        return _forward(
            setting,
            _at_rest(setting, state, inputs),
            inputs,
            arrays,
            weight,
            moments,
            save=False,
            fired=fired,
        )[1]
    loop = _adjoint if adjoint else _plain
    return loop(setting, state, inputs, arrays, weight, moments)


def _plain(
    setting: _Setting,
    state: State,
    inputs: Array,
    arrays: Arrays,
    weight: Array | None,
    moments: Moment,
) -> Array:
    return _forward(
        setting, _at_rest(setting, state, inputs), inputs, arrays, weight, moments, save=False
    )[1]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _adjoint(
    setting: _Setting,
    state: State,
    inputs: Array,
    arrays: Arrays,
    weight: Array | None,
    moments: Moment,
) -> Array:
    return _plain(setting, state, inputs, arrays, weight, moments)


def _segmented(
    setting: _Setting,
    state: State,
    inputs: Array,
    arrays: Arrays,
    weight: Array | None,
    moments: Moment,
    length: int,
) -> Array:
    @jax.checkpoint
    def visit(carry: Carry, part: tuple[Array, Moment]) -> tuple[Carry, Array]:
        carry, spikes, _ = _forward(setting, carry, part[0], arrays, weight, part[1], save=False)
        return carry, spikes

    whole = len(inputs) // length * length
    parts = jax.tree.map(
        lambda array: array[:whole].reshape(-1, length, *array.shape[1:]), (inputs, moments)
    )
    carry, spikes = jax.lax.scan(visit, _at_rest(setting, state, inputs), parts)
    _, rest = visit(carry, jax.tree.map(lambda array: array[whole:], (inputs, moments)))
    return jnp.concatenate([spikes.reshape(whole, *inputs.shape[1:]), rest])


def _at_rest(setting: _Setting, state: State, inputs: Array) -> Carry:
    return state, jnp.zeros((max(setting.delay or (1,)), *inputs.shape[1:]), inputs.dtype)


def _forward(
    setting: _Setting,
    carry: Carry,
    inputs: Array,
    arrays: Arrays,
    weight: Array | None,
    moments: Moment,
    save: bool,
    fired: Array | None = None,
) -> tuple[Carry, Array, State | None]:
    """Return the last state and spikes, all spikes, and the states just before threshold and
    reset."""
    dynamics, names = setting.dynamics, {**dict(setting.numbers), **arrays}

    def visit(carry: Carry, step: tuple[Array, Moment, Array | None]) -> tuple[Carry, tuple]:
        state, buffer = carry
        current, moment, drawn = step
        if weight is not None:
            assert setting.delay is not None  # weights of a recurrence come with their delays
            recurrence = Recurrence(weight, setting.delay, setting.gradient)
            current = current + recurrence.current(_arriving(buffer, setting.delay))
        before = dynamics.update(state, current, names, *moment)
        after, spikes = dynamics.settle(before, names, *moment, drawn)
        return (after, _pushed(buffer, spikes)), (spikes, setting.kept(before) if save else None)

    carry, (spikes, before) = jax.lax.scan(visit, carry, (inputs, moments, fired))
    return carry, spikes, before


def _arriving(buffer: Array, delay: tuple[int, ...]) -> Array:
    """Return the spikes that arrive in a step, given the latest spikes, newest first."""
    if buffer.shape[0] == 1:
        return buffer[0]
    return buffer[np.asarray(delay) - 1, :, np.arange(len(delay))].T


def _pushed(buffer: Array, spikes: Array) -> Array:
    return spikes[None] if buffer.shape[0] == 1 else jnp.concatenate([spikes[None], buffer[:-1]])


def _save(
    setting: _Setting,
    state: State,
    inputs: Array,
    arrays: Arrays,
    weight: Array | None,
    moments: Moment,
) -> tuple[Array, tuple]:
    _, spikes, before = _forward(
        setting, _at_rest(setting, state, inputs), inputs, arrays, weight, moments, save=True
    )
    kept = inputs if _reads_current(setting, state, inputs, arrays, moments) else None
    return spikes, (state, before, spikes, kept, arrays, weight, moments)


def _transpose(setting: _Setting, residuals: tuple, cotangent: Array) -> tuple:
    """Return the gradients of the time loop: those of the state at time zero, the inputs, the
    parameters, the recurrent weights and the moments.

    Parameters
    ----------
    setting : _Setting
    residuals : tuple
        What :func:`_save` kept of the forward loop.
    cotangent : array (time, batch, n)
        Gradient of the loss with respect to the spikes, as later layers return it.

    Notes
    -----
    Let ``x_t`` be the state just before threshold and reset (saved), ``s_t`` the spikes (saved),
    ``y_t`` the state after the reset, ``u_t`` the input, ``W`` the recurrent weights, ``d_i`` the
    delay of neuron ``i`` and ``p`` the parameters. The forward loop is::

        x_t = F(y_(t-1), c_t, p),    c_t = u_t + a_t W,    a_t[i] = s_(t-d_i)[i]
        (y_t, s_t) = G(x_t, p)

    Write ``D[v]`` for the gradient of the loss with respect to ``v``, ``J'`` for the transposed
    Jacobian of a step, and ``e_t`` for the cotangent. From the last step to the first, with
    ``D[y_T] = 0``::

        D[s_t][i] = e_t[i] + (D[c_(t+d_i)] W')[i]
        D[x_t]    = (dG/dx)' (D[y_t], D[s_t])
        D[c_t]    = (dF/dc)' D[x_t],    D[y_(t-1)] = (dF/dy)' D[x_t]

    The second term of ``D[s_t]`` is left out where gradients do not flow back through the recurrent
    connections. After the loop::

        D[u_t] = D[c_t],    D[W] = sum_t a_t' D[c_t]
        D[p]   = sum_t (dF/dp)' D[x_t] + (dG/dp)' (D[y_t], D[s_t])

    In the code ``slopes`` is ``D[x]`` and ``D[y]`` in turn, ``slope`` is ``D[c]``, and ``sums``
    adds up ``D[p]``. At step ``t`` the entry ``buffer[k]`` holds the second term of ``D[s_(t-k)]``
    as far as it is known. JAX transposes ``F`` and ``G``, recomputed from the saved ``x_t`` and
    ``s_t``.
    """
    start, before, spikes, inputs, arrays, weight, moments = residuals
    delay = setting.delay or (1,) * spikes.shape[2]
    arriving = None if weight is None else late(spikes, delay)
    currents = inputs if inputs is None or weight is None else inputs + arriving @ weight

    def visit(carry: tuple, step: tuple) -> tuple[tuple, Array]:
        later, buffer, sums = carry
        before, fired, moment, next_moment, current, cotangent = step
        state, settle_back = _settled(setting, before, fired, arrays, moment)
        slopes, slope, by_update = _updated(setting, state, current, arrays, next_moment, later)
        buffer = _returned(setting, buffer, slope, weight, delay)
        slopes, by_settle = settle_back((slopes, cotangent + buffer[0]))
        return (
            slopes,
            buffer,
            jax.tree.map(lambda *parts: sum(parts), sums, by_update, by_settle),
        ), slope

    buffer = jnp.zeros((max(delay), *spikes.shape[1:]), spikes.dtype)
    final, final_spikes, final_moment = jax.tree.map(
        lambda array: array[-1], (before, spikes, moments)
    )
    state, settle_back = _settled(setting, final, final_spikes, arrays, final_moment)
    slopes, sums = settle_back((jax.tree.map(jnp.zeros_like, _split(state)[0]), cotangent[-1]))
    earlier = jax.tree.map(lambda array: array[:-1], (before, spikes, moments))
    steps = (*earlier, *jax.tree.map(lambda array: array[1:], (moments, currents)), cotangent[:-1])
    (slopes, _, sums), later = jax.lax.scan(visit, (slopes, buffer, sums), steps, reverse=True)
    moment, current = jax.tree.map(lambda array: array[0], (moments, currents))
    slopes, first, by_update = _updated(setting, start, current, arrays, moment, slopes)
    by_inputs = jnp.concatenate([first[None], later])
    by_weight = None if weight is None else jnp.einsum("tbi,tbj->ij", arriving, by_inputs)
    integers = jax.tree.map(
        lambda array: np.zeros(array.shape, jax.dtypes.float0), _split(start)[1]
    )
    return (
        {**slopes, **integers},
        by_inputs,
        jax.tree.map(jnp.add, sums, by_update),
        by_weight,
        _no_slope(moments),
    )


_adjoint.defvjp(_save, _transpose)


def _settled(
    setting: _Setting, before: State, fired: Array, arrays: Arrays, moment: Moment
) -> tuple[State, Callable]:
    """Return the state after spike and reset, and the transposed step, which maps the cotangents of
    that state and of the spikes to those of the state before and of the parameters."""
    floats, integers = _split(before)

    def forward(floats: State, arrays: Arrays) -> tuple[tuple[State, Array], State]:
        names = {**dict(setting.numbers), **arrays}
        state, spikes = setting.dynamics.settle(
            setting.complete({**floats, **integers}), names, *moment, fired
        )
        return (_split(state)[0], spikes), state

    _, back, state = jax.vjp(forward, floats, arrays, has_aux=True)
    return state, back


def _updated(
    setting: _Setting,
    state: State,
    current: Array | None,
    arrays: Arrays,
    moment: Moment,
    slopes: State,
) -> tuple[State, Array, Arrays]:
    """Return the cotangents of state, current and parameters, given those of the state before the
    next threshold."""
    floats, integers = _split(state)

    def forward(floats: State, current: Array, arrays: Arrays) -> State:
        names = {**dict(setting.numbers), **arrays}
        return setting.kept(
            _split(setting.dynamics.update({**floats, **integers}, current, names, *moment))[0]
        )

    current = jnp.zeros_like(next(iter(floats.values()))) if current is None else current
    return jax.vjp(forward, floats, current, arrays)[1](slopes)


def _returned(
    setting: _Setting, buffer: Array, slope: Array, weight: Array | None, delay: tuple[int, ...]
) -> Array:
    """Return the recurrent cotangents of the latest spikes, newest first, moved one step back in
    time, with those added that the current of a step contributes."""
    if weight is None or not setting.gradient:
        return buffer
    back = slope @ weight.T
    if buffer.shape[0] == 1:
        return back[None]
    moved = jnp.concatenate([buffer[1:], jnp.zeros_like(buffer[:1])])
    return moved.at[np.asarray(delay) - 1, :, np.arange(len(delay))].add(back.T)


def _reads_current(
    setting: _Setting, state: State, inputs: Array, arrays: Arrays, moments: Moment
) -> bool:
    """Return whether the transposed state update depends on the current. It does not where the
    update is linear and its constants are not learned."""

    names, first = (
        {**dict(setting.numbers), **arrays},
        jax.tree.map(lambda array: array[0], moments),
    )
    before = jax.eval_shape(
        lambda current: setting.dynamics.update(state, current, names, *first), inputs[0]
    )
    slopes = {
        name: jnp.zeros(value.shape, value.dtype)
        for name, value in setting.kept(_split(before)[0]).items()
    }

    def transposed(current: Array, slopes: State) -> tuple:
        return _updated(setting, state, current, arrays, first, slopes)

    jaxpr = jax.make_jaxpr(transposed)(inputs[0], slopes).jaxpr
    needed = {variable for variable in jaxpr.outvars if not isinstance(variable, Literal)}
    for equation in reversed(jaxpr.eqns):
        if needed & set(equation.outvars):
            needed |= {
                variable for variable in equation.invars if not isinstance(variable, Literal)
            }
    return jaxpr.invars[0] in needed


def late(x: Array, delay: tuple[int, ...]) -> Array:
    """Return signals (time, batch, n) delayed by the given number of steps for each neuron, with
    zeros at the start."""
    steps = delay[0]
    if min(delay) == max(delay):
        return x if steps == 0 else jnp.pad(x[:-steps], ((steps, 0), (0, 0), (0, 0)))
    moments = jnp.arange(x.shape[0])[:, None] - jnp.asarray(delay)
    moved = jnp.take_along_axis(x, jnp.clip(moments, 0)[:, None, :], axis=0)
    return jnp.where(moments[:, None, :] >= 0, moved, 0)


def _split(state: State) -> tuple[State, State]:
    """Return the part of a state that has a gradient, and the counts of steps, which have none."""
    integers = {
        name: value
        for name, value in state.items()
        if not jnp.issubdtype(value.dtype, jnp.floating)
    }
    return {name: value for name, value in state.items() if name not in integers}, integers


def _no_slope(moments: Moment) -> Moment:
    # JAX takes an array of NumPy for the slope of a key
    key = None if moments.key is None else np.zeros(moments.key.shape, jax.dtypes.float0)
    return Moment(cast("Array | None", key), jnp.zeros_like(moments.time))
