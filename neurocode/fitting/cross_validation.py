"""Cross-validation inside a training recording, to choose between models without a test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neurocode.fitting.fit import chunked_likelihood, poisson_log_likelihood
from neurocode.fitting.grid import clamp
from neurocode.fitting.lanes import Clamp
from neurocode.fitting.optimise import Ascent
from neurocode.fitting.result import CrossValidation, FitResult
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment

FOLDS = 4
PASSES_A_FOLD = 60


def cross_validate(
    model: NeuronModel, result: FitResult, experiment: Experiment, *, folds: int = FOLDS, prior_width: float = 3.0
) -> CrossValidation:
    """Refit without each block of time in turn and score that block.

    Parameters
    ----------
    model : NeuronModel
        As it was before the fit: its values centre the prior.
    result : FitResult
        Fit to the whole recording, from which the refits start.
    experiment : Experiment
    folds : int
        Blocks that each sweep is cut into.
    prior_width : float

    Returns
    -------
    CrossValidation

    Examples
    --------
    >>> import neurocode as nc
    >>> current = nc.simulation.stimuli.frozen_noise(16, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> model = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(model, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> experiment = nc.Experiment(spikes, current)
    >>> cross_validate(model, nc.fit(model, experiment, starts=1), experiment).bits_per_spike > 0
    True
    """
    clamps = [clamp(repeat, result.dt, voltage=result.voltage_interval) for repeat in experiment.repeats]
    gains, counts = [], []
    for fold in range(folds):
        kept, held_out = zip(*(_split(c, fold, folds) for c in clamps), strict=True)
        likelihood = chunked_likelihood(model, kept, result.dt, prior_width)
        ascent = Ascent(likelihood, likelihood.coordinates.to_coordinates(result.model.values))
        ascent.climb(PASSES_A_FOLD, enough=1e-2)
        value = chunked_likelihood(model, held_out, result.dt).log_likelihood(ascent.point.z)
        rate = _count(kept) / (sum(int(np.sum(c.counted)) for c in kept) * result.dt)
        gains.append(value - poisson_log_likelihood(held_out, rate, result.dt, [c.counted for c in held_out]))
        counts.append(_count(held_out))
    bits = [gain / count / np.log(2) if count else np.nan for gain, count in zip(gains, counts, strict=True)]
    return CrossValidation(float(np.sum(gains) / np.sum(counts) / np.log(2)), tuple(bits))


def _split(data: Clamp, fold: int, folds: int) -> tuple[Clamp, Clamp]:
    edges = np.linspace(0, len(data.spikes), folds + 1).astype(int)
    inside = np.zeros(len(data.spikes), bool)
    inside[edges[fold] : edges[fold + 1]] = True
    seen = None if data.voltage is None else np.where(inside, np.nan, data.voltage)
    return replace(data, counted=data.counted & ~inside, voltage=seen), replace(data, counted=data.counted & inside, voltage=None)


def _count(clamps: Sequence[Clamp]) -> int:
    return sum(int(np.sum(c.spikes & c.counted)) for c in clamps)
