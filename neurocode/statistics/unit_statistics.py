"""The statistics that :func:`neurocode.describe` lists for every unit, one entry of ``STATISTICS``
each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from neurocode.recordings.trains import Trains
from neurocode.statistics.complexity import occupied_bins
from neurocode.statistics.surrogates import (
    SurrogateComplexity,
    false_discovery_rate,
    surrogate_complexity,
)
from neurocode.statistics.variability import allan_factor, drift_test, fano_column, interval_table

#: Bin of the complexity as a fraction of the mean interval, and its least width in seconds.
BIN_FRACTION, FINEST_BIN = 0.2, 1e-3
#: Window of the Allan factor in seconds.
ALLAN_WINDOW = 1.0
#: Largest number of bins per train: times counted from the Unix epoch would fill the memory.
MOST_BINS = 10_000_000


@dataclass(frozen=True)
class Column:
    """A column of the table of units.

    Attributes
    ----------
    name : str
    meaning : str
        Its description in the documentation.
    unit : str
        Empty for a number without dimension.
    """

    name: str
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class UnitStatistic:
    """Numbers of each unit: what they are called and how they are computed.

    Attributes
    ----------
    columns : sequence of Column
    values : callable
        From :class:`~neurocode.recordings.Trains` to an array of shape (units,) or (units,
        columns). Units whose times cannot be used are passed without spikes and get NaN, whatever
        the function returns for them.

    Examples
    --------
    >>> import neurocode as nc
    >>> column = Column("first_spike", "time of the first spike", "s")
    >>> def first_spikes(trains):
    ...     return [trains.train(row)[0] for row in trains.first_train[:-1]]
    >>> statistics = ["cv", UnitStatistic([column], first_spikes)]
    >>> table = nc.describe([[0.5, 1.0], [0.25, 0.75]], statistics=statistics, n_surrogates=0)
    >>> table["first_spike"].tolist()
    [0.5, 0.25]
    """

    columns: Sequence[Column]
    values: Callable[[Trains], np.ndarray]

    @property
    def names(self) -> list[str]:
        """Names of the columns."""
        return [column.name for column in self.columns]


def complexity_statistic(bin_size: float | None, n_surrogates: int, seed: int) -> UnitStatistic:
    """Return the statistic of the Lempel-Ziv complexity against surrogates.

    Parameters
    ----------
    bin_size : float, optional
        In seconds; a fifth of each unit's mean interval, at least 1 ms, by default.
    n_surrogates, seed : int
        Number of surrogates per kind and unit, and their seed.
    """
    return UnitStatistic(
        COMPLEXITY_COLUMNS, lambda trains: _complexity(trains, bin_size, n_surrogates, seed)
    )


def complexity_bins(trains: Trains, bin_size: float | None = None) -> np.ndarray:
    """Bin of the complexity of each unit in seconds: a fifth of its mean interval, at least 1 ms.

    Parameters
    ----------
    trains : Trains
    bin_size : float, optional
        In seconds, of all units instead.

    Examples
    --------
    >>> complexity_bins(Trains.of([[0.0, 0.5, 1.0]]))
    array([0.1])
    """
    if bin_size is not None:
        return np.full(trains.n_units, float(bin_size))
    mean = interval_table(trains)["mean_isi"].to_numpy()
    return np.maximum(FINEST_BIN, BIN_FRACTION * mean)


def binned_events(trains: Trains, unit: int, bin_size: float) -> tuple[np.ndarray, int]:
    """Occupied bins of a unit, its trains one after another, and the number of bins.

    Parameters
    ----------
    trains : Trains
    unit : int
    bin_size : float
        In seconds.
    """
    events, length = [], 0
    for k in trains.trains_of(unit):
        bins, n_bins = occupied_bins(
            trains.train(k) - trains.t_start[k], trains.t_stop[k] - trains.t_start[k], bin_size
        )
        events.append(length + bins)
        length += n_bins
    return np.concatenate(events) if events else np.empty(0, np.int64), length


def durations(trains: Trains) -> np.ndarray:
    """Total duration of all trains of each unit in seconds."""
    return np.bincount(trains.unit, trains.t_stop - trains.t_start, trains.n_units)


def spike_counts(trains: Trains) -> np.ndarray:
    """Number of spikes in all trains of each unit."""
    return np.bincount(trains.unit, trains.counts, trains.n_units).astype(int)


def _rates(trains: Trains) -> np.ndarray:
    seconds = durations(trains)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seconds > 0, spike_counts(trains) / seconds, np.nan)


def _allan_factors(trains: Trains) -> np.ndarray:
    """Return the mean Allan factor over the trains of each unit that are long enough."""
    values = np.full(trains.n_units, np.nan)
    for unit in range(trains.n_units):
        factors = [
            allan_factor(trains.train(k), trains.t_start[k], trains.t_stop[k], ALLAN_WINDOW)
            for k in trains.trains_of(unit)
        ]
        values[unit] = np.nanmean(factors) if np.isfinite(factors).any() else np.nan
    return values


def _drifts(trains: Trains) -> np.ndarray:
    drifts = np.full((trains.n_units, 2), np.nan)
    for unit in range(trains.n_units):
        rows = trains.trains_of(unit)
        if len(rows) >= 4 and np.ptp(trains.condition[rows]) == 0:
            drifts[unit] = drift_test(trains.counts[rows])
    return drifts


def _complexity(trains: Trains, bin_size: float | None, n_surrogates: int, seed: int) -> np.ndarray:
    widths = complexity_bins(trains, bin_size)
    fits_memory = durations(trains) <= MOST_BINS * widths
    binned = [
        binned_events(trains, unit, width) if fits_memory[unit] else (np.empty(0, int), 1)
        for unit, width in enumerate(widths)
    ]
    events, lengths = [bins for bins, _ in binned], [length for _, length in binned]
    by_rate, by_intervals = (
        surrogate_complexity(events, lengths, method=method, n_surrogates=n_surrogates, seed=seed)
        for method in ("rate", "isi")
    )
    occupied = np.array([len(bins) / length for bins, length in binned])
    words = np.where(np.isnan(by_rate.ratio), np.nan, by_rate.count)
    columns = [
        widths,
        words,
        by_rate.ratio * _bernoulli_entropy(occupied),
        *values_against(by_rate),
        *values_against(by_intervals),
    ]
    return np.stack(columns, axis=1)


def values_against(result: SurrogateComplexity) -> tuple[np.ndarray, ...]:
    """Values of the columns of :func:`columns_against`."""
    return result.ratio, result.z, result.p, false_discovery_rate(result.p)


def _bernoulli_entropy(p: np.ndarray) -> np.ndarray:
    return -(xlogy(p, p) + xlogy(1 - p, 1 - p)) / np.log(2)


def columns_against(prefix: str, surrogates: str) -> list[Column]:
    """Columns of a complexity against surrogates.

    Parameters
    ----------
    prefix : str
        What their names begin with.
    surrogates : str
        What the surrogates are, for the meaning of the columns.

    Examples
    --------
    >>> [column.name for column in columns_against("lz", "rate-matched surrogates")]
    ['lz_ratio', 'lz_z', 'lz_p', 'lz_q']
    """
    return [
        Column(f"{prefix}_ratio", f"words over their mean in {surrogates}"),
        Column(f"{prefix}_z", "distance from that mean in standard deviations of the surrogates"),
        Column(f"{prefix}_p", "its p-value, two-sided"),
        Column(f"{prefix}_q", "p-value adjusted for the number of units (false discovery rate)"),
    ]


#: Columns before and after the statistics in every table.
FIRST_COLUMNS = (
    Column("unit", "name in the file, or the file's name and the number of the unit in it, from 0"),
    Column("n_spikes", "spikes in all trains"),
    Column("n_trains", "trains, the repeats of the unit"),
    Column("duration", "of all trains together", "s"),
)
LAST_COLUMN = Column("reason", "why entries are missing or doubtful")
INTERVALS = (
    Column("mean_isi", "mean interspike interval", "s"),
    Column("min_isi", "shortest interspike interval", "s"),
    Column("cv", "coefficient of variation of the intervals; 1 for a Poisson process"),
    Column(
        "cv2",
        "coefficient of variation of neighbouring intervals (Holt et al. 1996); 1 for a Poisson "
        "process",
    ),
    Column("lv", "local variation (Shinomoto et al. 2003); 1 for a Poisson process"),
    Column(
        "lvr", "local variation corrected for a refractory time of 5 ms (Shinomoto et al. 2009)"
    ),
    Column("serial_correlation", "Pearson's correlation of an interval with the next"),
    Column("burst_index", "share of intervals below 6 ms"),
)
COMPLEXITY_COLUMNS = (
    Column("bin_size", "bin of the complexity", "s"),
    Column("lz76", "words of the Lempel-Ziv parsing of 1976"),
    Column(
        "entropy_rate", "entropy of independent bins of this rate times lz_ratio", "bits per bin"
    ),
    *columns_against("lz", "rate-matched surrogates"),
    *columns_against("lz_isi", "surrogates of shuffled intervals"),
)

#: Statistics of a unit by name; the complexity, which takes options, comes after them.
STATISTICS = {
    "rate": UnitStatistic([Column("rate", "spikes over duration", "Hz")], _rates),
    "intervals": UnitStatistic(INTERVALS, lambda trains: interval_table(trains).to_numpy()),
    "allan_factor": UnitStatistic(
        [
            Column(
                "allan_factor",
                "squared difference of counts in adjacent windows of 1 s over twice their mean; 1 "
                "for a Poisson process",
            )
        ],
        _allan_factors,
    ),
    "fano_factor": UnitStatistic(
        [
            Column(
                "fano_factor",
                "variance (unbiased) over mean of the counts of the repeats; 1 for a Poisson "
                "process",
            )
        ],
        fano_column,
    ),
    "drift": UnitStatistic(
        [
            Column("drift", "Spearman's correlation of the count with the number of the repeat"),
            Column("drift_p", "its p-value, two-sided"),
        ],
        _drifts,
    ),
}
COMPLEXITY = "complexity"
