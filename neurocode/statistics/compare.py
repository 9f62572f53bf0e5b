"""Does a model reproduce the distribution of recorded responses, not only their mean?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import neo
import numpy as np
import pandas as pd
from scipy.stats import wasserstein_distance

from neurocode.errors import DataError
from neurocode.recordings.binning import bin_numbers, counts_between, rounding_late
from neurocode.recordings.containers import holds_units
from neurocode.recordings.files import trains_of
from neurocode.recordings.trains import (
    ROUNDING,
    SpikeTrainLike,
    Trains,
    in_seconds,
    is_train,
    listed,
    usable_trains,
)
from neurocode.statistics.coding import normalised_correlation, psth, signal_and_noise_correlation
from neurocode.statistics.complexity import lz76_of_events, occupied_bins
from neurocode.statistics.spike_distances import (
    mean_distance,
    spike_distance,
    van_rossum_distance,
    victor_purpura_distance,
)
from neurocode.statistics.variability import window_counts

#: Window of the Fano-mean relation, largest lag and bin of the autocorrelogram, bin of the
#: complexity; in seconds.
COUNT_WINDOW, LARGEST_LAG, LAG_BIN, COMPLEXITY_BIN = 0.1, 0.1, 2e-3, 5e-3
#: Durations that differ by less than this, in seconds, count as equal.
SAME_DURATION = 1e-6
#: Largest number of repeats per side in pairwise distances.
MOST_REPEATS = 20
NOISE_CORRELATION = "noise_correlation"


@dataclass(frozen=True)
class Unit:
    """Repeats of one unit on one stimulus, in seconds from its start; the duration is stated, or
    taken from the last spike."""

    repeats: list[np.ndarray]
    duration: float
    stated: bool = True

    @property
    def intervals(self) -> np.ndarray:
        """Interspike intervals of all repeats."""
        return np.concatenate([np.diff(times) for times in self.repeats])

    def part(self, chosen: np.ndarray) -> Unit:
        """Return the unit with only some of its repeats."""
        return replace(self, repeats=[self.repeats[k] for k in chosen])


def compare(
    model_trains: Sequence[SpikeTrainLike] | Trains,
    recorded_trains: Sequence[SpikeTrainLike] | Trains,
    *,
    statistics: Sequence[str] | None = None,
    n_splits: int = 20,
    seed: int = 0,
) -> pd.DataFrame:
    """Compare the responses of a model with recorded ones, statistic by statistic.

    Parameters
    ----------
    model_trains, recorded_trains
        Repeats of one unit on one stimulus (a sequence of Neo trains in any unit, or of arrays of
        seconds), or a sequence of such sequences, one per unit. Both sides have equal durations and
        equal numbers of units. Repeats of different units are simultaneous.
    statistics : sequence of str, optional
        Rows of the result; all by default.
    n_splits : int
        Random halves of the recorded repeats whose comparison is the reference.
    seed : int

    Returns
    -------
    pandas.DataFrame
        One row per statistic, means over units: ``model`` and ``recorded`` values where the
        statistic is a number of each side; ``difference`` between the sides (a distance, or an
        absolute difference); ``reference`` and ``reference_sd``, the same between random halves of
        the recording; ``note``, "not defined: why" where the data cannot support it.

    Raises
    ------
    DataError
        If the numbers of units or the durations differ, a side has no train or one that cannot be
        used, or a statistic is not known.

    Examples
    --------
    >>> random = np.random.default_rng(1)
    >>> sides = [[np.sort(random.uniform(0, 2, 20)) for _ in range(8)] for _ in range(2)]
    >>> bool(compare(*sides).loc["fano_mean", "difference"] < 1)
    True
    """
    model, recorded = _units(model_trains, "model"), _units(recorded_trains, "recorded")
    if len(model) != len(recorded):
        raise DataError(f"The model has {len(model)} units, the recording {len(recorded)}.")
    durations = [_common_duration(*pair) for pair in zip(model, recorded, strict=True)]
    model, recorded = (
        [replace(u, duration=d) for u, d in zip(side, durations, strict=True)]
        for side in (model, recorded)
    )
    random = np.random.default_rng(seed)
    makers = {name: partial(_row, statistic) for name, statistic in STATISTICS.items()} | {
        NOISE_CORRELATION: _noise_correlation_row
    }
    names = tuple(makers) if statistics is None else tuple(statistics)
    if unknown := [name for name in names if name not in makers]:
        raise DataError(
            f"'{unknown[0]}' is not a statistic of a comparison; known are {', '.join(makers)}."
        )
    rows = {name: makers[name](model, recorded, n_splits, random) for name in names}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("statistic")


@dataclass(frozen=True)
class Curves:
    """Curves of one side of a comparison, for one unit.

    Attributes
    ----------
    psth : (numpy.ndarray, numpy.ndarray)
        Times (s) and rate (Hz).
    intervals : (numpy.ndarray, numpy.ndarray)
        Edges (s) and probability of interspike intervals.
    counts : (numpy.ndarray, numpy.ndarray)
        Mean and variance of counts in windows of 100 ms.
    autocorrelogram : (numpy.ndarray, numpy.ndarray)
        Edges of the lags (s) and rate relative to its mean.
    """

    psth: tuple[np.ndarray, np.ndarray]
    intervals: tuple[np.ndarray, np.ndarray]
    counts: tuple[np.ndarray, np.ndarray]
    autocorrelogram: tuple[np.ndarray, np.ndarray]


def curves(trains: Sequence[SpikeTrainLike] | Trains, unit: int = 0) -> Curves:
    """Return the curves on which :func:`compare` is based, for one side and unit.

    Parameters
    ----------
    trains
        As for :func:`compare`.
    unit : int

    Raises
    ------
    DataError
        If there is no train, one cannot be used, or there is no such unit.

    Examples
    --------
    >>> curves([[0.1, 0.3], [0.1, 0.2, 0.4]]).counts[0].tolist()
    [0.5, 0.5]
    """
    units = _units(trains, "given")
    if not 0 <= unit < len(units):
        raise DataError(f"There is no unit {unit}, the trains hold {len(units)}.")
    selected = units[unit]
    edges = np.geomspace(1e-3, max(selected.duration, 2e-3), 61)
    histogram = counts_between(selected.intervals, edges)
    return Curves(
        psth=psth(selected.repeats, selected.duration),
        intervals=(edges, histogram / max(1, histogram.sum())),
        counts=_variance_at(selected),
        autocorrelogram=(
            np.arange(0, LARGEST_LAG + LAG_BIN / 2, LAG_BIN),
            _autocorrelogram(selected),
        ),
    )


def _units(trains: object, side: str) -> list[Unit]:
    if isinstance(trains, (str, Path)):
        trains = trains_of(trains)
    if not isinstance(trains, Trains) and not holds_units(trains):
        entries = [entry if is_train(entry) else listed(entry) for entry in listed(trains)]
        _require_a_common_start(entries, side)
        trains = [entries] if entries and all(is_train(entry) for entry in entries) else entries
    trains = usable_trains(trains)
    if not trains.n_trains:
        raise DataError(f"The {side} side has no spike train.")
    units = []
    for unit in range(trains.n_units):
        rows = trains.trains_of(unit)
        repeats = [trains.train(k) - trains.t_start[k] for k in rows]
        lengths = trains.t_stop[rows] - trains.t_start[rows]
        stated = (
            lengths > np.array([times[-1] if len(times) else 0.0 for times in repeats]) + ROUNDING
        )
        if stated.any() and np.ptp(lengths[stated]) > SAME_DURATION:
            low, high = lengths[stated].min(), lengths[stated].max()
            raise DataError(
                f"The repeats of unit {unit} on the {side} side last {low:g} to {high:g} s, "
                f"expected one duration."
            )
        units.append(Unit(repeats, float(np.max(lengths, initial=0.0)), bool(stated.any())))
    return units


def _require_a_common_start(entries: list, side: str) -> None:
    """Refuse arrays with times before zero: they do not state where they begin, but repeats must be
    aligned."""
    for entry in entries:
        for train in [entry] if is_train(entry) else entry:
            start = 0.0 if isinstance(train, neo.SpikeTrain) else in_seconds(train)[1]
            if start < 0:
                raise DataError(
                    f"The {side} side holds a spike at {start:g} s in an array, which begins at "
                    f"zero; give Neo trains, whose t_start says where they begin."
                )


def _common_duration(model: Unit, recorded: Unit) -> float:
    """Return the common duration of both sides of a unit; a side whose end is not stated ends with
    its last spike, or later."""
    longest, shortest = sorted((model, recorded), key=lambda unit: -unit.duration)
    if not longest.duration > 0:
        raise DataError("The trains have neither a duration nor a spike after their start.")
    if shortest.stated and longest.duration - shortest.duration > SAME_DURATION:
        raise DataError(
            f"A unit lasts {model.duration:g} s in the model and {recorded.duration:g} s in the "
            f"recording, expected one duration."
        )
    return longest.duration


def _row(
    statistic: Statistic,
    model: list[Unit],
    recorded: list[Unit],
    n_splits: int,
    random: np.random.Generator,
) -> dict:
    values = (
        [(statistic.value(m), statistic.value(r)) for m, r in zip(model, recorded, strict=True)]
        if statistic.value
        else []
    )
    differences = np.array(
        [statistic.difference(m, r) for m, r in zip(model, recorded, strict=True)]
    )
    splits = [
        [statistic.difference(*halves) for halves in _halves(unit, n_splits, random)]
        for unit in recorded
    ]
    references = [
        float(np.mean(distances))
        for distances in splits
        if distances and np.isfinite(distances).any()
    ]
    note = "" if np.isfinite(differences).any() else f"not defined: {statistic.needs}"
    sides = [_mean(side) for side in zip(*values, strict=True)] if values else (np.nan, np.nan)
    return {
        "model": sides[0],
        "recorded": sides[1],
        "difference": _mean(differences),
        "reference": _mean(references),
        "reference_sd": _mean(
            [np.std(distances, ddof=1) for distances in splits if len(distances) > 1]
        ),
        "unit": statistic.unit,
        "note": note,
    }


def _halves(unit: Unit, n_splits: int, random: np.random.Generator) -> list[tuple[Unit, Unit]]:
    count = len(unit.repeats)
    orders = [random.permutation(count) for _ in range(n_splits)] if count >= 4 else []
    return [(unit.part(order[: count // 2]), unit.part(order[count // 2 :])) for order in orders]


def _noise_correlation_row(
    model: list[Unit], recorded: list[Unit], n_splits: int, random: np.random.Generator
) -> dict:
    row = dict.fromkeys(("model", "recorded", "difference", "reference", "reference_sd"), np.nan)
    row |= {
        "unit": "",
        "note": "not defined: needs two units with the same two or more repeats, equally long",
    }
    if len(recorded) < 2 or min(len(unit.repeats) for unit in recorded) < 2:
        return row
    sides = [
        [window_counts(u.repeats, 0.0, u.duration, COUNT_WINDOW).T for u in side]
        for side in (model, recorded)
    ]
    if any(len({counts.shape for counts in side}) > 1 for side in sides):
        return row
    model_counts, recorded_counts = (np.stack(side) for side in sides)
    values = _noise_correlation(model_counts), _noise_correlation(recorded_counts)
    trials = recorded_counts.shape[-1]
    orders = [random.permutation(trials) for _ in range(n_splits)] if trials >= 4 else []
    halves = [
        (recorded_counts[..., order[: trials // 2]], recorded_counts[..., order[trials // 2 :]])
        for order in orders
    ]
    splits = [
        abs(_noise_correlation(first) - _noise_correlation(second)) for first, second in halves
    ]
    row |= {
        "model": values[0],
        "recorded": values[1],
        "difference": abs(values[0] - values[1]),
        "note": "",
    }
    return row | {
        "reference": _mean(splits),
        "reference_sd": float(np.std(splits, ddof=1)) if len(splits) > 1 else np.nan,
    }


def _noise_correlation(counts: np.ndarray) -> float:
    """Return the mean noise correlation of pairs of units from counts (units, windows, trials)."""
    noise = signal_and_noise_correlation(counts)[1]
    return _mean(noise[np.triu_indices(len(noise), 1)])


def _mean(values: object) -> float:
    values = np.asarray(values, float)
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


@dataclass(frozen=True)
class Statistic:
    """A statistic to compare: the difference of two units, perhaps a value of each, its unit of
    measurement, and what it needs."""

    difference: Callable[[Unit, Unit], float]
    needs: str
    value: Callable[[Unit], float] | None = None
    unit: str = ""


def _of_values(value: Callable[[Unit], float], needs: str, unit: str = "") -> Statistic:
    return Statistic(lambda a, b: abs(value(a) - value(b)), needs, value, unit)


def _rate(unit: Unit) -> float:
    return sum(len(times) for times in unit.repeats) / (len(unit.repeats) * unit.duration)


def _response_correlation(model: Unit, recorded: Unit) -> float:
    responses = np.stack([psth([times], recorded.duration)[1] for times in recorded.repeats])
    return 1 - normalised_correlation(psth(model.repeats, model.duration)[1], responses)


def _fano_mean(first: Unit, second: Unit) -> float:
    """Return the root mean square difference of log variance at mean counts that both reach."""
    curves = [_variance_at(unit) for unit in (first, second)]
    if any(mean.size < 3 for mean, _ in curves):
        return np.nan
    low, high = max(mean.min() for mean, _ in curves), min(mean.max() for mean, _ in curves)
    if not high > low:
        return np.nan
    grid = np.geomspace(low, high, 10)
    a, b = (
        np.polyval(np.polyfit(np.log(mean), np.log(variance), 1), np.log(grid))
        for mean, variance in curves
    )
    return float(np.sqrt(np.mean((a - b) ** 2)))


def _variance_at(unit: Unit) -> tuple[np.ndarray, np.ndarray]:
    counts = window_counts(unit.repeats, 0.0, unit.duration, COUNT_WINDOW)
    if len(counts) < 2:
        return np.empty(0), np.empty(0)
    mean, variance = counts.mean(axis=0), counts.var(axis=0, ddof=1)
    positive = (mean > 0) & (variance > 0)
    return mean[positive], variance[positive]


def _fano(unit: Unit) -> float:
    counts = window_counts(unit.repeats, 0.0, unit.duration, COUNT_WINDOW)
    mean = counts.mean()
    return (
        float(counts.var(axis=0, ddof=1).mean() / mean) if len(counts) > 1 and mean > 0 else np.nan
    )


def _interval_distance(first: Unit, second: Unit) -> float:
    a, b = first.intervals, second.intervals
    return float(wasserstein_distance(a, b)) if a.size and b.size else np.nan


def _autocorrelogram_difference(first: Unit, second: Unit) -> float:
    """Root mean square difference of the autocorrelograms, each over its mean rate."""
    a, b = (_autocorrelogram(unit) for unit in (first, second))
    return float(np.sqrt(np.mean((a - b) ** 2)))


def _autocorrelogram(unit: Unit) -> np.ndarray:
    n_bins, spikes = round(LARGEST_LAG / LAG_BIN), 0
    histogram = np.zeros(n_bins)
    # where spikes were binned, lags lie on edges, and rounding must not choose the side
    rounding = rounding_late(unit.duration, LAG_BIN)
    for times in unit.repeats:
        spikes += len(times)
        for shift in range(1, len(times)):
            lags = times[shift:] - times[:-shift]
            if lags.min() > LARGEST_LAG:
                break
            numbers = bin_numbers(lags, LAG_BIN, rounding=rounding)
            histogram += np.bincount(numbers[numbers < n_bins], minlength=n_bins)
    rate = _rate(unit)
    return histogram / (spikes * LAG_BIN * rate) if spikes and rate else np.full(n_bins, np.nan)


def _complexity(unit: Unit) -> float:
    """Return LZ76 words per spike of repeats that are binned and joined one after another."""
    spikes = sum(len(times) for times in unit.repeats)
    binned = [occupied_bins(times, unit.duration, COMPLEXITY_BIN) for times in unit.repeats]
    events = np.concatenate([bins + k * n_bins for k, (bins, n_bins) in enumerate(binned)])
    return (
        lz76_of_events(events, sum(n_bins for _, n_bins in binned)) / spikes if spikes else np.nan
    )


def _pairwise(distance: Callable[[np.ndarray, np.ndarray, float], float]) -> Statistic:
    """Return a statistic: the mean distance between the sides over the mean within them, minus one.

    It is zero if pairs across the sides differ as much as pairs within them.
    """

    def within(unit: Unit) -> float:
        return mean_distance(
            unit.repeats[:MOST_REPEATS], None, lambda a, b: distance(a, b, unit.duration)
        )

    def difference(first: Unit, second: Unit) -> float:
        across = mean_distance(
            first.repeats[:MOST_REPEATS],
            second.repeats[:MOST_REPEATS],
            lambda a, b: distance(a, b, first.duration),
        )
        inside = 0.5 * (within(first) + within(second))
        return across / inside - 1 if inside > 0 else np.nan

    return Statistic(difference, "needs two repeats with spikes on both sides", within)


STATISTICS = {
    "rate": _of_values(_rate, "needs one repeat", "Hz"),
    "psth_correlation_loss": Statistic(
        _response_correlation, "needs two recorded repeats that share a signal"
    ),
    "fano_factor": _of_values(_fano, "needs two repeats with spikes"),
    "fano_mean": Statistic(
        _fano_mean, "needs two repeats, and windows of different mean count on both sides"
    ),
    "interval_distribution": Statistic(
        _interval_distance, "needs two spikes in a repeat on both sides", unit="s"
    ),
    "autocorrelogram": Statistic(_autocorrelogram_difference, "needs spikes on both sides"),
    "complexity_per_spike": _of_values(_complexity, "needs spikes on both sides"),
    "victor_purpura": _pairwise(lambda a, b, duration: victor_purpura_distance(a, b)),
    "van_rossum": _pairwise(lambda a, b, duration: van_rossum_distance(a, b)),
    "spike_distance": _pairwise(lambda a, b, duration: spike_distance(a, b, 0.0, duration)),
}
