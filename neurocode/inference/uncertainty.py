"""Uncertainty beyond standard errors: profile likelihood and parametric bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import chi2

from neurocode.errors import FitError
from neurocode.inference.clamped.grid import clamp, counted_steps
from neurocode.inference.clamped.lanes import Clamp
from neurocode.inference.fit import chunked_likelihood
from neurocode.inference.optimise import Ascent
from neurocode.inference.options import whole_number
from neurocode.inference.result import FitResult
from neurocode.recordings.experiment import Experiment
from neurocode.simulation.jax_engine import run_jax
from neurocode.units import parse_unit

PASSES_A_REFIT = 80


@dataclass(frozen=True)
class Profile:
    """Likelihood maximised over all other parameters, along one.

    Attributes
    ----------
    name, unit : str
    values, log_likelihood : numpy.ndarray
        Parameter values and the maximum reached at each, in nats.
    interval_95 : tuple of float
        Where the profile stays within 1.92 nats of its maximum; NaN at a side that the values do not reach.
    """

    name: str
    unit: str
    values: np.ndarray
    log_likelihood: np.ndarray
    interval_95: tuple[float, float]


def profile_likelihood(result: FitResult, experiment: Experiment, name: str, *, n_points: int = 9, reach: float = 3.0) -> Profile:
    """Profile the likelihood along one fitted parameter.

    Parameters
    ----------
    result : FitResult
    experiment : Experiment
        The training data of the fit.
    name : str
        A parameter that was estimated.
    n_points : int
        Values, evenly spaced.
    reach : float
        How far to either side, in standard errors.

    Returns
    -------
    Profile

    Raises
    ------
    FitError
        If the parameter was fixed or nothing else is free, or for fewer than three values.

    Examples
    --------
    >>> import neurocode as nc
    >>> current = nc.simulation.stimuli.frozen_noise(16, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> model = nc.models.gif((50.0,))
    >>> experiment = nc.Experiment(nc.simulate(model, current, seed=2, engine="jax").segments[0].spiketrains[0], current)
    >>> profile = profile_likelihood(nc.fit(model, experiment, starts=1), experiment, "Delta_V", n_points=5)
    >>> bool(profile.interval_95[0] < profile.interval_95[1])
    True
    """
    n_points = whole_number(n_points, "The number of values", 3)
    fitted = result.parameters.get(name)
    if fitted is None or fitted.fixed or len(result.model.free) < 2:
        raise FitError(f"'{name}' was not estimated together with other parameters; estimated were {', '.join(result.model.free)}.")
    low, high = result.model.parameters[name].bounds
    values = fitted.value + np.linspace(-reach, reach, n_points) * fitted.standard_error
    values = values[(values > low) & (values < high)]
    clamps = [clamp(repeat, result.dt, voltage=result.voltage_interval) for repeat in experiment.repeats]
    heights = []
    for value in values:
        likelihood = chunked_likelihood(result.model.with_parameters({name: value}).with_fixed(name), clamps, result.dt)
        ascent = Ascent(likelihood, likelihood.coordinates.to_coordinates(result.model.values))
        ascent.climb(PASSES_A_REFIT, enough=1e-3)
        heights.append(ascent.point.log_likelihood)
    heights = np.array(heights)
    return Profile(name, fitted.unit, values, heights, _crossings(values, heights, float(np.max(heights)) - chi2.ppf(0.95, 1) / 2))


def parametric_bootstrap(result: FitResult, experiment: Experiment, *, n_samples: int = 100, seed: int = 0) -> pd.DataFrame:
    """Refit recordings that the fitted model itself produced under the training currents.

    Parameters
    ----------
    result : FitResult
    experiment : Experiment
        The training data of the fit; its currents are used.
    n_samples : int
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row a sample, a column a free parameter in its own unit.

    Raises
    ------
    FitError
        For a fit to spikes and voltage: the model has no noise in the voltage to draw from; for no sample or a negative seed.
    """
    n_samples, seed = whole_number(n_samples, "The number of samples", 1), whole_number(seed, "The seed")
    if result.voltage_interval is not None:
        raise FitError("The parametric bootstrap is defined for fits to spikes, not to spikes and voltage.")
    clamps = [clamp(repeat, result.dt) for repeat in experiment.repeats]
    simulated = [_simulated(result, data, n_samples, seed + number) for number, data in enumerate(clamps)]
    rows = []
    for sample in range(n_samples):
        likelihood = chunked_likelihood(result.model, [sweeps[sample] for sweeps in simulated], result.dt)
        ascent = Ascent(likelihood, likelihood.coordinates.to_coordinates(result.model.values))
        ascent.climb(PASSES_A_REFIT, enough=1e-3)
        rows.append(likelihood.values_at(ascent.point.z))
    frame = pd.DataFrame(rows)
    return frame / [parse_unit(result.model.parameters[name].unit).scale for name in frame.columns]


def _simulated(result: FitResult, data: Clamp, n_samples: int, seed: int) -> list[Clamp]:
    n_steps = len(data.current)
    run = run_jax(result.model, result.dt, n_steps, n_samples, parameters={}, stimulus=data.current, seed=seed)
    sweeps = []
    for steps in run.spike_steps:
        spikes = np.zeros(n_steps, bool)
        spikes[steps] = True
        sweeps.append(Clamp(data.current, spikes, counted_steps(n_steps, result.dt)))
    return sweeps


def _crossings(values: np.ndarray, heights: np.ndarray, level: float) -> tuple[float, float]:
    best = int(np.argmax(heights))
    below, above = np.nan, np.nan
    if heights[0] < level:
        below = float(np.interp(level, heights[: best + 1], values[: best + 1]))
    if heights[-1] < level:
        above = float(np.interp(level, heights[best:][::-1], values[best:][::-1]))
    return below, above
