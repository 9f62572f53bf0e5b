"""The entry point of all fits: it selects the likelihood, checks the options and returns the
result."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import neo
import numpy as np

from neurocode.errors import FitError
from neurocode.inference.estimates import fitted_model, fitted_parameters, information_rank
from neurocode.inference.likelihood import Likelihood
from neurocode.inference.optimise import Optimum, Report, is_concave, left_to_prior
from neurocode.inference.options import prior_width_of, whole_number
from neurocode.inference.result import FitResult
from neurocode.inference.table import likelihood_for
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.trains import Trains


def fit(
    model: NeuronModel,
    experiment: Experiment | neo.SpikeTrain | Sequence[neo.SpikeTrain] | Trains | np.ndarray,
    *,
    seed: int = 0,
    starts: int | None = None,
    prior_width: float = 3.0,
    dt: float | None = None,
    voltage: float | None = None,
    likelihood: type[Likelihood] | None = None,
    progress: Report | None = None,
) -> FitResult:
    """Fit the free parameters of a model to recorded spikes.

    A model with escape noise is fitted under the recorded current: its spikes are clamped to the
    recorded ones, and the log-likelihood is maximised with exact gradients through the time loop. A
    diffusion to a sharp threshold (white noise ``xi`` and no escape noise) is fitted to spike times
    alone: the likelihood of an interval is the density with which the membrane potential, reset at
    the previous spike, first passes the threshold. This density solves a Fokker-Planck equation.
    Threshold and reset then only set the scale of the potential and are not identifiable; leak
    reversal and mean input cannot be told apart either.

    A weak normal prior around the model's own values (in unconstrained coordinates: logit between
    two bounds, logarithm above one bound, multiples of the value without bounds) keeps the
    parameters from diverging in directions that the spikes do not determine.

    Parameters
    ----------
    model : NeuronModel
        Its parameters that are not fixed are estimated; its values are the start. For the library's
        diffusions the start is derived from the intervals.
    experiment : Experiment, or neo.SpikeTrain, array of seconds, or a sequence of them
        Training data. Spike trains alone, one entry per repeat, are fitted without a current. A
        test set is ignored.
    seed : int
        Seed of the random starts. The search for a diffusion uses no random numbers, so every seed
        gives the same result.
    starts : int, optional
        Number of starts, 6 by default.
    prior_width : float
        Standard deviation of the prior in unconstrained coordinates; infinity for no prior.
    dt : float or quantity, optional
        Time step in seconds. The default is the sampling interval, or about 0.1 ms where the
        sampling is finer or there is none.
    voltage : float or quantity, optional
        Interval in seconds at which the recorded membrane potential (the state ``v``) is fitted
        too, away from spikes, with Gaussian residuals whose variance is estimated. The residuals
        count as independent: 0.2 s suits recordings, whose residuals are correlated, and 0.01 s
        suits simulations with white noise. The voltage determines a shift and a scale that spikes
        leave open, so ``E_L`` and ``C`` of a GIF may then be freed. :func:`choose_voltage` decides
        whether the voltage helps.
    likelihood : type of Likelihood, optional
        A likelihood class of your own, used in place of the one that suits model and data.
    progress : callable, optional
        Called with a phase, the log-likelihood and the number of passes over the data.

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        For a model that has no free parameters or that no likelihood accepts, fewer than 20 spikes
        (40 intervals of a diffusion), a refractory period longer than the shortest interval, values
        at which the likelihood is not finite, options out of range, or an option that the
        likelihood does not accept: a diffusion takes no ``starts``, ``dt`` or ``voltage``.
    DataError
        For data that do not fit on the grid, a voltage that is requested but was not recorded,
        spike times that are not finite, not sorted or repeated, or anything other than an
        experiment or the spike times of one unit.
    ModelError
        For a diffusion that is not one-dimensional.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> current = noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> truth = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(truth, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> nc.fit(truth, nc.Experiment(spikes, current), starts=1).converged
    True
    """
    seed, prior_width = whole_number(seed, "The seed"), prior_width_of(prior_width)
    model = model.of_one_neuron()
    kind = likelihood_for(model, experiment) if likelihood is None else likelihood
    options: dict[str, Any] = {
        name: value for name, value in (("dt", dt), ("voltage", voltage)) if value is not None
    }
    _require_taken(kind, model, options if starts is None else {"starts": starts, **options})
    starts = None if starts is None else whole_number(starts, "The number of starts", 1)
    if not model.free:
        raise FitError(f"Model '{model.name}' has no free parameter.")
    began = time.perf_counter()
    best, optimum = kind.of(model, experiment, prior_width=prior_width, **options).maximise(
        starts, seed, progress
    )
    return _result(best, optimum, seed, began)


def _require_taken(
    kind: type[Likelihood], model: NeuronModel, options: Mapping[str, object]
) -> None:
    for name, value in options.items():
        if name not in kind.options:
            raise FitError(
                f"'{name}' ({value!r}) does not apply to model '{model.name}': {kind.refuses}."
            )


def _result(likelihood: Likelihood, optimum: Optimum, seed: int, began: float) -> FitResult:
    model = fitted_model(likelihood.model, likelihood.values_at(optimum.z))
    log_likelihood = likelihood.log_likelihood(optimum.z)
    information = optimum.information
    if optimum.converged and not is_concave(information):
        information = left_to_prior(information, likelihood.prior_precision)
    goodness = likelihood.goodness(optimum.z)
    slopes = likelihood.coordinates.slope(optimum.z)
    message = (
        f"{'' if optimum.converged else 'not '}converged: a full Newton step is expected to "
        f"gain {optimum.decrement:.1e} nats"
    )
    return FitResult(
        model=model,
        parameters=fitted_parameters(
            model, optimum.z, information, slopes, likelihood.values_at, likelihood.prior_width
        ),
        likelihood=likelihood.name,
        log_likelihood=log_likelihood,
        bic=len(optimum.z) * np.log(likelihood.n_spikes) - 2 * log_likelihood,
        bits_per_spike=likelihood.bits_per_spike(log_likelihood, likelihood.rate),
        training_rate=likelihood.rate,
        converged=optimum.converged,
        message="; ".join([message, *likelihood.remarks()]),
        gradient_norm=float(np.linalg.norm(optimum.gradient)),
        n_spikes=likelihood.n_spikes,
        dt=likelihood.dt,
        duration=likelihood.duration,
        seconds=time.perf_counter() - began,
        seed=seed,
        rank=information_rank(information - likelihood.prior_precision * np.eye(len(optimum.z))),
        settings=likelihood.settings,
        goodness=goodness,
        verdicts=tuple(likelihood.verdicts(optimum, goodness)),
    )
