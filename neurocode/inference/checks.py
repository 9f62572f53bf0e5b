"""What speaks against a fit, in words, and what to try."""

from __future__ import annotations

import math

from neurocode.inference.held_out import Scores
from neurocode.inference.result import FitResult

#: Held-out bits below this share of the training bits, and rates that differ by more than this
#: share of the recorded one, are said.
BITS_SHARE, RATE_SHARE = 0.5, 0.25


def reservations(result: FitResult, scores: Scores | None = None) -> list[str]:
    """Checks that a fit does not pass, a sentence each.

    Parameters
    ----------
    result : FitResult
    scores : Scores, optional
        Of the test, where there is one.

    Returns
    -------
    list of str
        Empty for a fit that converged, explains spikes better than a constant rate, keeps half of
        its training bits on spikes that it did not see, passes time rescaling, and fires within a
        quarter of the recorded rate.

    Examples
    --------
    >>> import neurocode as nc
    >>> current = nc.simulation.stimuli.frozen_noise(8, 1e-3, mean=70, standard_deviation=40, seed=1)
    >>> truth = nc.models.gif((50.0,))
    >>> spikes = nc.simulate(truth, current, seed=2, engine="jax").segments[0].spiketrains[0]
    >>> reservations(nc.fit(truth, nc.Experiment(spikes, current), starts=1))
    []
    """
    said = []
    if not result.converged:
        said.append(
            f"The fit did not converge ({result.message.partition(': ')[2]}): its values are not "
            f"those of a maximum; try more "
            "starts (--starts), a narrower prior (--prior-width 1) or a model with fewer free "
            "parameters."
        )
    if not result.bits_per_spike > 0:
        said.append(
            f"The model explains the training spikes no better than a constant rate "
            f"({result.bits_per_spike:.3g} bits per spike): "
            "check the sign and the unit of the current, and that it is the current of these "
            "spikes."
        )
    if result.cross_validation is not None and _lost(
        result.cross_validation.bits_per_spike, result.bits_per_spike
    ):
        said.append(
            f"Blocks of the training recording that a refit did not see have "
            f"{result.cross_validation.bits_per_spike:.3g} bits per "
            f"spike, less than half of the {result.bits_per_spike:.3g} in training: the model is "
            f"too rich for {result.n_spikes} "
            "spikes, or the cell changed while it was recorded; try a model with fewer free "
            "parameters or a narrower prior."
        )
    return said + ([] if scores is None else _on_test(result, scores))


def _on_test(result: FitResult, scores: Scores) -> list[str]:
    said = []
    if _lost(scores.bits_per_spike, result.bits_per_spike):
        said.append(
            f"The test spikes have {scores.bits_per_spike:.3g} bits per spike, less than half of "
            f"the {result.bits_per_spike:.3g} "
            "in training: the cell was another one by then, or the model is too rich; compare "
            "with the cross-validated bits and "
            "try another model."
        )
    if not scores.ks.passed and math.isfinite(scores.ks.statistic):
        said.append(
            f"Time rescaling rejects the model on the test spikes (KS {scores.ks.statistic:.3f}, "
            f"allowed {scores.ks.band:.3f}): "
            "interspike intervals are not those that it predicts; try a richer model such as igif "
            "or igif-ia."
        )
    if abs(scores.predicted_rate - scores.recorded_rate) > RATE_SHARE * scores.recorded_rate:
        said.append(
            f"The model fires at {scores.predicted_rate:.3g} Hz where the cell fired at "
            f"{scores.recorded_rate:.3g} Hz: off by more "
            "than a quarter; check --current-offset, and that training and test are of the same "
            "cell in the same state."
        )
    return said


def _lost(held_out: float, training: float) -> bool:
    """Whether less than half of the bits are left; not said where there are none to lose, or none
    could be computed."""
    return training > 0 and held_out < BITS_SHARE * training
