"""Simulation of a model under a current, with a Neo block as the result."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

import neo
import numpy as np

from neurocode.errors import DataError, ModelError
from neurocode.models.model import NeuronModel
from neurocode.simulation.brian import run_brian
from neurocode.simulation.jax_engine import run_jax
from neurocode.simulation.numba_engine import run_numba
from neurocode.simulation.stimuli import count_steps, require_memory
from neurocode.simulation.time_scale import warn_of_coarse_step
from neurocode.simulation.to_neo import to_block
from neurocode.units import (
    is_whole,
    number_in,
    parse_unit,
    require_membrane_current,
    seconds,
    si_unit_text,
    strip_unit,
)

ENGINES = ("brian2", "brian2-standalone", "jax", "numba")
DEFAULT_DT = 1e-4


def simulate(
    model: NeuronModel,
    current: neo.AnalogSignal | np.ndarray | None = None,
    *,
    duration: object = None,
    dt: object = None,
    parameters: Mapping[str, object] | None = None,
    trials: int = 1,
    seed: int | None = None,
    record: Sequence[str] = (),
    engine: str = "brian2",
) -> neo.Block:
    """Simulate repeated trials of a neuron model.

    Parameters
    ----------
    model : NeuronModel
    current : neo.AnalogSignal or numpy.ndarray, optional
        Input, held over each sample. A plain array is in ampere (SI of the model's input) and needs
        ``dt``; a quantity is converted.
        One column is used for every trial (frozen); as many columns as trials give each trial its
        own current. The run begins with the current: its ``t_start`` is ignored, and times count
        from zero.
    duration : float, quantity or text, optional
        In seconds unless a unit is given; the length of the current by default.
    dt : float, quantity or text, optional
        Time step, in seconds unless a unit is given. Defaults to the sampling interval of the
        current, which it must divide, or to 0.1 ms.
    parameters : mapping, optional
        Values in place of the model's: numbers in each parameter's unit, text such as ``"20 ms"``,
        Brian2 quantities, or arrays with one value per trial.
    trials : int
        Number of repeats; they differ only where the model is stochastic or given different values.
        A model with a value per neuron takes as many trials as it has neurons.
    seed : int, optional
        The same seed gives the same spikes. Without it, a seed is drawn and noted in the block.
    record : sequence of str
        State variables or subexpressions to keep, as signals in the block.
    engine : {"brian2", "brian2-standalone", "jax", "numba"}
        Brian2 at runtime, Brian2 as a compiled C++ program, the JAX step in float64, or a compiled
        loop per neuron, which is the fastest for many neurons or long times and keeps spikes only.

    Returns
    -------
    neo.Block
        One segment per trial with its spike train (s), the recorded signals and the current.

    Raises
    ------
    DataError
        For a current, duration, time step or seed that cannot be used, or a run that needs more
        than 8 GiB.
    ModelError
        For an unknown engine, variable or parameter, equations that Brian2 refuses, or a model with
        values for another number of neurons than trials.

    Warns
    -----
    CoarseStepWarning
        If the time step is not small against the fastest time constant of the model.

    Examples
    --------
    >>> import neurocode as nc, numpy as np
    >>> block = nc.simulate(nc.models.lif(), np.full(2000, 400e-12), dt=1e-4, engine="jax")
    >>> len(block.segments[0].spiketrains[0]) > 0
    True
    """
    _require_possible(model, engine, trials, record)
    seed = _seed(seed)
    stimulus, step, n_steps = _timing(model, current, duration, dt)
    require_memory(n_steps * step, step, trials * (len(record) + len(model.inputs)) + 1)
    if stimulus is not None and stimulus.ndim == 2 and stimulus.shape[1] != trials:
        raise DataError(
            f"The current has {stimulus.shape[1]} columns, expected 1 or one for each of {trials} "
            f"trials."
        )
    if stimulus is None and model.inputs:
        stimulus = np.zeros(n_steps)
    values = {
        name: _parameter_si(model, name, value, trials)
        for name, value in (parameters or {}).items()
    }
    _require_value_per_trial(model.with_parameters(parameters), trials)
    warn_of_coarse_step(model, step, values)
    options = {"parameters": values, "stimulus": stimulus, "seed": seed}
    if engine == "numba":
        run = run_numba(model, step, n_steps, trials, **options)
    elif engine == "jax":
        run = run_jax(model, step, n_steps, trials, **options, record=tuple(record))
    else:
        run = run_brian(
            model,
            step,
            n_steps,
            trials,
            **options,
            record=tuple(record),
            standalone=engine == "brian2-standalone",
        )
    return to_block(
        model,
        run,
        step,
        n_steps,
        stimulus,
        {"model": model.name, "seed": seed, "dt": step, "engine": engine},
    )


def _require_possible(
    model: NeuronModel, engine: str, trials: object, record: Sequence[str]
) -> None:
    """Refuse what no current can mend: engine, number of trials, recorded names, inputs."""
    if engine not in ENGINES:
        raise ModelError(f"There is no engine '{engine}'; known are {', '.join(ENGINES)}.")
    if not is_whole(trials, 1):
        raise DataError(f"The number of trials must be a positive whole number, not {trials!r}.")
    unknown = set(record) - set(model.states) - set(model.subexpressions)
    if unknown:
        raise ModelError(f"Model '{model.name}' has no variable '{sorted(unknown)[0]}' to record.")
    if record and engine == "numba":
        raise ModelError(
            "The engine 'numba' keeps spikes only; record variables with 'brian2' or 'jax'."
        )
    if model.inputs:
        _ = model.only_input


def _require_value_per_trial(model: NeuronModel, trials: int) -> None:
    if model.n_neurons not in (1, trials):
        raise ModelError(
            f"Model '{model.name}' has values for {model.n_neurons} neurons, expected "
            f"trials={model.n_neurons}, one for each, not {trials}."
        )


def current_in_si(current: neo.AnalogSignal | np.ndarray, unit: str) -> np.ndarray:
    """Values of a current in SI, shape (samples,) or (samples, columns).

    Raises
    ------
    DataError
        For NaN, an empty current, another dimension, or a size that no membrane current has.
    """
    values = strip_unit(current, unit, "The current")
    values = values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
    if values.ndim not in (1, 2) or values.size == 0:
        raise DataError(
            f"The current must have shape (samples,) or (samples, trials), not {values.shape}."
        )
    if not np.all(np.isfinite(values)):
        raise DataError(
            f"The current holds {np.sum(~np.isfinite(values))} values that are not finite."
        )
    return require_membrane_current(values) if si_unit_text(unit) == "amp" else values


def _seed(seed: object) -> int:
    if seed is None:
        return secrets.randbits(31)
    if not is_whole(seed, 0) or seed >= 2**32:
        raise DataError(f"The seed is {seed!r}, expected a whole number from 0 to 4294967295.")
    return int(seed)


def _timing(
    model: NeuronModel,
    current: neo.AnalogSignal | np.ndarray | None,
    duration: object,
    dt: object,
) -> tuple[np.ndarray | None, float, int]:
    step = None if dt is None else seconds(dt, "The time step")
    length = None if duration is None else seconds(duration, "The duration")
    if current is None:
        if length is None:
            raise DataError("A simulation without a current needs a duration.")
        step = DEFAULT_DT if step is None else step
        return None, step, count_steps(length, step)
    if not model.inputs:
        raise ModelError(f"Model '{model.name}' has no input, but a current is given.")
    values = current_in_si(current, model.only_input[1])
    if isinstance(current, neo.AnalogSignal):
        interval = number_in(current.sampling_period, "s")
        values, step = _refine(values, interval, interval if step is None else step)
    elif step is None:
        raise DataError("A current given as an array needs dt, its sampling interval.")
    n_steps = len(values) if length is None else count_steps(length, step)
    if n_steps > len(values):
        raise DataError(
            f"The duration of {n_steps * step:g} s is longer than the current of "
            f"{len(values) * step:g} s."
        )
    return values[:n_steps], step, n_steps


def _refine(values: np.ndarray, interval: float, step: float) -> tuple[np.ndarray, float]:
    ratio = interval / step
    if ratio < 0.999 or abs(ratio - round(ratio)) > 1e-3:
        raise DataError(
            f"The time step of {step:g} s does not divide the sampling interval of {interval:g} s."
        )
    return np.repeat(values, round(ratio), axis=0), interval / round(ratio)


def _parameter_si(model: NeuronModel, name: str, value: object, trials: int) -> float | np.ndarray:
    parameter = model.with_parameters({name: value}).parameters[name]
    if np.ndim(parameter.value) and np.shape(parameter.value) != (trials,):
        raise ModelError(
            f"Parameter '{name}' has shape {np.shape(parameter.value)}, expected one value or one "
            f"for each of {trials} trials."
        )
    return np.asarray(parameter.value, float)[()] * parse_unit(parameter.unit).scale
