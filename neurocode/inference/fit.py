"""Maximum likelihood of recorded spikes under a model with escape noise."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import neo
import numpy as np

from neurocode.errors import DataError, FitError
from neurocode.inference.clamped.grid import choose_dt, clamp
from neurocode.inference.clamped.lanes import Clamp
from neurocode.inference.clamped.likelihood import ClampedLikelihood
from neurocode.inference.estimates import fitted_model, fitted_parameters, information_rank
from neurocode.inference.one_unit import one_unit
from neurocode.inference.optimise import ROUGHLY_CONSISTENT, Ascent, Optimum, Report, finish, is_concave, left_to_prior, reporter
from neurocode.inference.options import prior_width_of, whole_number
from neurocode.inference.result import FitResult
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment
from neurocode.recordings.trains import usable_trains
from neurocode.simulation.time_scale import warn_of_coarse_step
from neurocode.units import seconds

FEWEST_SPIKES = 20
STARTS = 6
#: Passes that each start has spent when the better half goes on, round by round; the best of the last
#: round is refined.
ROUNDS = (60, 120, 240)
#: Gain expected of a step, in nats, below which a start is done.
ENOUGH_FOR_A_START = 0.1
MOST_PASSES = 800
#: Share of intervals below 10 ms from which a cell is said to burst.
BURSTING = 0.2
#: Time step of the starts, in seconds, where the fit's own is finer.
ROUGH_DT = 4e-4
#: Spread of the further starts around the first, in unconstrained coordinates.
START_SPREAD = 1.0
CHUNK_SECONDS = 0.5


def fit(
    model: NeuronModel,
    experiment: Experiment | neo.SpikeTrain | Sequence[neo.SpikeTrain] | np.ndarray,
    *,
    seed: int = 0,
    starts: int | None = None,
    prior_width: float = 3.0,
    dt: float | None = None,
    voltage: float | None = None,
    progress: Report | None = None,
) -> FitResult:
    """Fit the free parameters of a model to recorded spikes.

    The spikes are clamped to the recorded ones and the log-likelihood of the model's escape noise is
    climbed with exact gradients through the time loop. A weak normal prior around the model's own
    values (in unconstrained coordinates: logit between two bounds, logarithm above one, multiples of
    the value without) keeps directions that the spikes do not determine from running away.

    Parameters
    ----------
    model : NeuronModel
        With escape noise. Its parameters that are not fixed are estimated; its values are the start.
    experiment : Experiment, or neo.SpikeTrain, array of seconds, or a sequence of them
        Training data. Spike trains alone, one entry a repeat, are fitted without a current. A test set is not looked at. A model
        with diffusive noise and a sharp threshold is fitted to spike times alone by
        :func:`neurocode.inference.passage.fit_spike_times`, whose search draws nothing: every seed gives the same result.
    seed : int
        Of the further starts.
    starts : int, optional
        Number of starts, 6 by default.
    prior_width : float
        Standard deviation of the prior in unconstrained coordinates; infinite for none.
    dt : float or quantity, optional
        Time step in seconds: the sampling interval, or 0.1 ms where that is finer.
    voltage : float or quantity, optional
        Also explain the recorded membrane potential (the state ``v``) at intervals of so many seconds, away from spikes,
        with Gaussian residuals whose variance is estimated. They count as independent: 0.2 s suits recordings, whose
        residuals are correlated, 0.01 s simulated ones with white noise. The voltage pins a shift and a scale that spikes leave
        open, so ``E_L`` and ``C`` of a GIF may then be freed. :func:`choose_voltage` says whether it helps.
    progress : callable, optional
        Called with a phase, the log-likelihood and the number of passes over the data.

    Returns
    -------
    FitResult

    Raises
    ------
    FitError
        For a model without escape noise or free parameters, fewer than 20 spikes, a refractory period
        longer than the shortest interval, values at which the likelihood is not finite, options out of range, or ``starts``,
        ``dt`` or ``voltage`` for a diffusion, which has none of them.
    DataError
        For data that do not fit on the grid, a voltage that is asked for and was not recorded, or anything but an experiment or
        spike times of one unit.

    Examples
    --------
    >>> import neurocode as nc
    >>> current = nc.simulation.stimuli.frozen_noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> truth = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(truth, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> nc.fit(truth, nc.Experiment(spikes, current), starts=1).converged
    True
    """
    seed, prior_width = whole_number(seed, "The seed"), prior_width_of(prior_width)
    if model.noise is None and model.has_diffusion:
        _refuse_for_diffusions(model, starts=starts, dt=dt, voltage=voltage)
        return _fit_diffusion(model, experiment, seed, prior_width, progress)
    began = time.perf_counter()
    starts = whole_number(STARTS if starts is None else starts, "The number of starts", 1)
    dt = None if dt is None else seconds(dt, "The time step")
    voltage = None if voltage is None else seconds(voltage, "The interval between voltages")
    experiment = experiment_of(experiment)
    step = choose_dt(experiment.dt, dt)
    warn_of_coarse_step(model, step)
    clamps = [clamp(repeat, step, voltage=voltage) for repeat in experiment.repeats]
    likelihood = training_likelihood(model, clamps, step, prior_width)
    rough = _rough_likelihood(model, experiment, step, prior_width, voltage) or likelihood
    best = search(rough, model, starts, seed, progress)
    if not np.isfinite(best.point.log_likelihood):
        raise FitError(f"No start of model '{model.name}' gives the spikes a finite likelihood; check its values and the current.")
    optimum = finish(Ascent(likelihood, best.point.z, reporter("refining", progress)), MOST_PASSES)
    return _result(model, likelihood, optimum, clamps, step, seed, prior_width, began, voltage)


def experiment_of(data: object) -> Experiment:
    """The experiment itself, or one of spike trains alone; see :func:`one_unit`.

    Raises
    ------
    DataError
    """
    return data if isinstance(data, Experiment) else Experiment(usable_trains(one_unit(data)).to_neo()[0])


def _refuse_for_diffusions(model: NeuronModel, **options: object) -> None:
    for name, value in options.items():
        if value is not None:
            raise FitError(
                f"Model '{model.name}' is a diffusion to threshold, whose fit starts from the intervals, chooses its own time "
                f"steps and sees no voltage; '{name}' ({value!r}) does not apply to it."
            )


def _fit_diffusion(model: NeuronModel, experiment: object, seed: int, prior_width: float, progress: Report | None) -> FitResult:
    from neurocode.inference.passage import fit_spike_times

    if isinstance(experiment, Experiment):
        if any(repeat.current is not None for repeat in experiment.repeats):
            raise FitError(f"Model '{model.name}' is a diffusion to threshold; it is fitted to spike times without a current.")
        experiment = [neo.SpikeTrain(r.spike_times, units="s", t_stop=r.duration) for r in experiment.repeats]
    return replace(fit_spike_times(model, experiment, prior_width=prior_width, progress=progress), seed=seed)


def training_likelihood(model: NeuronModel, clamps: Sequence[Clamp], dt: float, prior_width: float) -> ClampedLikelihood:
    """Likelihood of training data with its prior, after the checks that a fit needs.

    Raises
    ------
    FitError
    """
    if not model.free:
        raise FitError(f"Model '{model.name}' has no free parameter.")
    if len(model.inputs) > 1:
        raise FitError(f"Model '{model.name}' has {len(model.inputs)} inputs, a fit takes one current.")
    n_spikes = sum(c.n_spikes for c in clamps)
    if n_spikes < FEWEST_SPIKES:
        raise FitError(f"The training data hold {n_spikes} spikes after the first 500 ms, at least {FEWEST_SPIKES} are needed.")
    return chunked_likelihood(model, clamps, dt, prior_width)


def chunked_likelihood(model: NeuronModel, clamps: Sequence[Clamp], dt: float, prior_width: float = np.inf) -> ClampedLikelihood:
    """Likelihood in chunks of half a second; see :class:`ClampedLikelihood`."""
    return ClampedLikelihood(model, clamps, dt, chunk_steps=round(CHUNK_SECONDS / dt), prior_width=prior_width)


def spike_rate(clamps: Sequence[Clamp], dt: float) -> float:
    """Rate in the steps that enter the likelihood, in hertz."""
    return sum(c.n_spikes for c in clamps) / (sum(int(np.sum(c.counted)) for c in clamps) * dt)


def poisson_log_likelihood(clamps: Sequence[Clamp], rate: float, dt: float) -> float:
    """Log-likelihood of spikes under a homogeneous Poisson process in the same bins, in nats."""
    spikes = sum(c.n_spikes for c in clamps)
    bins = sum(int(np.sum(c.counted)) for c in clamps)
    return float(spikes * np.log(-np.expm1(-rate * dt)) - (bins - spikes) * rate * dt)


def bits_per_spike(log_likelihood: float, clamps: Sequence[Clamp], rate: float, dt: float) -> float:
    """Gain over a homogeneous Poisson process at ``rate``, in bits a spike."""
    n_spikes = sum(c.n_spikes for c in clamps)
    if n_spikes == 0:
        return np.nan
    return (log_likelihood - poisson_log_likelihood(clamps, rate, dt)) / n_spikes / np.log(2)


def _rough_likelihood(
    model: NeuronModel, experiment: Experiment, dt: float, prior_width: float, voltage: float | None
) -> ClampedLikelihood | None:
    """The same likelihood on a coarser grid for the starts, where the spikes allow one."""
    coarse = dt * round(ROUGH_DT / dt)
    if coarse < 1.5 * dt:
        return None
    try:
        clamps = [clamp(repeat, coarse, voltage=voltage) for repeat in experiment.repeats]
        return training_likelihood(model, clamps, coarse, prior_width)
    except (DataError, FitError):
        return None


def search(likelihood: ClampedLikelihood, model: NeuronModel, starts: int, seed: int, progress: Report | None = None) -> Ascent:
    """Climb from the model's values and from others around them, round by round with the better half.

    Returns
    -------
    Ascent
        The one that came highest.
    """
    first = likelihood.coordinates.to_coordinates(model.values)
    random = np.random.default_rng(seed)
    origins = [first, *(first + START_SPREAD * random.standard_normal(len(first)) for _ in range(starts - 1))]
    ascents = [
        Ascent(likelihood, z, reporter(f"start {number}", progress), ROUGHLY_CONSISTENT) for number, z in enumerate(origins, 1)
    ]
    for passes in ROUNDS:
        for ascent in ascents:
            ascent.climb(passes, ENOUGH_FOR_A_START)
        ascents = sorted(ascents, key=lambda ascent: -ascent.point.log_likelihood)[: (len(ascents) + 1) // 2]
    return ascents[0]


def _result(
    model: NeuronModel,
    likelihood: ClampedLikelihood,
    optimum: Optimum,
    clamps: Sequence[Clamp],
    dt: float,
    seed: int,
    prior_width: float,
    began: float,
    voltage: float | None,
) -> FitResult:
    fitted = fitted_model(model, likelihood.values_at(optimum.z))
    log_likelihood = likelihood.log_likelihood(optimum.z)
    n_spikes = likelihood.n_spikes
    rate = spike_rate(clamps, dt)
    information = optimum.information
    if optimum.converged and not is_concave(information):
        information = left_to_prior(information, likelihood.prior_precision)
    data_information = information - likelihood.prior_precision * np.eye(len(optimum.z))
    message = "converged" if optimum.converged else "not converged"
    short = _short_intervals(clamps, dt)
    bursting = f"; the cell bursts: {short:.0%} of its intervals are below 10 ms" if short > BURSTING else ""
    return FitResult(
        model=fitted,
        parameters=fitted_parameters(
            fitted, optimum.z, information, likelihood.coordinates.slope(optimum.z), likelihood.values_at, prior_width
        ),
        log_likelihood=log_likelihood,
        bic=len(optimum.z) * np.log(n_spikes) - 2 * log_likelihood,
        bits_per_spike=bits_per_spike(log_likelihood, clamps, rate, dt),
        training_rate=rate,
        converged=optimum.converged,
        message=f"{message}: a full Newton step is expected to gain {optimum.decrement:.1e} nats{bursting}",
        gradient_norm=float(np.linalg.norm(optimum.gradient)),
        n_spikes=n_spikes,
        dt=dt,
        duration=max(len(c.spikes) for c in clamps) * dt,
        seconds=time.perf_counter() - began,
        seed=seed,
        rank=information_rank(data_information),
        voltage_interval=voltage,
        voltage_residual=likelihood.voltage_residual(optimum.z) if likelihood.n_voltages else None,
    )


def _short_intervals(clamps: Sequence[Clamp], dt: float) -> float:
    intervals = np.concatenate([np.diff(np.flatnonzero(c.spikes)) * dt for c in clamps])
    return float(np.mean(intervals < 10e-3)) if len(intervals) else 0.0
