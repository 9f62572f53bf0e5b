"""Paired comparisons of two arms of a study, judged together: better, or equal within a margin,
corrected for their number."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from neurocode.errors import DataError
from neurocode.studies.claims import Claim, mean_interval

BETTER, EQUAL = "better", "equal"
#: Probability of a false verdict of a family in each direction, as at one end of a 95 % interval.
LEVEL = 0.025
#: Largest number of pairs that is reported as enough to decide a comparison.
MOST_PAIRS = 10_000


@dataclass(frozen=True)
class Comparison:
    """What is claimed of the difference between two arms, and that difference for every pair.

    Attributes
    ----------
    claim, source : str
        The claim in words with its statistic, and where it is made.
    dataset : str
        The data set that the pairs come from; every comparison uses one data set only.
    values : numpy.ndarray
        First arm minus second, one value for each pair: a seed, or a recorded cell.
    kind : {"better", "equal"}
        Whether the mean difference is claimed to be above zero, or to lie within the margin around
        it.
    margin : float
        Smallest difference that matters, in the unit of the values.
    untrained : int
        Pairs that are left out because one of their arms did not train.

    Raises
    ------
    DataError
        For another kind, a margin that is not positive, or values that are not finite.
    """

    claim: str
    source: str
    dataset: str
    values: np.ndarray
    kind: str
    margin: float
    untrained: int = 0

    def __post_init__(self) -> None:
        if self.kind not in (BETTER, EQUAL):
            raise DataError(
                f"'{self.kind}' is not a kind of comparison; known are {BETTER}, {EQUAL}."
            )
        if not 0 < self.margin < np.inf:
            raise DataError(f"The margin of a comparison must be positive, not {self.margin}.")
        if not np.isfinite(np.asarray(self.values, float)).all():
            raise DataError(
                f"The comparison '{self.claim}' on {self.dataset} has values that are not finite."
            )


class Directions(NamedTuple):
    """One-sided probabilities of the data if a claim is false (``confirm``: small if it holds) and
    if it is true (``refute``: small if it does not hold)."""

    confirm: float
    refute: float


def directions(comparison: Comparison) -> Directions:
    """Probabilities of Student's t test of a comparison, before any correction.

    "Better" is confirmed against a mean of at most zero and refuted against one of at least the
    margin. "Equal" is confirmed by two one-sided tests against the margins (Schuirmann 1987); it is
    refuted against a mean inside them, with twice the smaller of the two probabilities.
    """
    values, margin = np.asarray(comparison.values, float), comparison.margin
    if comparison.kind == BETTER:
        return Directions(_above(values, 0.0), _above(-values, -margin))
    inside = max(_above(values, -margin), _above(-values, -margin))
    outside = min(1.0, 2 * min(_above(values, margin), _above(-values, margin)))
    return Directions(inside, outside)


def _above(values: np.ndarray, bound: float) -> float:
    """Return the one-sided probability of a mean at least this far above a bound if the true mean
    is at the bound."""
    distance = values.mean() - bound
    error = values.std(ddof=1) / np.sqrt(len(values))
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(len(values) - 1, -distance / error))


def holm(p: np.ndarray) -> np.ndarray:
    """Probabilities corrected for their number (Holm 1979); NaN stays NaN and does not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p, float)
    corrected = np.full(len(p), np.nan)
    order = np.argsort(p)[: np.isfinite(p).sum()]
    factors = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return corrected


def judge_family(comparisons: Sequence[Comparison]) -> list[Claim]:
    """Claims about paired differences, each confirmed, refuted or undecided.

    A claim is confirmed or refuted where the probability of its direction, corrected by Holm over
    all comparisons of the family in that direction, is below 0.025; a gain that is certain but
    smaller than the margin counts as confirmed. Otherwise it is undecided, and ``needed`` is the
    number of pairs from which a mean and a spread like these would decide it. Fewer than two pairs
    are not comparable.

    Parameters
    ----------
    comparisons : sequence of Comparison

    Returns
    -------
    list of Claim
        In the order of the comparisons, with ``dataset``, the uncorrected 95 % interval ``low`` to
        ``high``, the corrected probability ``p`` of the verdict (for an undecided claim the smaller
        of the two), ``needed`` and ``untrained``.

    Examples
    --------
    >>> gains = np.array([0.021, 0.019, 0.023, 0.020])
    >>> comparison = Comparison("it helps", "this study", "digits", gains, "better", 0.01)
    >>> judge_family([comparison])[0].verdict
    'confirmed'
    """
    judged = [k for k, comparison in enumerate(comparisons) if len(comparison.values) > 1]
    tests = [directions(comparisons[k]) for k in judged]
    confirm, refute = (
        (holm(np.array(column)) for column in zip(*tests, strict=True)) if tests else ((), ())
    )
    corrected = dict(zip(judged, map(Directions, confirm, refute), strict=True))
    return [
        _claim(comparison, corrected.get(k), len(judged))
        for k, comparison in enumerate(comparisons)
    ]


def _claim(comparison: Comparison, corrected: Directions | None, size: int) -> Claim:
    values = np.asarray(comparison.values, float)
    mean = float(values.mean()) if len(values) else None
    shared = {
        "claim": comparison.claim,
        "source": comparison.source,
        "paper_value": "",
        "our_mean": mean,
        "seeds": len(values),
        "dataset": comparison.dataset,
        "untrained": comparison.untrained,
    }
    if corrected is None:
        return Claim(**shared, our_sd=None, verdict="not comparable")
    low, high = mean_interval(values)
    shared |= {"our_sd": float(values.std(ddof=1)), "low": low, "high": high}
    if corrected.confirm < LEVEL:
        return Claim(**shared, verdict="confirmed", p=corrected.confirm)
    if corrected.refute < LEVEL:
        return Claim(**shared, verdict="refuted", p=corrected.refute)
    return Claim(
        **shared, verdict="undecided", p=min(corrected), needed=pairs_needed(comparison, size)
    )


def pairs_needed(comparison: Comparison, size: int) -> int | None:
    """Return the smallest number of pairs that would decide a comparison with the same mean and
    spread, at the strictest level of a family of ``size`` comparisons.

    None if more than ten thousand would be needed, because the mean lies at the bound.
    """
    values, margin = np.asarray(comparison.values, float), comparison.margin
    mean, deviation = values.mean(), values.std(ddof=1)
    if comparison.kind == BETTER:
        distance, level = max(mean, margin - mean), LEVEL / size
    else:
        # outside the margins, the two directions share the level
        distance, level = abs(margin - abs(mean)), LEVEL / size / (1 if abs(mean) < margin else 2)

    def decides(pairs: int) -> bool:
        return bool(distance > stdtrit(pairs - 1, 1 - level) * deviation / np.sqrt(pairs))

    counts = range(len(values), MOST_PAIRS + 1)
    index = bisect_left(counts, True, key=decides)
    return counts[index] if index < len(counts) else None
