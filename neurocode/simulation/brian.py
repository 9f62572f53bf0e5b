"""A model as a Brian2 neuron group, and its runs in Brian2."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

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

#: Letters of Brian2's reason for a refusal that are passed on.
LONGEST_REASON = 400

#: Steps from which compiling Brian2's Cython code (tens of seconds, once) pays against NumPy.
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
        Values in SI that replace the model's; arrays of length ``n`` give each neuron its own.
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
    namespace = {
        name: _quantity(value, model.parameters[name].unit)
        for name, value in values.items()
        if np.ndim(value) == 0
    }
    namespace["normal_cdf"] = normal_cdf()
    per_neuron = {name: np.asarray(value) for name, value in values.items() if np.ndim(value)}
    held = without_refractoriness(model) if model.within_step else model
    lines = _equation_lines(held, held=model.after_reset, stimulus=stimulus)
    lines += [
        f"{name} : {si_unit_text(model.parameters[name].unit)} (constant)" for name in per_neuron
    ]
    if stimulus is not None:
        unit = model.only_input[1]
        namespace["stimulus"] = brian2.TimedArray(_quantity(stimulus, unit), dt=dt * brian2.second)
    reset = f"{SPIKED} = 1\n{model.reset_code}" if model.uses_spiked else model.reset_code
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
        # Brian2's 10 000 s would be inside a longer refractory period
        group.variables["lastspike"].set_value(-NEVER * dt)
    if model.uses_spiked:
        group.run_regularly(f"{SPIKED} = 0", when="before_thresholds")
    if model.after_reset:
        group.run_regularly(after_reset_code(model, dt), when="after_resets")
    return group


def update_and_reset(model: NeuronModel, dt: float) -> tuple[str, str]:
    """Brian2's abstract code for the state update of one step, before threshold and reset, and that
    of the reset."""
    if model.within_step:
        parts = within_step_code(model, dt)
        return parts.update, parts.reset
    require_integrator(model.integrator)
    require_few_states(model)
    return _abstract_code(model, dt, held=model.after_reset), model.reset_code


def within_step_code(model: NeuronModel, dt: float) -> WithinStep:
    """Abstract code of a step with the threshold crossing inside; see :class:`WithinStep`."""
    require_integrator(model.integrator)
    return within_step(model, lambda free, held: _abstract_code(free, dt, held))


def single_state_code(model: NeuronModel, name: str) -> str:
    """Abstract code of the exact update of one state, whatever else changes held; ``dt`` in it may
    be any time.

    Raises
    ------
    ModelError
        If the equation of the state is not linear in it.
    """
    require_integrator("matrix_exponential")
    free = replace(without_refractoriness(model), integrator="matrix_exponential")
    return _abstract_code(free, 1.0, held=tuple(other for other in model.states if other != name))


def after_reset_code(model: NeuronModel, dt: float) -> str:
    """Abstract code for the variables that are updated after the reset; they go on during
    refractoriness."""
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

    NumPy's global random state, Brian2's active device and its preferences are left as they were
    found; threads wait for one another, so the same seed gives the same spikes in each.

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
        mine = [np.flatnonzero(np.asarray(spikes.i) == trial) for trial in range(trials)]
        mine = [indices[np.argsort(steps[indices], kind="stable")] for indices in mine]
        offsets = (
            [np.asarray(getattr(spikes, LAG))[indices] + dt for indices in mine]
            if model.within_step
            else None
        )
        recorded = {name: np.array(states.variables[name].get_value()).T for name in record}
    return RawRun([steps[indices] for indices in mine], recorded, offsets)


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
    group._network = "read, never run"  # Brian2 warns when a group outside any network is deleted
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
    try:
        return brian2.NeuronGroup(
            n,
            "\n".join(lines),
            threshold=model.threshold,
            reset=reset,
            refractory=False if model.refractory is None else model.refractory,
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
    return Quantity(value, dim=parse_unit(unit).dim)


def _one_sentence(error: Exception) -> str:
    """All that Brian2 says, its paragraphs joined: the reason often stands after a colon at the end
    of a line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= LONGEST_REASON else text[: LONGEST_REASON - 3] + "..."


@contextmanager
def random_state(seed: int | None) -> Iterator[None]:
    """Seed Brian2, keep other threads away from it, and leave NumPy's global random state as it was
    found."""
    with BRIAN:
        state = np.random.get_state()
        try:
            brian2.seed(seed)
            yield
        finally:
            np.random.set_state(state)


@contextmanager
def code_generation(n_steps: int) -> Iterator[None]:
    """Run short simulations in NumPy unless the user chose a target: compiling Cython takes longer."""
    with BRIAN:
        chosen = brian2.prefs.codegen.target
        try:
            if chosen == "auto" and n_steps < FEWEST_COMPILED_STEPS:
                brian2.prefs.codegen.target = "numpy"
            yield
        finally:
            brian2.prefs.codegen.target = chosen


@contextmanager
def _device(standalone: bool) -> Iterator[str | None]:
    """Brian2's C++ device for one run, with the folder to build in; nothing changes at runtime."""
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
