"""Starting values of a fit, from the mean and the standard deviation of the intervals and the
phases of the spikes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from neurocode.inference.passage.equations import passage_equations
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.verdict import require_refractoriness
from neurocode.models.model import NeuronModel
from neurocode.units import parse_unit

#: Membrane time constants that are tried, in mean intervals.
TIME_CONSTANTS = (0.3, 1.0, 4.0)
#: Adaptation at the start: share of the mean input that it takes away, and its time constant in
#: mean intervals.
ADAPTATION_SHARE, ADAPTATION_INTERVALS = 0.3, 5.0
#: Largest adaptation by one spike, as a multiple of the mean input that crosses from reset to
#: threshold in a mean interval. A larger one would silence the neuron, and a bound far above the
#: estimate would put the relevant values into a corner of the coordinate.
STRONGEST_ADAPTATION = 20.0
#: Refractory period from which the search begins, in seconds (our choice, not from the paper).
REFRACTORY = 1.5e-3
#: Amplitudes of the membrane potential under a periodic drive that are tried, in distances from
#: reset to threshold, and its phase lags.
SWINGS, LAGS = (0.1, 0.4), (0.0, 0.5 * np.pi)


def bounded(model: NeuronModel, intervals: Intervals) -> NeuronModel:
    """Return the model with its refractory period bounded by the shortest interval.

    Raises
    ------
    FitError
        If the period is fixed above that interval, or its lower bound lies above it.
    """
    name = model.refractory
    if name is None:
        return model
    if name not in model.parameters or model.parameters[name].fixed:
        with_values = passage_equations(model).refractory_period(model.values)
        require_refractoriness(intervals, float(with_values))
        return model
    parameter = model.parameters[name]
    shortest = (
        float(np.min(intervals.lengths)) * parameter.value / parameter.si
        if parameter.value
        else None
    )
    low = parameter.bounds[0]
    high = min(parameter.bounds[1], shortest) if shortest is not None else parameter.bounds[1]
    if not low < high:
        require_refractoriness(intervals, parameter.si_bounds[0])
    limited = replace(parameter, value=0.5 * (low + high), bounds=(low, high))
    return replace(model, parameters={**model.parameters, name: limited})


def starting_models(model: NeuronModel, intervals: Intervals) -> list[NeuronModel]:
    """Return the model with several sets of values that roughly fit the mean and the standard
    deviation of the intervals.

    The values are those of a perfect integrator, whose mean interval is ``a/mu`` and whose squared
    CV is ``sigma^2/(mu a)``, with the distance ``a`` from reset to threshold. A model whose
    parameters are not named as in the library keeps its values.
    """
    mean = float(np.mean(intervals.lengths))
    cv = float(np.std(intervals.lengths)) / mean
    values = {name: float(value) for name, value in model.values.items()}
    if not {"mu", "sigma", "tau", "V_r", "V_T"} <= set(values):
        return [model]
    distance = abs(values["V_T"] - values["V_r"])
    starts = []
    for ratio in TIME_CONSTANTS if "tau" in model.free else (values["tau"] / mean,):
        tau = ratio * mean
        guess = {"mu": distance / mean, "sigma": cv * distance / np.sqrt(mean), "tau": tau}
        if "t_ref" in values:
            guess["t_ref"] = min(REFRACTORY, 0.5 * float(np.min(intervals.lengths)))
        if "tau_w" in values:
            guess["tau_w"] = ADAPTATION_INTERVALS * mean
            guess["b"] = ADAPTATION_SHARE * guess["mu"] * mean / guess["tau_w"]
            guess["mu"] *= 1 + ADAPTATION_SHARE
            model = _below(model, "b", STRONGEST_ADAPTATION * distance / mean)
        starts += [{**guess, **drive} for drive in _drives(model, intervals, distance)]
    return [_with(model, start) for start in starts]


def _drives(
    model: NeuronModel, intervals: Intervals, distance: float
) -> Iterator[dict[str, float]]:
    if "drive_cos" not in model.free:
        yield {}
        return
    angular = 2 * np.pi * model.values["frequency"]
    locked = np.angle(
        np.mean(np.exp(1j * angular * (intervals.start + intervals.duration)[intervals.observed]))
    )
    for swing in SWINGS:
        for lag in LAGS:
            amplitude, phase = swing * distance * angular, locked - lag
            yield {"drive_cos": amplitude * np.cos(phase), "drive_sin": amplitude * np.sin(phase)}


def _below(model: NeuronModel, name: str, highest: float) -> NeuronModel:
    """Return the model with the upper bound of a free parameter lowered to a value in SI units."""
    parameter = model.parameters[name]
    high = min(parameter.bounds[1], highest / parse_unit(parameter.unit).scale)
    if name not in model.free or high <= parameter.bounds[0]:
        return model
    bounded = replace(
        parameter, value=min(float(parameter.value), high), bounds=(parameter.bounds[0], high)
    )
    return replace(model, parameters={**model.parameters, name: bounded})


def _with(model: NeuronModel, guess: dict[str, float]) -> NeuronModel:
    """Return the model with its free parameters set to values in SI units, which are moved inside
    their bounds."""
    parameters = dict(model.parameters)
    for name in set(guess) & set(model.free):
        parameter = parameters[name]
        low, high = parameter.bounds
        value = guess[name] / parse_unit(parameter.unit).scale
        width = high - low if np.isfinite(high - low) else abs(value)
        parameters[name] = replace(
            parameter, value=float(np.clip(value, low + 1e-3 * width, high - 1e-3 * width))
        )
    return replace(model, parameters=parameters)
