"""Cross-validation inside a training recording, to choose between models without a test set."""

from __future__ import annotations

import numpy as np

from neurocode.inference.likelihood import Block, Likelihood
from neurocode.inference.optimise import Report, reporter
from neurocode.inference.options import prior_width_of, whole_number
from neurocode.inference.refit import refit
from neurocode.inference.result import CrossValidation, FitResult
from neurocode.inference.table import likelihood_of
from neurocode.models.model import NeuronModel

FOLDS = 4
PASSES_PER_FOLD = 60


def cross_validate(
    model: NeuronModel,
    result: FitResult,
    experiment: object,
    *,
    folds: int = FOLDS,
    prior_width: float = 3.0,
    likelihood: type[Likelihood] | None = None,
    progress: Report | None = None,
) -> CrossValidation:
    """Refit without each block of time in turn and score that block.

    Parameters
    ----------
    model : NeuronModel
        The model before the fit, whose values centre the prior.
    result : FitResult
        The fit to the whole recording, from which the refits start.
    experiment : Experiment or spike trains
        The training data of the fit.
    folds : int
        Number of blocks into which each repeat is cut, at least two.
    prior_width : float
    likelihood : type of Likelihood, optional
        Likelihood class of the fit, if it was one of your own.
    progress : callable, optional
        As for :func:`neurocode.fit`.

    Returns
    -------
    CrossValidation
        The score of a block is NaN if the block holds no spike or all spikes of the recording.

    Raises
    ------
    FitError
        For fewer than two blocks, a prior width that is not positive, or a likelihood other than
        that of the fit.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> current = noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> model = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(model, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> experiment = nc.Experiment(spikes, current)
    >>> cross_validate(model, nc.fit(model, experiment, starts=1), experiment).bits_per_spike > 0
    True
    """
    folds, prior_width = whole_number(folds, "The number of blocks", 2), prior_width_of(prior_width)
    whole = likelihood_of(result, likelihood).of(
        model, experiment, prior_width=prior_width, **result.settings
    )
    z = whole.coordinates.to_coordinates(result.model.values)
    whole = whole.resolved(z)
    gains, counts = [], []
    for fold in range(folds):
        kept, held_out = whole.without(Block(fold, folds))
        fold_progress = reporter(f"block {fold + 1} of {folds} left out", progress)
        ascent = refit(kept, z, passes=PASSES_PER_FOLD, enough=1e-2, progress=fold_progress)
        gain = (
            held_out.log_likelihood(ascent.point.z) - held_out.null_log_likelihood(kept.rate)
            if kept.rate > 0
            else np.nan
        )
        gains.append(gain)
        counts.append(held_out.n_spikes)
    bits = [
        float(gain / count / np.log(2)) if count else np.nan
        for gain, count in zip(gains, counts, strict=True)
    ]
    return CrossValidation(float(np.sum(gains) / np.sum(counts) / np.log(2)), tuple(bits))
