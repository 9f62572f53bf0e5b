"""Mutual information between stimuli and responses by the direct method, with corrections of its
bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from scipy.optimize import brentq

from neurocode.errors import DataError
from neurocode.statistics.entropy import plug_in_entropy
from neurocode.units import unmasked

CORRECTIONS = ("none", "panzeri-treves", "quadratic", "shuffle")


def mutual_information(
    responses: Sequence[np.ndarray],
    *,
    correction: str = "panzeri-treves",
    n_shuffles: int = 50,
    seed: int = 0,
) -> float:
    """Information in discrete responses about which stimulus was shown, in bits.

    Parameters
    ----------
    responses : sequence of numpy.ndarray of int
        For each stimulus the responses of its trials: spike counts, or words as numbers.
    correction : {"none", "panzeri-treves", "quadratic", "shuffle"}
        ``"panzeri-treves"``: the bias to first order in 1/trials with the number of possible
        responses estimated from the observed ones (Panzeri & Treves 1996). ``"quadratic"``:
        extrapolated from halves and quarters of the trials (Strong et al. 1998). ``"shuffle"``: the
        mean over random assignments of trials to stimuli is subtracted.
    n_shuffles : int
        Number of partitions or shuffles that are averaged.
    seed : int

    Returns
    -------
    float
        It may be negative after a correction. NaN for fewer than two stimuli, or fewer than two
        trials of one (eight for ``"quadratic"``).

    Raises
    ------
    DataError
        For another correction, or responses that are not whole numbers.

    Examples
    --------
    >>> round(mutual_information([np.zeros(50, int), np.ones(50, int)], correction="none"), 3)
    1.0
    """
    if correction not in CORRECTIONS:
        raise DataError(f"'{correction}' is not a correction; known are {', '.join(CORRECTIONS)}.")
    groups = [unmasked(group, "Responses") for group in responses]
    if any(group.dtype.kind not in "iub" for group in groups):
        raise DataError("Responses are whole numbers, such as spike counts.")
    if len(groups) < 2 or min(len(group) for group in groups) < (
        8 if correction == "quadratic" else 2
    ):
        return np.nan
    labels = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    table = _table(labels, np.unique(np.concatenate(groups), return_inverse=True)[1])
    random = np.random.default_rng(seed)
    information = _plug_in(table)
    if correction == "panzeri-treves":
        return information - _panzeri_treves_bias(table)
    if correction == "quadratic":
        return _quadratic(groups, information, n_shuffles, random)
    if correction == "shuffle":
        codes = np.unique(np.concatenate(groups), return_inverse=True)[1]
        return information - float(
            np.mean(
                [_plug_in(_table(labels, random.permutation(codes))) for _ in range(n_shuffles)]
            )
        )
    return information


def information_per_spike(rate: np.ndarray) -> float:
    """Information that single spikes carry about time in a repeated stimulus, in bits (Brenner et
    al. 2000).

    Parameters
    ----------
    rate : numpy.ndarray
        Peristimulus time histogram, in any unit.

    Returns
    -------
    float
        NaN if the rate is zero throughout.

    Raises
    ------
    DataError
        For rates that are negative or not finite.

    Examples
    --------
    >>> information_per_spike(np.array([0.0, 2.0, 0.0, 2.0]))
    1.0
    """
    rate = unmasked(rate, "The rate").astype(float)
    if not np.all(np.isfinite(rate)) or np.any(rate < 0):
        raise DataError("Rates must be finite and not negative.")
    if not rate.any():
        return np.nan
    relative = rate / rate.mean()
    positive = relative > 0
    return float(np.sum(relative[positive] * np.log2(relative[positive])) / relative.size)


def _table(labels: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Counts of responses (columns) by stimulus (rows)."""
    table = np.zeros((labels.max() + 1, codes.max() + 1), np.int64)
    np.add.at(table, (labels, codes), 1)
    return table


def _plug_in(table: np.ndarray) -> float:
    share = table.sum(axis=1) / table.sum()
    return plug_in_entropy(table.sum(axis=0)) - float(
        share @ [plug_in_entropy(row) for row in table]
    )


def _panzeri_treves_bias(table: np.ndarray) -> float:
    possible = int(np.count_nonzero(table.sum(axis=0)))
    relevant = [_relevant_responses(row, possible) for row in table]
    return float((sum(r - 1 for r in relevant) - (possible - 1)) / (2 * table.sum() * np.log(2)))


def _relevant_responses(counts: np.ndarray, possible: int) -> float:
    """Return the number of possible responses for which the expected number of distinct observed
    responses equals the actual one.

    Observed responses have their counts and one pseudo-count each; unobserved responses have one
    pseudo-count each.
    """
    n, observed = int(counts.sum()), counts[counts > 0]

    def expected(number: float) -> float:
        unseen = number - len(observed)
        p = (observed + 1.0) / (n + number)
        expected_unseen = (
            unseen * -np.expm1(n * np.log1p(-1.0 / (n + number))) if unseen > 0 else 0.0
        )
        return float(np.sum(1 - (1 - p) ** n) + expected_unseen)

    if len(observed) >= possible or expected(possible) <= len(observed):
        return float(possible)
    if expected(len(observed)) >= len(observed):
        return float(len(observed))
    root = brentq(lambda number: expected(number) - len(observed), len(observed), possible)
    return float(cast("float", root))  # a tuple only if full_output is asked for


def _quadratic(
    groups: list[np.ndarray], full: float, repeats: int, random: np.random.Generator
) -> float:
    """Extrapolate to infinitely many trials by a parabola in 1/trials.

    It goes through the values for all trials, halves and quarters of them.
    """
    means = [full]
    for parts in (2, 4):
        values = []
        for _ in range(max(1, repeats // parts)):
            pieces = [np.array_split(random.permutation(group), parts) for group in groups]
            values += [
                mutual_information([piece[k] for piece in pieces], correction="none")
                for k in range(parts)
            ]
        means.append(float(np.mean(values)))
    return float(np.polyfit([1.0, 2.0, 4.0], means, 2)[2])
