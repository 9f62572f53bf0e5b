"""One table that describes many spike trains: a row a unit."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from scipy.special import xlogy

from neurocode.errors import DataError
from neurocode.recordings.files import trains_of
from neurocode.recordings.trains import Trains
from neurocode.statistics.complexity import occupied_bins
from neurocode.statistics.surrogates import SurrogateComplexity, false_discovery_rate, surrogate_complexity
from neurocode.statistics.variability import INTERVAL_COLUMNS, allan_factor, drift_test, fano_column, interval_table
from neurocode.units import seconds

#: Bin of the complexity as a fraction of the mean interval, and its least width in seconds.
BIN_FRACTION, FINEST_BIN = 0.2, 1e-3
#: Window of the Allan factor in seconds.
ALLAN_WINDOW = 1.0
#: The longest train in seconds (116 days) and the most bins of one: times of the Unix epoch would fill memory with silence.
LONGEST_TRAIN, MOST_BINS = 1e7, 10_000_000
#: Rates in hertz beyond which the unit of time was probably misread.
HIGHEST_RATE, LOWEST_RATE, ENOUGH_SPIKES = 1000.0, 0.02, 20


def describe(spiketrains: object, *, bin_size: float | None = None, n_surrogates: int = 200, seed: int = 0) -> pd.DataFrame:
    """Rate, variability and complexity of every unit, with significance.

    Parameters
    ----------
    spiketrains
        One train a unit, or a sequence of repeats a unit (:class:`neo.SpikeTrain` or arrays of seconds), a container of units
        (see :meth:`Trains.of <neurocode.recordings.Trains.of>`), or the path of a recording.
    bin_size : float or quantity, optional
        Bin of the Lempel-Ziv complexity in seconds; a fifth of each unit's mean interval, at least 1 ms, by default.
    n_surrogates : int
        Surrogates of each kind and unit; zero leaves complexity out.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row a unit. ``n_spikes``, ``n_trains``, ``duration`` (s, all trains), ``rate`` (Hz).
        Intervals: ``mean_isi``, ``min_isi`` (s), ``cv``, ``cv2``, ``lv``, ``lvr``, ``serial_correlation``, ``burst_index``.
        Counts: ``allan_factor`` (adjacent windows of 1 s); over repeats ``fano_factor`` (unbiased variance), ``drift`` and
        ``drift_p`` (Spearman's correlation of count with repeat).
        Complexity: ``bin_size`` (s), ``lz76`` (words), ``entropy_rate`` (bits per bin, from ``lz_ratio``); against rate-matched
        surrogates ``lz_ratio``, ``lz_z``, ``lz_p``, ``lz_q`` (p adjusted for the number of units), against shuffled intervals
        the same with the prefix ``lz_isi``.
        ``reason``: why entries are NaN or doubtful, empty where nothing is.

    Raises
    ------
    DataError
        If there is no unit, the bin is not positive and finite, or the surrogates or the seed are below zero.

    Warns
    -----
    UserWarning
        For rates above 1 kHz or below 0.02 Hz: the unit of time may have been misread.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> table = describe([np.cumsum(random.exponential(0.1, 300)) for _ in range(3)], n_surrogates=50)
    >>> bool(np.all(np.abs(table["lz_z"]) < 4))
    True
    """
    trains = trains_of(spiketrains)
    if not trains.n_units:
        raise DataError("There is no unit to describe.")
    bin_size = None if bin_size is None else seconds(bin_size, "The bin size")
    if n_surrogates < 0 or seed < 0:
        raise DataError(f"There are {n_surrogates} surrogates with seed {seed}, expected none below zero.")
    faults = _faults(trains)
    table = pd.DataFrame(index=pd.Index(trains.names, name="unit"))
    table["n_spikes"] = np.bincount(trains.unit, trains.counts, trains.n_units).astype(int)
    table["n_trains"] = np.bincount(trains.unit, minlength=trains.n_units)
    table["duration"] = np.bincount(trains.unit, trains.t_stop - trains.t_start, trains.n_units)
    with np.errstate(divide="ignore", invalid="ignore"):
        table["rate"] = np.where(table["duration"] > 0, table["n_spikes"] / table["duration"], np.nan)
    table[list(INTERVAL_COLUMNS)] = interval_table(trains).to_numpy()
    table["allan_factor"] = _allan_factors(trains, faults)
    table["fano_factor"] = fano_column(trains)
    table[["drift", "drift_p"]] = _drifts(trains)
    if n_surrogates:
        _add_complexity(table, trains, faults, bin_size, n_surrogates, seed)
    broken = np.array([bool(fault) for fault in faults])
    table.loc[broken, table.columns.difference(["n_spikes", "n_trains", "duration"])] = np.nan
    table["reason"] = ["; ".join(part for part in (fault, note) if part) for fault, note in zip(faults, _notes(table), strict=True)]
    return table


def _faults(trains: Trains) -> list[str]:
    """For each unit what makes its times unusable, or nothing."""
    faults = [""] * trains.n_units
    for k, unit in enumerate(trains.unit):
        faults[unit] = faults[unit] or trains.fault(k) or _overlong(trains.t_stop[k] - trains.t_start[k])
    return faults


def _overlong(duration: float) -> str:
    if duration <= LONGEST_TRAIN:
        return ""
    return f"the train lasts {duration:.3g} s, beyond {LONGEST_TRAIN:g} s: do its times count from an epoch? Give the start"


def _notes(table: pd.DataFrame) -> list[str]:
    """What a reader should know of usable units; warns where the unit of time looks misread."""
    notes = []
    for name, row in table.iterrows():
        own = []
        if row["n_spikes"] < 2:
            own.append("no spike" if row["n_spikes"] == 0 else "one spike")
        if row["min_isi"] == 0:
            own.append("two spikes at one time")
        if row.get("bin_size", np.inf) * MOST_BINS < row["duration"]:
            own.append(f"no complexity: more than {MOST_BINS:.0e} bins of {row['bin_size']:.2g} s")
        if row["rate"] > HIGHEST_RATE:
            own.append(f"rate of {row['rate']:.0f} Hz: are the times in seconds, read as milliseconds or smaller?")
        if row["rate"] < LOWEST_RATE and row["n_spikes"] > ENOUGH_SPIKES:
            own.append(f"rate of {row['rate']:.2g} Hz: are the times in milliseconds or smaller, read as seconds?")
        for note in own:
            if "are the times" in note:
                warnings.warn(f"Unit {name}: {note}", stacklevel=3)
        notes.append("; ".join(own))
    return notes


def _allan_factors(trains: Trains, faults: list[str]) -> np.ndarray:
    """Mean over the trains of a unit that are long enough."""
    values = np.full(trains.n_units, np.nan)
    for unit in range(trains.n_units):
        if faults[unit]:
            continue
        own = [allan_factor(trains.train(k), trains.t_start[k], trains.t_stop[k], ALLAN_WINDOW) for k in trains.trains_of(unit)]
        values[unit] = np.nanmean(own) if np.isfinite(own).any() else np.nan
    return values


def _drifts(trains: Trains) -> np.ndarray:
    counts = trains.counts
    drifts = np.full((trains.n_units, 2), np.nan)
    for unit in range(trains.n_units):
        own = trains.trains_of(unit)
        if len(own) >= 4 and np.ptp(trains.condition[own]) == 0:
            drifts[unit] = drift_test(counts[own])
    return drifts


def _add_complexity(
    table: pd.DataFrame, trains: Trains, faults: list[str], bin_size: float | None, n_surrogates: int, seed: int
) -> None:
    default = np.maximum(FINEST_BIN, BIN_FRACTION * table["mean_isi"].to_numpy())
    table["bin_size"] = default if bin_size is None else bin_size
    events, lengths = [], []
    for unit, width in enumerate(table["bin_size"]):
        usable = not faults[unit] and table["duration"].iloc[unit] <= MOST_BINS * width
        own, length = binned_events(trains, unit, width) if usable else (np.empty(0, int), 1)
        events.append(own)
        lengths.append(length)
    for prefix, method in (("lz", "rate"), ("lz_isi", "isi")):
        result = surrogate_complexity(events, lengths, method=method, n_surrogates=n_surrogates, seed=seed)
        if method == "rate":
            table["lz76"] = np.where(np.isnan(result.ratio), np.nan, result.count)
        _add_result(table, prefix, result)
    occupied = np.array([len(own) / length for own, length in zip(events, lengths, strict=True)])
    table.insert(table.columns.get_loc("lz76") + 1, "entropy_rate", table["lz_ratio"] * _bernoulli_entropy(occupied))


def _bernoulli_entropy(p: np.ndarray) -> np.ndarray:
    return -(xlogy(p, p) + xlogy(1 - p, 1 - p)) / np.log(2)


def _add_result(table: pd.DataFrame, prefix: str, result: SurrogateComplexity) -> None:
    table[f"{prefix}_ratio"], table[f"{prefix}_z"], table[f"{prefix}_p"] = result.ratio, result.z, result.p
    table[f"{prefix}_q"] = false_discovery_rate(result.p)


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
        bins, n_bins = occupied_bins(trains.train(k) - trains.t_start[k], trains.t_stop[k] - trains.t_start[k], bin_size)
        events.append(length + bins)
        length += n_bins
    return np.concatenate(events) if events else np.empty(0, np.int64), length
