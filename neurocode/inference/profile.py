"""The profile likelihood of one parameter, with all others at their maximum."""

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
    """Likelihood along one parameter, maximised over all others.

    Attributes
    ----------
    name, unit : str
    values, log_likelihood : numpy.ndarray
        Parameter values and the maximum reached at each, in nats.
    interval_95 : tuple of float
        Range in which the profile stays within 1.92 nats of its maximum; NaN on a side where the
        values do not reach that far.
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
        Name of an estimated parameter.
    n_points : int
        Number of evenly spaced values.
    reach : float
        Distance of the outermost values from the estimate, in standard errors.
    likelihood : type of Likelihood, optional
        Likelihood class of the fit, if it was one of your own.

    Returns
    -------
    Profile

    Raises
    ------
    FitError
        If the parameter was fixed or no other one is free, for fewer than three values, or for a
        likelihood other than that of the fit.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> current = noise(16, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> model = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(model, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> experiment = nc.Experiment(spikes, current)
    >>> result = nc.fit(model, experiment, starts=1)
    >>> profile = profile_likelihood(result, experiment, "Delta_V", n_points=5)
    >>> bool(profile.interval_95[0] < profile.interval_95[1])
    True
    """
    n_points = whole_number(n_points, "The number of values", 3)
    fitted = result.parameters.get(name)
    error = None if fitted is None or fitted.fixed else fitted.standard_error
    if fitted is None or error is None or len(result.model.free) < 2:
        raise FitError(
            f"'{name}' was not estimated together with other parameters; estimated were "
            f"{', '.join(result.model.free)}."
        )
    low, high = result.model.parameters[name].bounds
    values = fitted.value + np.linspace(-reach, reach, n_points) * error
    values = values[(values > low) & (values < high)]
    data = likelihood_of(result, likelihood).of(result.model, experiment, **result.settings)
    heights = []
    for value in values:
        restricted = data.with_model(result.model.with_parameters({name: value}).with_fixed(name))
        z = restricted.coordinates.to_coordinates(result.model.values)
        heights.append(refit(restricted, z).point.log_likelihood)
    heights = np.array(heights)
    return Profile(
        name,
        fitted.unit,
        values,
        heights,
        _crossings(values, heights, float(np.max(heights)) - float(chi2.ppf(0.95, 1)) / 2),
    )


def _crossings(values: np.ndarray, heights: np.ndarray, level: float) -> tuple[float, float]:
    best = int(np.argmax(heights))
    below, above = np.nan, np.nan
    if heights[0] < level:
        below = float(np.interp(level, heights[: best + 1], values[: best + 1]))
    if heights[-1] < level:
        above = float(np.interp(level, heights[best:][::-1], values[best:][::-1]))
    return below, above
