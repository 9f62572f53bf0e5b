"""Reasons in a set of intervals against a model of one neuron that fires at threshold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurocode.errors import FitError
from neurocode.inference.optimise import Optimum
from neurocode.inference.passage.intervals import Intervals
from neurocode.inference.passage.mesh import DEEPEST

#: Time in seconds within which no neuron fires twice.
SHORTEST = 1e-3
#: An interval belongs to a burst if it is below both limits, in seconds and in mean intervals. A
#: unit bursts if the share of such intervals and the CV exceed the last two values.
BURST_INTERVAL, BURST_MEDIANS, BURST_SHARE, BURST_CV = 10e-3, 0.25, 0.2, 1.3
#: Fewer intervals than this are reported as few.
FEW = 200
#: A silence at the end of a train that lasts more than this many of its longest intervals is
#: reported, because the end of the recording may be wrong.
SILENCE = 3.0


def data_verdicts(intervals: Intervals) -> list[str]:
    """Return verdicts on the data alone: a silent end, refractory violations, bursts, and few
    intervals."""
    lengths = intervals.lengths
    verdicts = silent_end(intervals)
    violations = int(np.sum(lengths < SHORTEST))
    if violations:
        share = violations / len(lengths)
        verdicts.append(
            f"{violations} of {len(lengths)} intervals ({share:.2%}) are below 1 ms: the unit "
            f"mixes neurons or spikes were split; the shortest interval limits the refractory "
            f"period"
        )
    cv = float(np.std(lengths) / np.mean(lengths))
    short = float(np.mean(lengths < min(BURST_INTERVAL, BURST_MEDIANS * np.mean(lengths))))
    if short > BURST_SHARE and cv > BURST_CV:
        verdicts.append(
            f"the unit bursts ({short:.0%} of its intervals are in bursts, CV {cv:.2f}): no "
            f"renewal model describes it"
        )
    if len(lengths) < FEW:
        verdicts.append(
            f"{len(lengths)} intervals are few: standard errors are wide and the tests weak"
        )
    return verdicts


def refusal(what: str, intervals: Intervals) -> FitError:
    """Return the error of a fit that cannot be made, with possible reasons in the data."""
    return FitError("; ".join([what, *data_verdicts(intervals)]) + ".")


def silent_end(intervals: Intervals) -> list[str]:
    """Return a verdict on a train that ends long after its last spike, which counts as an interval
    of at least that length."""
    silence = float(np.max(intervals.duration[~intervals.observed], initial=0.0))
    longest = float(np.max(intervals.lengths))
    if silence <= SILENCE * longest:
        return []
    return [
        f"the train is silent for its last {silence:.4g} s, while its longest interval lasts "
        f"{longest:.4g} s: if the recording or "
        "the unit ended there, let the train end at its last spike (--end-at-last-spike, or spike "
        "times as an array)"
    ]


def require_refractoriness(intervals: Intervals, refractory: float) -> None:
    """Refuse a fixed refractory period that intervals violate.

    Raises
    ------
    FitError
        If an interval is not longer than the period.
    """
    violations = int(np.sum(intervals.lengths <= refractory))
    if violations:
        raise FitError(
            f"{violations} of {intervals.n_observed} intervals are not longer than the fixed "
            f"refractory period of "
            f"{refractory * 1e3:g} ms (the shortest is {np.min(intervals.lengths) * 1e3:.3f} ms); "
            f"free it or clean the unit."
        )


def fit_verdicts(optimum: Optimum, goodness: Mapping[str, Any], bottomless: bool) -> list[str]:
    """Return verdicts on the fit, from its end point and the measures of
    :meth:`PassageLikelihood.goodness` there."""
    verdicts = []
    if bottomless:
        verdicts.append(
            f"the fitted membrane potential falls more than {DEEPEST:g} distances from reset to "
            f"threshold below the reset and was "
            "stopped there: leak and input are not those of a neuron"
        )
    if not optimum.converged:
        verdicts.append(
            f"the fit did not converge (a full Newton step is expected to gain "
            f"{optimum.decrement:.1e} nats)"
        )
    if not goodness["rescaling"].passed:
        verdicts.append(
            "time rescaling rejects the model: its interval distribution is not the recorded one"
        )
    if goodness["dependence_p"] <= 0.05:
        verdicts.append(
            f"neighbouring rescaled intervals are correlated ({goodness['dependence']:+.2f}, p = "
            f"{goodness['dependence_p']:.1g}): "
            "the model misses a memory"
        )
    return verdicts
