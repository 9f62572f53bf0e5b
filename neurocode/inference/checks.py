"""Sentences that name the checks a fit does not pass and suggest what to try."""

from __future__ import annotations

import math

from neurocode.inference.held_out import Scores
from neurocode.inference.result import FitResult

#: A reservation is reported if the held-out bits are below the first share of the training bits,
#: or if the rates differ by more than the second share of the recorded rate.
BITS_SHARE, RATE_SHARE = 0.5, 0.25


def reservations(result: FitResult, scores: Scores | None = None) -> list[str]:
    """Return one sentence per check that a fit does not pass.

    Parameters
    ----------
    result : FitResult
    scores : Scores, optional
        Scores on the test repeats, if there are any.

    Returns
    -------
    list of str
        Empty for a fit that converged, explains spikes better than a constant rate, keeps half of
        its training bits on spikes that it did not see, passes time rescaling, and fires within a
        quarter of the recorded rate.

    Examples
    --------
    >>> import neurocode as nc
    >>> noise = nc.simulation.stimuli.frozen_noise
    >>> current = noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> truth = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(truth, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> reservations(nc.fit(truth, nc.Experiment(spikes, current), starts=1))
    []
    """
    sentences = []
    if not result.converged:
        sentences.append(
            f"The fit did not converge ({result.message.partition(': ')[2]}): its values are not "
            f"those of a maximum; try more "
            "starts (--starts), a narrower prior (--prior-width 1) or a model with fewer free "
            "parameters."
        )
    if not result.bits_per_spike > 0:
        sentences.append(
            f"The model explains the training spikes no better than a constant rate "
            f"({result.bits_per_spike:.3g} bits per spike): "
            "check the sign and the unit of the current, and that it is the current of these "
            "spikes."
        )
    if result.cross_validation is not None and _lost(
        result.cross_validation.bits_per_spike, result.bits_per_spike
    ):
        sentences.append(
            f"Blocks of the training recording that a refit did not see have "
            f"{result.cross_validation.bits_per_spike:.3g} bits per "
            f"spike, less than half of the {result.bits_per_spike:.3g} in training: the model is "
            f"too rich for {result.n_spikes} "
            "spikes, or the cell changed while it was recorded; try a model with fewer free "
            "parameters or a narrower prior."
        )
    return sentences + ([] if scores is None else _on_test(result, scores))


def _on_test(result: FitResult, scores: Scores) -> list[str]:
    sentences = []
    if _lost(scores.bits_per_spike, result.bits_per_spike):
        sentences.append(
            f"The test spikes have {scores.bits_per_spike:.3g} bits per spike, less than half of "
            f"the {result.bits_per_spike:.3g} "
            "in training: the cell had changed by then, or the model is too rich; compare with "
            "the cross-validated bits and try another model."
        )
    if not scores.ks.passed and math.isfinite(scores.ks.statistic):
        sentences.append(
            f"Time rescaling rejects the model on the test spikes (KS {scores.ks.statistic:.3f}, "
            f"allowed {scores.ks.band:.3f}): the model does not predict their interspike "
            "intervals; try a richer model such as igif or igif-ia."
        )
    if abs(scores.predicted_rate - scores.recorded_rate) > RATE_SHARE * scores.recorded_rate:
        sentences.append(
            f"The model fires at {scores.predicted_rate:.3g} Hz where the cell fired at "
            f"{scores.recorded_rate:.3g} Hz: off by more "
            "than a quarter; check --current-offset, and that training and test are of the same "
            "cell in the same state."
        )
    return sentences


def _lost(held_out: float, training: float) -> bool:
    """Whether fewer than half of the training bits are left; False if there are no training bits
    or the held-out bits could not be computed."""
    return training > 0 and held_out < BITS_SHARE * training
