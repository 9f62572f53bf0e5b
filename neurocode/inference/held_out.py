"""Scores of a fitted model on held-out repeats."""

from __future__ import annotations

from typing import Any

import numpy as np

from neurocode.errors import DataError
from neurocode.inference.likelihood import Likelihood
from neurocode.inference.options import whole_number
from neurocode.inference.result import FitResult
from neurocode.inference.scores import Scores
from neurocode.inference.table import likelihood_of
from neurocode.recordings.experiment import Experiment
from neurocode.statistics.coding import explained_variance, psth_correlation
from neurocode.statistics.distance import coincidence_factor, md_star, md_star_ceiling, reliability
from neurocode.statistics.time_rescaling import uniform_test

PREDICTIONS = 500
MD_WINDOWS = {"4ms": 4e-3, "8ms": 8e-3}
GAMMA_WINDOWS = {"2ms": 2e-3, "4ms": 4e-3}
#: Number of predicted repeats over which the pairwise coincidence factor is averaged.
GAMMA_PREDICTIONS = 100


def evaluate(
    result: FitResult,
    experiment: Experiment,
    *,
    n_predictions: int = PREDICTIONS,
    seed: int = 0,
    likelihood: type[Likelihood] | None = None,
) -> Scores:
    """Score a fitted model on the test repeats of an experiment.

    Parameters
    ----------
    result : FitResult
    experiment : Experiment
        An experiment with a test set. Test repeats under a current must share it; test repeats of
        spike times alone need not share anything.
    n_predictions : int
        Number of simulated repeats, at least two; reported scores use 500.
    seed : int
        Seed of the simulated repeats, the bootstrap and the time rescaling.
    likelihood : type of Likelihood, optional
        Likelihood class of the fit, if it was one of your own.

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If there is no test set, or its repeats do not share a current or a duration.
    FitError
        For fewer than two predictions, a negative seed, or a likelihood other than that of the fit.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> currents = [noise(8, 1e-3, mean=70, standard_deviation=40, seed=s) for s in (1, 2)]
    >>> model = nc.models.gif((50.0,))
    >>> blocks = [
    ...     nc.simulate(model, current, trials=n, seed=3, engine="jax")
    ...     for current, n in zip(currents, (1, 4))
    ... ]
    >>> trains = [[s.spiketrains[0] for s in block.segments] for block in blocks]
    >>> test = nc.Experiment(trains[1], currents[1])
    >>> experiment = nc.Experiment(trains[0], currents[0], test=test)
    >>> scores = nc.evaluate(nc.fit(model, experiment, starts=1), experiment, n_predictions=50)
    >>> scores.md_star["8ms"].value > 0.5
    True
    """
    n_predictions, seed = (
        whole_number(n_predictions, "The number of predictions", 2),
        whole_number(seed, "The seed"),
    )
    test = experiment.test
    if test is None:
        raise DataError("The experiment has no test set to evaluate on.")
    kind = likelihood_of(result, likelihood)
    durations = [round(repeat.duration, 6) for repeat in test.repeats]
    if kind.shares_stimulus and len(set(durations)) > 1:
        raise DataError(f"The test repeats last {sorted(set(durations))} s, expected one duration.")
    data = kind.of_test(result.model, test, after=result.duration, **result.settings)
    data = data.resolved(data.origin)
    duration = max(durations)
    notes = (
        [f"A test spike is impossible under the model: {data.impossible}"]
        if data.impossible
        else []
    )
    if data.shares_stimulus and duration > result.duration:
        notes.append(
            f"The test lasts {duration:g} s, longer than the training of {result.duration:g} s."
        )
    log_likelihood = data.log_likelihood(data.origin)
    recorded, predicted = data.trains, data.predict(n_predictions, seed)
    compared = (
        _compared(recorded, predicted, duration, seed) if data.shares_stimulus else _not_compared()
    )
    if data.shares_stimulus and np.isnan(compared["explained_variance"]):
        reason = (
            "a single recorded repeat"
            if len(recorded) < 2
            else "the mean of the recorded repeats does not vary"
        )
        notes.append(f"The explained variance is not defined: {reason}.")
    notes += [
        f"Md* ({key}) is not defined: {score.reason}"
        for key, score in compared["md_star"].items()
        if score.reason
    ]
    return Scores(
        bits_per_spike=data.bits_per_spike(log_likelihood, result.training_rate),
        ks=uniform_test(data.rescaled_intervals(data.origin, seed)),
        **compared,
        recorded_rate=float(sum(map(len, recorded)) / sum(durations)),
        predicted_rate=float(np.mean([len(train) for train in predicted]) / data.durations[0]),
        recorded=recorded,
        predicted=predicted,
        duration=duration,
        notes=notes,
    )


def _compared(
    recorded: list[np.ndarray], predicted: list[np.ndarray], duration: float, seed: int
) -> dict[str, Any]:
    """The scores that compare recorded with predicted repeats of one stimulus."""
    paired_predictions = predicted[:GAMMA_PREDICTIONS]
    return {
        "md_star": {
            key: md_star(recorded, predicted, window, seed=seed)
            for key, window in MD_WINDOWS.items()
        },
        "md_star_ceiling": {
            key: md_star_ceiling(recorded, window, seed=seed) for key, window in MD_WINDOWS.items()
        },
        "reliability": {key: reliability(recorded, window) for key, window in MD_WINDOWS.items()},
        "gamma": {
            key: _mean_gamma(recorded, paired_predictions, window, duration)
            for key, window in GAMMA_WINDOWS.items()
        },
        "gamma_recorded": {
            key: _gamma_among(recorded, window, duration) for key, window in GAMMA_WINDOWS.items()
        },
        "psth_correlation": psth_correlation(recorded, predicted, duration),
        "explained_variance": explained_variance(recorded, predicted, duration),
    }


def _not_compared() -> dict[str, Any]:
    names = ("md_star", "md_star_ceiling", "reliability", "gamma", "gamma_recorded")
    return {
        **{name: {} for name in names},
        "psth_correlation": np.nan,
        "explained_variance": np.nan,
    }


def _mean_gamma(
    recorded: list[np.ndarray], predicted: list[np.ndarray], window: float, duration: float
) -> float:
    return float(
        np.mean([coincidence_factor(r, p, window, duration) for r in recorded for p in predicted])
    )


def _gamma_among(recorded: list[np.ndarray], window: float, duration: float) -> float:
    pairs = [(a, b) for i, a in enumerate(recorded) for j, b in enumerate(recorded) if i != j]
    return (
        float(np.mean([coincidence_factor(a, b, window, duration) for a, b in pairs]))
        if pairs
        else np.nan
    )
