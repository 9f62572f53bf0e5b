"""Cross-validation inside a training recording, to choose between models without a test set."""

from __future__ import annotations

import numpy as np

from neurocode.inference.clamped.grid import clamp
from neurocode.inference.fit import chunked_likelihood, poisson_log_likelihood, spike_rate
from neurocode.inference.optimise import Ascent, Report, reporter
from neurocode.inference.options import prior_width_of, whole_number
from neurocode.inference.result import CrossValidation, FitResult
from neurocode.models.model import NeuronModel
from neurocode.recordings.experiment import Experiment

FOLDS = 4
PASSES_A_FOLD = 60


def cross_validate(
    model: NeuronModel,
    result: FitResult,
    experiment: Experiment,
    *,
    folds: int = FOLDS,
    prior_width: float = 3.0,
    progress: Report | None = None,
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
        Blocks that each sweep is cut into, at least two.
    prior_width : float
    progress : callable, optional
        As for :func:`neurocode.fit`.

    Returns
    -------
    CrossValidation
        NaN for a block whose spikes are all that there are, or that holds none.

    Raises
    ------
    FitError
        For fewer than two blocks, or a width of the prior that is not positive.

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
    folds, prior_width = whole_number(folds, "The number of blocks", 2), prior_width_of(prior_width)
    clamps = [clamp(repeat, result.dt, voltage=result.voltage_interval) for repeat in experiment.repeats]
    gains, counts = [], []
    for fold in range(folds):
        kept, held_out = zip(*(c.hold_out(_block(len(c.spikes), fold, folds)) for c in clamps), strict=True)
        likelihood = chunked_likelihood(model, kept, result.dt, prior_width)
        told = reporter(f"block {fold + 1} of {folds} left out", progress)
        ascent = Ascent(likelihood, likelihood.coordinates.to_coordinates(result.model.values), told)
        ascent.climb(PASSES_A_FOLD, enough=1e-2)
        value = chunked_likelihood(model, held_out, result.dt).log_likelihood(ascent.point.z)
        rate = spike_rate(kept, result.dt)
        gains.append(value - poisson_log_likelihood(held_out, rate, result.dt) if rate > 0 else np.nan)
        counts.append(sum(c.n_spikes for c in held_out))
    bits = [gain / count / np.log(2) if count else np.nan for gain, count in zip(gains, counts, strict=True)]
    return CrossValidation(float(np.sum(gains) / np.sum(counts) / np.log(2)), tuple(bits))


def _block(n_steps: int, fold: int, folds: int) -> np.ndarray:
    edges = np.linspace(0, n_steps, folds + 1).astype(int)
    inside = np.zeros(n_steps, bool)
    inside[edges[fold] : edges[fold + 1]] = True
    return inside
