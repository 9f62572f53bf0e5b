"""Similarity of groups of repeated spike trains: Md*, its ceiling, and the coincidence factor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.trains import SpikeTrainLike, repeats_of, spike_times
from neurocode.units import seconds


@dataclass(frozen=True)
class MdStar:
    """Md* between recorded and predicted repeats.

    Attributes
    ----------
    value : float
        NaN where it is not defined.
    interval : tuple of float
        95 % bootstrap interval over recorded repeats.
    reason : str
        Why the value is NaN; empty otherwise.
    """

    value: float
    interval: tuple[float, float]
    reason: str = ""


def pair_products(
    first: Sequence[SpikeTrainLike], second: Sequence[SpikeTrainLike], window: float
) -> np.ndarray:
    """Inner products of spike trains with a rectangular kernel.

    Parameters
    ----------
    first, second : sequence of trains
        Neo trains in any unit, or increasing spike times in seconds.
    window : float or quantity
        Half-width in seconds.

    Returns
    -------
    numpy.ndarray
        Shape (len(first), len(second)): number of pairs of spikes at most ``window`` apart.

    Raises
    ------
    DataError
        For a train that cannot be used, or a window that is not a positive time.

    Examples
    --------
    >>> pair_products([np.array([0.1, 0.2])], [np.array([0.103, 0.5])], 0.004)
    array([[1.]])
    """
    return _pair_products(repeats_of(first), repeats_of(second), seconds(window, "The window"))


def _pair_products(first: list[np.ndarray], second: list[np.ndarray], window: float) -> np.ndarray:
    reach = window * (1 + 1e-9)
    lengths = np.array([len(train) for train in second])
    pooled = np.concatenate([*second, np.empty(0)])
    owner = np.repeat(np.arange(len(second)), lengths)
    order = np.argsort(pooled, kind="stable")
    pooled, owner = pooled[order], owner[order]
    products = np.zeros((len(first), len(second)))
    for row, train in enumerate(first):
        low, high = (
            np.searchsorted(pooled, train - reach, "left"),
            np.searchsorted(pooled, train + reach, "right"),
        )
        inside = np.zeros(len(pooled) + 1)
        np.add.at(inside, low, 1)
        np.add.at(inside, high, -1)
        products[row] = np.bincount(owner, weights=np.cumsum(inside)[:-1], minlength=len(second))
    return products


def md_star(
    recorded: Sequence[SpikeTrainLike],
    predicted: Sequence[SpikeTrainLike],
    window: float,
    *,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> MdStar:
    """Similarity of the spike densities behind two groups of repeats (Naud et al. 2011).

    ``Md* = 2 <d, m> / (<d, d> + <m, m>)``, each product averaged over distinct pairs of repeats, so
    that a finite number of repeats does not bias it. It is one for equal densities.

    Parameters
    ----------
    recorded, predicted : sequence of trains
        Repeats under the same stimulus: Neo trains in any unit, or spike times in seconds.
    window : float or quantity
        Half-width of the rectangular (Kistler) kernel in seconds.
    n_bootstrap : int
        Resamples of the recorded repeats.
    seed : int

    Returns
    -------
    MdStar
        With NaN and a reason for a single repeat or no spikes on one side.

    Raises
    ------
    DataError
        For a train that cannot be used, or a window that is not a positive time.

    Examples
    --------
    >>> trains = [np.array([0.1, 0.2]), np.array([0.1, 0.2])]
    >>> md_star(trains, trains, 0.004).value
    1.0
    """
    recorded, predicted, window = (
        repeats_of(recorded),
        repeats_of(predicted),
        seconds(window, "The window"),
    )
    undefined = _undefined(recorded, "recorded") or _undefined(predicted, "predicted")
    if undefined:
        return MdStar(np.nan, (np.nan, np.nan), undefined)
    within = _pair_products(recorded, recorded, window)
    across = _pair_products(recorded, predicted, window).mean(axis=1)
    model = _mean_distinct(_pair_products(predicted, predicted, window))
    value = _ratio(across.mean(), _mean_distinct(within), model)
    random = np.random.default_rng(seed)
    values = []
    for _ in range(n_bootstrap):
        sample = random.integers(len(recorded), size=len(recorded))
        distinct = sample[:, None] != sample[None, :]
        if np.any(distinct):
            values.append(
                _ratio(
                    across[sample].mean(), within[np.ix_(sample, sample)][distinct].mean(), model
                )
            )
    return MdStar(value, tuple(np.percentile(values, [2.5, 97.5])))


def md_star_ceiling(
    recorded: Sequence[SpikeTrainLike], window: float, *, n_splits: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Mean and standard deviation of Md* between random halves of the recorded repeats.

    It is one except for drift over the repeats. It is NaN without spikes and for fewer than four
    repeats, whose halves have no pairs.

    Parameters
    ----------
    recorded, window
        See :func:`md_star`.
    n_splits : int
    seed : int

    Raises
    ------
    DataError
        For a train that cannot be used, or a window that is not a positive time.

    Examples
    --------
    >>> md_star_ceiling([np.array([0.1, 0.2])] * 4, 0.004)
    (1.0, 0.0)
    """
    recorded, window = repeats_of(recorded), seconds(window, "The window")
    if len(recorded) < 4:
        return np.nan, np.nan
    products = _pair_products(recorded, recorded, window)
    random, values = np.random.default_rng(seed), []
    for _ in range(n_splits):
        order = random.permutation(len(recorded))
        a, b = order[: len(order) // 2], order[len(order) // 2 :]
        pairs = _mean_distinct(products[np.ix_(a, a)]), _mean_distinct(products[np.ix_(b, b)])
        values.append(_ratio(products[np.ix_(a, b)].mean(), *pairs))
    return float(np.mean(values)), float(np.std(values))


def reliability(recorded: Sequence[SpikeTrainLike], window: float) -> float:
    """Return the mean product of distinct repeats over the mean product of a repeat with itself;
    NaN for one repeat.

    Parameters
    ----------
    recorded, window
        See :func:`md_star`.

    Raises
    ------
    DataError
        For a train that cannot be used, or a window that is not a positive time.

    Examples
    --------
    >>> reliability([np.array([0.1, 0.2]), np.array([0.1, 0.5])], 0.004)
    0.5
    """
    recorded, window = repeats_of(recorded), seconds(window, "The window")
    if _undefined(recorded, "recorded"):
        return np.nan
    products = _pair_products(recorded, recorded, window)
    return float(_mean_distinct(products) / np.mean(np.diag(products)))


def coincidence_factor(
    recorded: SpikeTrainLike, predicted: SpikeTrainLike, window: float, duration: float
) -> float:
    """Coincidence factor Gamma of two spike trains (Kistler, Gerstner & van Hemmen 1997).

    Coincidences are one to one: no spike is counted twice. The factor is zero for a Poisson train
    of the predicted rate and one for a perfect prediction.

    Parameters
    ----------
    recorded, predicted : neo.SpikeTrain, quantity, or array of seconds
        Increasing times.
    window, duration : float or quantity
        In seconds.

    Returns
    -------
    float
        NaN if both trains are empty or the expected number of chance coincidences saturates.

    Raises
    ------
    DataError
        For a train that cannot be used or is longer than the duration, or a window or duration that
        is not a positive time.

    Examples
    --------
    >>> coincidence_factor(np.array([0.1, 0.2]), np.array([0.1, 0.2]), 0.002, 1.0)
    1.0
    """
    recorded, predicted = spike_times(recorded), spike_times(predicted)
    window, duration = seconds(window, "The window"), seconds(duration, "The duration")
    for train in (recorded, predicted):
        if train.size and train[-1] - train[0] > duration * (1 + 1e-9):
            raise DataError(
                f"The spikes last {train[-1] - train[0]:g} s, longer than the duration of "
                f"{duration:g} s."
            )
    chance = 2 * window * len(predicted) / duration
    if len(recorded) + len(predicted) == 0 or chance >= 1:
        return np.nan
    excess = _coincidences(recorded, predicted, window) - chance * len(recorded)
    return float(excess / (0.5 * (len(recorded) + len(predicted))) / (1 - chance))


def count_coincidences(first: SpikeTrainLike, second: SpikeTrainLike, window: float) -> int:
    """Largest number of one-to-one pairs of spikes at most ``window`` apart.

    Parameters
    ----------
    first, second : neo.SpikeTrain, quantity, or array of seconds
        Increasing times.
    window : float or quantity
        In seconds.

    Raises
    ------
    DataError
        For a train that cannot be used, or a window that is not a positive time.

    Examples
    --------
    >>> count_coincidences([0.100, 0.101], [0.1005], 0.002)
    1
    """
    return _coincidences(spike_times(first), spike_times(second), seconds(window, "The window"))


def _coincidences(first: np.ndarray, second: np.ndarray, window: float) -> int:
    reach, i, j, count = window * (1 + 1e-9), 0, 0, 0
    while i < len(first) and j < len(second):
        gap = first[i] - second[j]
        if abs(gap) <= reach:
            count, i, j = count + 1, i + 1, j + 1
        elif gap < 0:
            i += 1
        else:
            j += 1
    return count


def _undefined(trains: list[np.ndarray], side: str) -> str:
    if len(trains) < 2:
        return f"{len(trains)} {side} repeat: pairs of distinct repeats are needed"
    return "" if any(len(train) for train in trains) else f"the {side} repeats hold no spikes"


def _mean_distinct(products: np.ndarray) -> float:
    n = len(products)
    return (products.sum() - np.trace(products)) / (n * (n - 1)) if n > 1 else np.nan


def _ratio(across: float, first: float, second: float) -> float:
    return float(2 * across / (first + second)) if first + second > 0 else np.nan
