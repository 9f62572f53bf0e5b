"""The profile likelihood of one parameter, all others at their best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from neurocode.errors import FitError
from neurocode.inference.likelihood import Likelihood
from neurocode.inference.options import whole_number
from neurocode.inference.refit import refit
from neurocode.inference.result import FitResult
from neurocode.inference.table import likelihood_of


@dataclass(frozen=True)
class Profile:
    """Likelihood maximised over all other parameters, along one.

    Attributes
    ----------
    name, unit : str
    values, log_likelihood : numpy.ndarray
        Parameter values and the maximum reached at each, in nats.
    interval_95 : tuple of float
        Where the profile stays within 1.92 nats of its maximum; NaN at a side that the values do
        not reach.
    """

    name: str
    unit: str
    values: np.ndarray
    log_likelihood: np.ndarray
    interval_95: tuple[float, float]


def profile_likelihood(
    result: FitResult,
    experiment: object,
    name: str,
    *,
    n_points: int = 9,
    reach: float = 3.0,
    likelihood: type[Likelihood] | None = None,
) -> Profile:
    """Profile the likelihood along one fitted parameter.

    Parameters
    ----------
    result : FitResult
    experiment : Experiment or spike trains
        The training data of the fit.
    name : str
        A parameter that was estimated.
    n_points : int
        Values, evenly spaced.
    reach : float
        How far to either side, in standard errors.
    likelihood : type of Likelihood, optional
        That of the fit, where it was one of your own.

    Returns
    -------
    Profile

    Raises
    ------
    FitError
        If the parameter was fixed or nothing else is free, for fewer than three values, or another
        likelihood than that of the fit.

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
        raise FitError(
            f"'{name}' was not estimated together with other parameters; estimated were "
            f"{', '.join(result.model.free)}."
        )
    low, high = result.model.parameters[name].bounds
    values = fitted.value + np.linspace(-reach, reach, n_points) * fitted.standard_error
    values = values[(values > low) & (values < high)]
    data = likelihood_of(result, likelihood).of(result.model, experiment, **result.settings)
    heights = []
    for value in values:
        along = data.with_model(result.model.with_parameters({name: value}).with_fixed(name))
        z = along.coordinates.to_coordinates(result.model.values)
        heights.append(refit(along, z).point.log_likelihood)
    heights = np.array(heights)
    return Profile(
        name,
        fitted.unit,
        values,
        heights,
        _crossings(values, heights, float(np.max(heights)) - chi2.ppf(0.95, 1) / 2),
    )


def _crossings(values: np.ndarray, heights: np.ndarray, level: float) -> tuple[float, float]:
    best = int(np.argmax(heights))
    below, above = np.nan, np.nan
    if heights[0] < level:
        below = float(np.interp(level, heights[: best + 1], values[: best + 1]))
    if heights[-1] < level:
        above = float(np.interp(level, heights[best:][::-1], values[best:][::-1]))
    return below, above
