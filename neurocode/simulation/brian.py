"""A model as a Brian2 neuron group, and its runs in Brian2."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, cast

import brian2
import numpy as np
from brian2.core.functions import Function
from brian2.devices.device import all_devices
from brian2.stateupdaters.base import UnsupportedEquationsException
from brian2.units.fundamentalunits import Quantity
from scipy.special import ndtr

from neurocode.errors import ModelError
from neurocode.models.model import SPIKED, NeuronModel
from neurocode.simulation.integrators import (
    STAGGERED,
    require_conditional_linearity,
    require_few_states,
    require_integrator,
)
from neurocode.simulation.raw_run import RawRun
from neurocode.simulation.within_step import (
    CROSSED,
    LAG,
    WAIT,
    WithinStep,
    within_step,
    without_refractoriness,
)
from neurocode.units import parse_unit, si_unit_text

#: Brian2 keeps its device, preferences and random numbers for the whole process: one thread at a
#: time may use it.
BRIAN = threading.RLock()

#: Steps since the last spike of a neuron that has not spiked yet.
NEVER = 10**9

#: Longest part of a Brian2 error message that is passed on, in characters.
LONGEST_REASON = 400

#: Number of steps from which Brian2's Cython code, which takes tens of seconds to compile once, is
#: faster than NumPy.
FEWEST_COMPILED_STEPS = 200_000


def normal_cdf() -> Function:
    """Standard normal distribution function for Brian2's three code generators."""
    function = Function(ndtr, arg_units=[1], return_unit=1)
    cpp = "inline double normal_cdf(double x) { return 0.5*erfc(-x*0.70710678118654752440); }"
    function.implementations.add_implementation("cpp", cpp)
    cython = """
from libc.math cimport erfc
cdef double normal_cdf(double x) noexcept:
    return 0.5*erfc(-x*0.70710678118654752440)
"""
    function.implementations.add_implementation("cython", cython)
    return function


def neuron_group(
    model: NeuronModel,
    n: int,
    dt: float,
    *,
    parameters: Mapping[str, float | np.ndarray] | None = None,
    stimulus: np.ndarray | None = None,
) -> brian2.NeuronGroup:
    """Build the Brian2 group of ``n`` neurons of a model, not yet run.

    Parameters
    ----------
    model : NeuronModel
    n : int
        Number of neurons.
    dt : float
        Time step in seconds.
    parameters : mapping, optional
        Values in SI that replace the model's; arrays of length ``n`` give each neuron its own
        value.
    stimulus : numpy.ndarray, optional
        Input in SI, shape (steps,) or (steps, n); without it the input stays a Brian2 parameter.

    Returns
    -------
    brian2.NeuronGroup

    Raises
    ------
    ModelError
        If the units do not fit together or the integrator does not admit the equations.
    """
    require_integrator(model.integrator)
    values = {**model.values, **(parameters or {})}
    namespace: dict[str, object] = {
        name: _quantity(value, model.parameters[name].unit)
        for name, value in values.items()
        if np.ndim(value) == 0
    }
    namespace["normal_cdf"] = normal_cdf()
    per_neuron = {name: np.asarray(value) for name, value in values.items() if np.ndim(value)}
    integrated_model = without_refractoriness(model) if model.within_step else model
    lines = _equation_lines(integrated_model, held=model.after_reset, stimulus=stimulus)
    lines += [
        f"{name} : {si_unit_text(model.parameters[name].unit)} (constant)" for name in per_neuron
    ]
    if stimulus is not None:
        unit = model.only_input[1]
        namespace["stimulus"] = brian2.TimedArray(_quantity(stimulus, unit), dt=dt * brian2.second)
    reset = model.reset_code_of_brian2
    if model.uses_spiked:
        reset = f"{SPIKED} = 1\n{reset}"
    group = (
        _within_step_group(model, n, dt, lines, namespace)
        if model.within_step
        else _group(model, n, dt, lines, namespace, reset)
    )
    for name, value in per_neuron.items():
        group.variables[name].set_value(value)
    for name, expression in model.initial.items():
        group.state(name).set_item(slice(None), expression, namespace={})
    if "lastspike" in group.variables:
        # Brian2 starts 10 000 s after a spike, which a longer refractory period would exceed
        group.variables["lastspike"].set_value(-NEVER * dt)
    if model.uses_spiked:
        group.run_regularly(f"{SPIKED} = 0", when="before_thresholds")
    if model.after_reset:
        group.run_regularly(after_reset_code(model, dt), when="after_resets")
    return group


def update_and_reset(model: NeuronModel, dt: float) -> tuple[str, str]:
    """Return Brian2's abstract code of one state update, before threshold and reset, and of the
    reset."""
    if model.within_step:
        parts = within_step_code(model, dt)
        return parts.update, parts.reset
    require_integrator(model.integrator)
    require_few_states(model)
    return _abstract_code(model, dt, held=model.after_reset), model.reset_code


def within_step_code(model: NeuronModel, dt: float) -> WithinStep:
    """Abstract code of a step with the threshold crossing inside; see :class:`WithinStep`."""
    require_integrator(model.integrator)
    return within_step(model, lambda free_model, held: _abstract_code(free_model, dt, held))


def single_state_code(model: NeuronModel, name: str) -> str:
    """Return abstract code that updates one state exactly while all other states are held.

    Its ``dt`` may be any duration.

    Raises
    ------
    ModelError
        If the equation of the state is not linear in it.
    """
    require_integrator("matrix_exponential")
    free_model = replace(without_refractoriness(model), integrator="matrix_exponential")
    return _abstract_code(
        free_model, 1.0, held=tuple(state for state in model.states if state != name)
    )


def after_reset_code(model: NeuronModel, dt: float) -> str:
    """Return abstract code for the variables that are updated after the reset, also while the
    neuron is refractory."""
    if not model.after_reset:
        return ""
    code = _abstract_code(
        model, dt, held=tuple(name for name in model.states if name not in model.after_reset)
    )
    return "\n".join(line for line in code.splitlines() if not line.startswith("not_refractory ="))


def run_brian(
    model: NeuronModel,
    dt: float,
    n_steps: int,
    trials: int,
    *,
    parameters: Mapping[str, float | np.ndarray],
    stimulus: np.ndarray | None,
    seed: int | None,
    record: tuple[str, ...],
    standalone: bool,
) -> RawRun:
    """Run a model in Brian2, trials as neurons, at runtime or as a C++ standalone program.

    NumPy's global random state, Brian2's active device and its preferences are restored afterwards.
    Threads wait for one another, so the same seed gives the same spikes in every thread.

    Raises
    ------
    ModelError
        If units do not fit or the integrator does not admit the equations.
    """
    update_and_reset(model, dt)
    with BRIAN, _device(standalone) as directory, random_state(seed), code_generation(n_steps):
        group = neuron_group(model, trials, dt, parameters=parameters, stimulus=stimulus)
        spikes = brian2.SpikeMonitor(
            group, variables=[LAG] if model.within_step else None, record=True
        )
        objects = [group, spikes]
        states = (
            brian2.StateMonitor(group, list(record), record=True, dt=dt * brian2.second)
            if record
            else None
        )
        network = brian2.Network(*objects, *([states] if states is not None else []))
        try:
            network.run(n_steps * dt * brian2.second, namespace={})
        except brian2.BrianObjectException as error:
            raise ModelError(
                f"Model '{model.name}': {_one_sentence(error.__cause__ or error)}"
            ) from None
        if standalone:
            brian2.device.build(directory=directory, compile=True, run=True)
        steps = np.round(np.asarray(spikes.t) / dt).astype(int)
        spikes_of_trial = [np.flatnonzero(np.asarray(spikes.i) == trial) for trial in range(trials)]
        spikes_of_trial = [
            indices[np.argsort(steps[indices], kind="stable")] for indices in spikes_of_trial
        ]
        offsets = (
            [np.asarray(getattr(spikes, LAG))[indices] + dt for indices in spikes_of_trial]
            if model.within_step
            else None
        )
        recorded = (
            {}
            if states is None
            else {name: np.array(states.variables[name].get_value()).T for name in record}
        )
    return RawRun([steps[indices] for indices in spikes_of_trial], recorded, offsets)


def _equation_lines(
    model: NeuronModel, held: tuple[str, ...], stimulus: np.ndarray | None = None
) -> list[str]:
    lines = []
    for equation in model.parsed:
        if equation.name in held:
            lines.append(f"{equation.name} : {equation.unit}")
        elif equation.name in model.inputs and stimulus is not None:
            index = "t" if np.ndim(stimulus) == 1 else "t, i"
            lines.append(
                f"{equation.name} = stimulus({index}) : {equation.unit} (constant over dt)"
            )
        else:
            lines.append(equation.text)
    return lines


def _abstract_code(model: NeuronModel, dt: float, held: tuple[str, ...]) -> str:
    namespace = {
        name: _quantity(np.ravel(value)[0], model.parameters[name].unit)
        for name, value in model.values.items()
    }
    with BRIAN:
        return _update_code(model, dt, _equation_lines(model, held), namespace)


def _update_code(
    model: NeuronModel, dt: float, lines: list[str], namespace: dict[str, Quantity]
) -> str:
    group = _group(model, 1, dt, lines, {**namespace, "normal_cdf": normal_cdf()}, reset="")
    # Brian2 warns when a group outside any network is deleted
    vars(group)["_network"] = "read, never run"
    try:
        group.equations.check_units(group, run_namespace={})
        names = group.equations.names | group.equations.identifiers | {"dt"}
        variables = group.resolve_all(names, run_namespace={}, user_identifiers=set())
        require_conditional_linearity(model, group.equations, variables)
        group.state_updater.update_abstract_code(run_namespace={})
    except ModelError:
        raise
    except UnsupportedEquationsException as error:
        raise ModelError(
            f"The integrator '{model.integrator}' does not admit model '{model.name}': {error}"
        ) from None
    except (brian2.DimensionMismatchError, KeyError, SyntaxError, TypeError, ValueError) as error:
        raise ModelError(f"Model '{model.name}': {_one_sentence(error)}") from None
    return group.state_updater.abstract_code


def _group(
    model: NeuronModel, n: int, dt: float, lines: list[str], namespace: dict, reset: str
) -> brian2.NeuronGroup:
    # Brian2 also takes text, which its default does not say
    refractory: Any = False if model.refractory is None else model.refractory
    try:
        return brian2.NeuronGroup(
            n,
            "\n".join(lines),
            threshold=model.threshold,
            reset=reset,
            refractory=refractory,
            method=model.integrator,
            method_options={"order": model.states} if model.integrator in STAGGERED else None,
            dt=dt * brian2.second,
            namespace=namespace,
        )
    except Exception as error:
        raise ModelError(f"Model '{model.name}': {_one_sentence(error)}") from None


def _within_step_group(
    model: NeuronModel, n: int, dt: float, lines: list[str], namespace: dict
) -> brian2.NeuronGroup:
    parts = within_step_code(model, dt)
    lines += [f"{LAG} : second", f"{WAIT} : second", f"{CROSSED} : 1"]
    try:
        return brian2.NeuronGroup(
            n,
            "\n".join(lines),
            threshold=f"{CROSSED} > 0",
            reset=parts.reset,
            dt=dt * brian2.second,
            method=lambda equations, variables, options: parts.update,
            namespace=namespace,
        )
    except Exception as error:
        raise ModelError(f"Model '{model.name}': {_one_sentence(error)}") from None


def _quantity(value: float | np.ndarray, unit: str) -> Quantity:
    return cast("Quantity", Quantity(value, dim=parse_unit(unit).dim))


def _one_sentence(error: BaseException) -> str:
    """Return Brian2's message on one line, because the reason often follows a colon at the end of a
    line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."


@contextmanager
def random_state(seed: int | None) -> Iterator[None]:
    """Seed Brian2, keep other threads away from it, and restore NumPy's global random state
    afterwards."""
    with BRIAN:
        state = np.random.get_state()
        try:
            brian2.seed(seed)
            yield
        finally:
            np.random.set_state(state)


@contextmanager
def code_generation(n_steps: int) -> Iterator[None]:
    """Run short simulations in NumPy, because compiling Cython takes longer, unless the user chose
    a target."""
    with BRIAN:
        target = brian2.prefs.codegen.target
        try:
            if target == "auto" and n_steps < FEWEST_COMPILED_STEPS:
                brian2.prefs.codegen.target = "numpy"
            yield
        finally:
            brian2.prefs.codegen.target = target


@contextmanager
def _device(standalone: bool) -> Iterator[str | None]:
    """Use Brian2's C++ device for one standalone run and yield its build folder; otherwise yield
    None."""
    if not standalone:
        yield None
        return
    previous = brian2.get_device()
    with tempfile.TemporaryDirectory() as directory:
        brian2.set_device("cpp_standalone", directory=None, build_on_run=False)
        try:
            yield directory
        finally:
            brian2.device.reinit()
            brian2.set_device(
                next(name for name, device in all_devices.items() if device is previous)
            )
