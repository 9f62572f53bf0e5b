"""The parametric bootstrap: how estimates scatter when the fitted model generates the data."""

from __future__ import annotations

import pandas as pd

from neurocode.errors import FitError
from neurocode.inference.likelihood import Likelihood
from neurocode.inference.options import whole_number
from neurocode.inference.refit import refit
from neurocode.inference.result import FitResult
from neurocode.inference.table import likelihood_of
from neurocode.units import parse_unit


def parametric_bootstrap(
    result: FitResult,
    experiment: object,
    *,
    n_samples: int = 100,
    seed: int = 0,
    likelihood: type[Likelihood] | None = None,
) -> pd.DataFrame:
    """Refit recordings that the fitted model itself produces under the conditions of the training.

    Parameters
    ----------
    result : FitResult
    experiment : Experiment or spike trains
        The training data of the fit; its currents and durations are used.
    n_samples : int
    seed : int
    likelihood : type of Likelihood, optional
        Likelihood class of the fit, if it was one of your own.

    Returns
    -------
    pandas.DataFrame
        One row per sample, one column per free parameter in its own unit.

    Raises
    ------
    FitError
        For a fit to spikes and voltage, because the model has no voltage noise to draw from; for
        fewer than one sample, a negative seed, or a likelihood other than that of the fit.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> current = noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> model = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(model, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> experiment = nc.Experiment(spikes, current)
    >>> frame = parametric_bootstrap(nc.fit(model, experiment, starts=1), experiment, n_samples=2)
    >>> list(frame.columns) == list(model.free)
    True
    """
    n_samples, seed = (
        whole_number(n_samples, "The number of samples", 1),
        whole_number(seed, "The seed"),
    )
    if result.settings.get("voltage") is not None:
        raise FitError(
            "The parametric bootstrap is defined for fits to spikes, not to spikes and voltage."
        )
    data = likelihood_of(result, likelihood).of(result.model, experiment, **result.settings)
    data = data.with_model(result.model)
    runs = [data.simulate(repeat, n_samples, seed + repeat) for repeat in range(len(data.trains))]
    rows = []
    for sample in range(n_samples):
        drawn = data.with_spikes([trains[sample] for trains in runs])
        rows.append(drawn.values_at(refit(drawn, drawn.origin).point.z))
    frame = pd.DataFrame(rows)
    return frame / [parse_unit(result.model.parameters[name].unit).scale for name in frame.columns]
