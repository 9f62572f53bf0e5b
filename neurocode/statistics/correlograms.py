"""Auto- and cross-correlograms of spike trains, with what unrelated trains would give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import poisson

from neurocode.errors import DataError
from neurocode.recordings.binning import bin_numbers, rounding_late, whole_bins
from neurocode.recordings.trains import SpikeTrainLike, Trains, repeats_of
from neurocode.units import seconds

#: Standard deviation of the smoothing in bins, and how much of its centre is taken out.
SMOOTHING, HOLLOW = 10, 0.6
#: The band holds this share of the counts of unrelated trains.
LEVEL = 0.95
#: Pairs of spikes whose lags are held in memory together.
MOST_PAIRS = 5_000_000
#: Trains whose limits differ by less, in seconds, last equally long.
SAME_LIMIT = 1e-6


@dataclass(frozen=True)
class Correlogram:
    """Counts of pairs of spikes by their lag.

    Attributes
    ----------
    lags : numpy.ndarray
        Centres of the bins in seconds, symmetric about zero.
    counts : numpy.ndarray of int
        Pairs of spikes in each bin.
    expected : numpy.ndarray
        Counts of unrelated trains.
    low, high : numpy.ndarray
        Pointwise 95 % band of the counts of unrelated trains; NaN in an autocorrelogram.
    bin_size : float
        In seconds.
    n_first, n_second : int
        Spikes of the unit that lags are counted from, and of the other.
    null : str
        What unrelated trains are: ``"poisson"``, ``"shuffled repeats"`` or ``"smoothed"``.
    """

    lags: np.ndarray
    counts: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bin_size: float
    n_first: int
    n_second: int
    null: str

    @property
    def outside(self) -> int:
        """Bins whose count lies outside the band."""
        return int(np.sum((self.counts < self.low) | (self.counts > self.high)))

    def rate(self, counts: np.ndarray) -> np.ndarray:
        """Counts as the rate (Hz) of the second unit around a spike of the first."""
        return np.asarray(counts) / max(self.n_first * self.bin_size, np.finfo(float).tiny)


def lag_counts(
    first: Sequence[SpikeTrainLike],
    second: Sequence[SpikeTrainLike],
    *,
    bin_size: float,
    max_lag: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of spikes of two units in the same repeat, by the lag of the second behind the first.

    Parameters
    ----------
    first, second : sequence of trains
        Repeats in the same order; times in seconds, or Neo trains.
    bin_size, max_lag : float or quantity
        In seconds. Bin ``k`` is centred on ``k * bin_size`` and half open; the last bin is the
        last whole one up to ``max_lag``.

    Returns
    -------
    lags : numpy.ndarray
        Centres of the bins in seconds.
    counts : numpy.ndarray of int

    Raises
    ------
    DataError
        For trains or times that cannot be used, or different numbers of repeats.

    Examples
    --------
    >>> lags, counts = lag_counts([[0.1, 0.5]], [[0.1, 0.2]], bin_size=0.1, max_lag=0.4)
    >>> dict(zip(lags.round(1).tolist(), counts.tolist()))
    {-0.4: 1, -0.3: 1, -0.2: 0, -0.1: 0, 0.0: 1, 0.1: 1, 0.2: 0, 0.3: 0, 0.4: 0}
    """
    firsts, seconds_ = repeats_of(first), repeats_of(second)
    if len(firsts) != len(seconds_):
        raise DataError(
            f"The units have {len(firsts)} and {len(seconds_)} repeats, expected as many."
        )
    width, most = _widths(bin_size, max_lag)
    counts = np.zeros(2 * most + 1, np.int64)
    for a, b in zip(firsts, seconds_, strict=True):
        counts += _counts(a, b, width, most)
    return np.arange(-most, most + 1) * width, counts


def autocorrelogram(trains: Trains, unit: int, *, bin_size: float, max_lag: float) -> Correlogram:
    """Pairs of different spikes of one unit in the same repeat, by their lag in both directions.

    Parameters
    ----------
    trains : Trains
    unit : int
    bin_size, max_lag : float or quantity
        In seconds; see :func:`lag_counts`.

    Returns
    -------
    Correlogram
        ``expected`` is that of a Poisson process of constant rate with as many spikes in each
        repeat.

    Examples
    --------
    >>> pairs = autocorrelogram(Trains.of([[0.1, 0.2, 0.4]]), 0, bin_size=0.1, max_lag=0.3)
    >>> pairs.counts.tolist()
    [1, 1, 1, 0, 1, 1, 1]
    """
    width, most = _widths(bin_size, max_lag)
    rows = trains.trains_of(unit)
    counts = np.zeros(2 * most + 1, np.int64)
    for row in rows:
        times = trains.train(row)
        ordered = _counts(times, times, width, most)
        later = ordered[most:].copy()
        # Bin zero of the ordered pairs holds every spike with itself, and both orders of the rest.
        later[0] -= len(times)
        counts[most:] += later
        counts[:most] += later[:0:-1]
    lags = np.arange(-most, most + 1) * width
    n_spikes = trains.counts[rows]
    durations = trains.t_stop[rows] - trains.t_start[rows]
    expected = _of_constant_rates(n_spikes * (n_spikes - 1), durations, lags, width)
    nothing = np.full(len(lags), np.nan)
    total = int(n_spikes.sum())
    return Correlogram(lags, counts, expected, nothing, nothing, width, total, total, "poisson")


def cross_correlogram(
    trains: Trains, first: int, second: int, *, bin_size: float, max_lag: float
) -> Correlogram:
    """Pairs of spikes of two units by the lag of the second behind the first, with a 95 % band.

    Over repeats of a stimulus, unrelated trains are those of different repeats (the shuffle
    predictor), which keeps what both units owe to the stimulus. Without repeats they are the
    correlogram itself, smoothed by a Gaussian of ten bins whose centre is partly taken out (Stark
    & Abeles 2009), which keeps what both units share slowly. The band holds 95 % of Poisson counts
    around that, widened by what the shuffle predictor itself varies.

    Parameters
    ----------
    trains : Trains
        Recorded together: trains of both units follow one another in the same order.
    first, second : int
        Numbers of the units.
    bin_size, max_lag : float or quantity
        In seconds; see :func:`lag_counts`.

    Returns
    -------
    Correlogram

    Raises
    ------
    DataError
        If the units do not have equally many trains of the same limits and stimuli.

    Examples
    --------
    >>> units = [[([0.1], 0.0, 1.0), ([0.1], 0.0, 1.0)], [([0.2], 0.0, 1.0), ([0.3], 0.0, 1.0)]]
    >>> trains = Trains.of_arrays(units, ["a", "b"])
    >>> pairs = cross_correlogram(trains, 0, 1, bin_size=0.1, max_lag=0.2)
    >>> pairs.counts.tolist(), pairs.expected.tolist(), pairs.null
    ([0, 0, 0, 1, 1], [0.0, 0.0, 0.0, 1.0, 1.0], 'shuffled repeats')
    """
    width, most = _widths(bin_size, max_lag)
    rows = _paired_rows(trains, first, second)
    groups = _groups(trains, rows)
    pairs = [
        (_from_start(trains, first_row), _from_start(trains, second_row))
        for first_row, second_row in rows
    ]
    wide = most + 3 * SMOOTHING
    counts = sum((_counts(*pair, width, wide) for pair in pairs), np.zeros(2 * wide + 1, np.int64))
    inner = slice(wide - most, wide + most + 1)
    if min(map(len, groups)) > 1:
        expected, noise = _shuffled([[pairs[k] for k in group] for group in groups], width, most)
        null = "shuffled repeats"
    else:
        expected = np.convolve(counts, _hollow_gaussian(), mode="same")[inner]
        noise, null = np.zeros(len(expected)), "smoothed"
    low, high = _poisson_band(expected, noise)
    n_first, n_second = (int(sum(len(pair[side]) for pair in pairs)) for side in (0, 1))
    lags = np.arange(-most, most + 1) * width
    return Correlogram(lags, counts[inner], expected, low, high, width, n_first, n_second, null)


def _widths(bin_size: float, max_lag: float) -> tuple[float, int]:
    """Width of the bins in seconds, and how many lie on either side of bin zero."""
    width = seconds(bin_size, "The bin size")
    return width, whole_bins(seconds(max_lag, "The largest lag"), width)


def _counts(first: np.ndarray, second: np.ndarray, width: float, most: int) -> np.ndarray:
    """Pairs of all spikes of two trains by lag, in bins from ``-most`` to ``most``."""
    reach = (most + 1) * width
    begin = np.searchsorted(second, first - reach)
    end = np.searchsorted(second, first + reach, side="right")
    counts = np.zeros(2 * most + 1, np.int64)
    # a lag is as exact as the times that it is a difference of
    rounding = rounding_late(max(np.max(first, initial=0.0), np.max(second, initial=0.0)), width)
    for part in _parts(end - begin):
        sizes = (end - begin)[part]
        # Numbers of the spikes of the second train: a run from begin to end for each of the first.
        runs = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        lags = second[np.repeat(begin[part], sizes) + runs] - np.repeat(first[part], sizes)
        places = bin_numbers(lags + 0.5 * width, width, rounding=rounding) + most
        inside = places[(places >= 0) & (places <= 2 * most)]
        counts += np.bincount(inside, minlength=2 * most + 1)
    return counts


def _parts(sizes: np.ndarray) -> Iterable[slice]:
    """Slices of spikes whose pairs fit into memory together."""
    if not sizes.size:
        return []
    piece = np.cumsum(sizes) // MOST_PAIRS
    starts = np.flatnonzero(np.diff(piece, prepend=-1))
    return [slice(a, b) for a, b in zip(starts, [*starts[1:], len(sizes)], strict=True)]


def _of_constant_rates(
    pairs: np.ndarray, durations: np.ndarray, lags: np.ndarray, width: float
) -> np.ndarray:
    """Expected counts of so many ordered pairs of spikes at independent uniform times."""
    long = durations > 0
    overlap = np.clip(durations[long] - np.abs(lags)[:, None], 0, None)
    return (pairs[long] * overlap / durations[long] ** 2).sum(axis=1) * width


def _paired_rows(trains: Trains, first: int, second: int) -> list[tuple[int, int]]:
    """Trains of two units that were recorded at the same time."""
    rows = [np.array(trains.trains_of(unit), dtype=int) for unit in (first, second)]
    names = f"'{trains.names[first]}' and '{trains.names[second]}'"
    if len(rows[0]) != len(rows[1]):
        raise DataError(
            f"The units {names} have {len(rows[0])} and {len(rows[1])} trains, expected as many, "
            f"recorded together."
        )
    if not len(rows[0]):
        raise DataError(f"The units {names} have no train.")
    alike = trains.condition[rows[0]] == trains.condition[rows[1]]
    for limits in (trains.t_start, trains.t_stop):
        alike &= np.abs(limits[rows[0]] - limits[rows[1]]) <= SAME_LIMIT
    if not alike.all():
        raise DataError(
            f"The trains of the units {names} differ in their limits or stimuli, expected trains "
            f"that were recorded together; t_start and t_stop give all of them the same limits."
        )
    return list(zip(*(unit.tolist() for unit in rows), strict=True))


def _groups(trains: Trains, rows: Sequence[tuple[int, int]]) -> list[list[int]]:
    """Numbers of the pairs of trains that are repeats of each other: of one stimulus, and equally
    long."""
    groups: dict[tuple[int, int], list[int]] = {}
    for number, (row, _) in enumerate(rows):
        duration = trains.t_stop[row] - trains.t_start[row]
        key = (int(trains.condition[row]), round(duration / SAME_LIMIT))
        groups.setdefault(key, []).append(number)
    return list(groups.values())


def _from_start(trains: Trains, row: int) -> np.ndarray:
    return trains.train(row) - trains.t_start[row]


def _shuffled(
    groups: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]], width: float, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean counts of trains of different repeats, and the variance of that mean."""
    expected, variance = np.zeros(2 * most + 1), np.zeros(2 * most + 1)
    for group in groups:
        all_first, all_second = (
            np.sort(np.concatenate([pair[side] for pair in group])) for side in (0, 1)
        )
        same = sum(_counts(*pair, width, most) for pair in group)
        share = (_counts(all_first, all_second, width, most) - same) / (len(group) - 1)
        expected += share
        variance += share / (len(group) - 1)
    return expected, variance


def _hollow_gaussian() -> np.ndarray:
    """Weights of the smoothing, which add up to one."""
    offsets = np.arange(-3 * SMOOTHING, 3 * SMOOTHING + 1)
    weights = np.exp(-0.5 * (offsets / SMOOTHING) ** 2)
    weights[3 * SMOOTHING] *= 1 - HOLLOW
    return weights / weights.sum()


def _poisson_band(expected: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantiles of Poisson counts, as far from their mean as its own variance requires."""
    mean = np.maximum(expected, np.finfo(float).tiny)
    wider = np.sqrt(1 + variance / mean)
    low, high = (poisson.ppf(quantile, mean) for quantile in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return np.maximum(0.0, mean - wider * (mean - low)), mean + wider * (high - mean)
