"""What the panels of one unit show: raster, rate over time, intervals and autocorrelogram."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.binning import ROUNDING, bin_numbers, whole_bins
from neurocode.recordings.trains import Trains
from neurocode.statistics.correlograms import SAME_LIMIT, Correlogram, autocorrelogram
from neurocode.statistics.distributions import INTERVAL_BINS, interval_histogram
from neurocode.statistics.time_resolution import grid_width
from neurocode.units import seconds

#: Bin and largest lag of correlograms in seconds, and the fewest bins on either side of zero.
LAG_BIN, LARGEST_LAG, FEWEST_LAGS = 1e-3, 50e-3, 20
#: Finest bin of a rate in seconds, how many widths are tried, and the fewest bins of a rate.
FINEST_RATE_BIN, TRIED_WIDTHS, FEWEST_BINS = 1e-3, 40, 10
#: Rows of the raster of a single train, the most rows of any raster, and the most stimuli whose
#: rates are drawn apart.
LINES, MOST_ROWS, MOST_STIMULI = 20, 100, 4
#: Fewest bins of a histogram of intervals.
FEWEST_INTERVAL_BINS = 5


@dataclass(frozen=True)
class Raster:
    """Rows of spikes.

    Attributes
    ----------
    rows : list of numpy.ndarray
        Spike times in seconds.
    stimuli : numpy.ndarray of int
        Stimulus of each row, not decreasing.
    span : (float, float)
        Of each row in seconds.
    n_trains : int
        Trains of the unit; a single one is cut into rows of equal length.
    """

    rows: list[np.ndarray]
    stimuli: np.ndarray
    span: tuple[float, float]
    n_trains: int


@dataclass(frozen=True)
class RateOverTime:
    """Rate in bins of time, over repeats or over one recording.

    Attributes
    ----------
    edges : numpy.ndarray
        In seconds.
    rates : dict of int to numpy.ndarray
        In hertz, by stimulus; of all stimuli together under ``-1`` where there are many. NaN where
        no repeat lasts as long.
    n_trains : int
    """

    edges: np.ndarray
    rates: dict[int, np.ndarray]
    n_trains: int

    @property
    def bin_size(self) -> float:
        """Width of the bins in seconds."""
        return float(self.edges[1] - self.edges[0])


@dataclass(frozen=True)
class IntervalHistogram:
    """Histogram of interspike intervals.

    Attributes
    ----------
    edges : numpy.ndarray
        In seconds.
    probability : numpy.ndarray
    n_intervals, n_zero : int
        Intervals in the histogram, and those of zero length, which are left out.
    """

    edges: np.ndarray
    probability: np.ndarray
    n_intervals: int
    n_zero: int


@dataclass(frozen=True)
class UnitPanels:
    """All panels of one unit.

    Attributes
    ----------
    name : str
    n_spikes : int
    resolution : float
        Step of the spike times in seconds; zero for times on no grid.
    raster : Raster
    rate : RateOverTime
    intervals : IntervalHistogram
    autocorrelogram : Correlogram
    """

    name: str
    n_spikes: int
    resolution: float
    raster: Raster
    rate: RateOverTime
    intervals: IntervalHistogram
    autocorrelogram: Correlogram


def unit_panels(trains: Trains, unit: int, *, resolution: float = 0.0) -> UnitPanels:
    """Compute the panels of one unit.

    Parameters
    ----------
    trains : Trains
    unit : int
    resolution : float
        Step of the spike times in seconds, from :func:`~neurocode.statistics.time_resolution`. No
        bin of any panel is narrower.

    Raises
    ------
    DataError
        If the unit has no train.

    Examples
    --------
    >>> panels = unit_panels(Trains.of([[[0.1, 0.2, 0.4], [0.1, 0.3]]]), 0, resolution=0.1)
    >>> panels.intervals.edges.round(3).tolist(), panels.intervals.probability.round(3).tolist()
    ([0.05, 0.15, 0.25], [0.333, 0.667])
    """
    repeats = trains.select(unit)
    if not repeats.n_trains:
        raise DataError(f"The unit '{trains.names[unit]}' has no train.")
    widths = {"bin_size": correlogram_bin(resolution), "max_lag": correlogram_reach(resolution)}
    return UnitPanels(
        name=trains.names[unit],
        n_spikes=len(repeats.times),
        resolution=resolution,
        raster=_raster(repeats),
        rate=rate_over_time(repeats, resolution=resolution),
        intervals=_intervals(repeats, resolution),
        autocorrelogram=autocorrelogram(repeats, 0, **widths),
    )


def correlogram_bin(resolution: float) -> float:
    """Bin of a correlogram in seconds: 1 ms, or the next odd multiple of a coarser resolution.

    Examples
    --------
    >>> correlogram_bin(0.0), correlogram_bin(0.02)
    (0.001, 0.02)
    """
    return grid_width(resolution, LAG_BIN)


def correlogram_reach(resolution: float) -> float:
    """Largest lag of a correlogram in seconds: 50 ms, or twenty bins where these are wide.

    Examples
    --------
    >>> correlogram_reach(0.0), correlogram_reach(0.02)
    (0.05, 0.4)
    """
    return max(LARGEST_LAG, FEWEST_LAGS * correlogram_bin(resolution))


def rate_over_time(trains: Trains, *, resolution: float = 0.0) -> RateOverTime:
    """Peristimulus time histogram of one unit, or the rate over a recording without repeats.

    Repeats are laid over one another at their starts, up to the end of the longest; a bin counts
    the repeats that last to its end. The width of the bins is that of :func:`best_width`. Up to
    four stimuli have separate rates.

    Parameters
    ----------
    trains : Trains
        Of one unit.
    resolution : float
        In seconds; the width is a multiple of it.

    Examples
    --------
    >>> rate = rate_over_time(Trains.of([[[0.5, 1.0], [0.5, 2.0]]]), resolution=0.5)
    >>> rate.edges.tolist(), rate.rates[0].tolist()
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 3.0, 0.0, 2.0])
    """
    starts, durations = trains.t_start, trains.t_stop - trains.t_start
    longest = float(durations.max())
    repeats = [trains.train(row) - starts[row] for row in range(trains.n_trains)]
    base = FINEST_RATE_BIN
    if resolution > 0:
        base = resolution * max(1, math.ceil(FINEST_RATE_BIN / resolution - 0.05))
    width = best_width(np.concatenate(repeats), longest, base=base)
    n_bins = max(1, whole_bins(longest, width))
    lasting = np.array([whole_bins(duration, width) for duration in durations])
    stimuli = np.unique(trains.condition)
    apart = len(stimuli) <= MOST_STIMULI
    rates = {}
    for stimulus in stimuli if apart else [-1]:
        rows = np.flatnonzero((trains.condition == stimulus) | (not apart))
        counts = sum(bin_counts(repeats[row], durations[row], width, n_bins) for row in rows)
        covered = (lasting[rows, None] > np.arange(n_bins)).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rates[int(stimulus)] = np.where(covered > 0, counts / (covered * width), np.nan)
    first = float(starts[0]) if np.ptp(starts) <= SAME_LIMIT else 0.0
    return RateOverTime(first + np.arange(n_bins + 1) * width, rates, trains.n_trains)


def bin_counts(times: np.ndarray, duration: float, width: float, n_bins: int) -> np.ndarray:
    """Counts of one train in the whole bins that it lasts for; a spike at the very end of the last
    of them belongs to it.

    Parameters
    ----------
    times : numpy.ndarray
        In seconds from the start of the train.
    duration, width : float
        In seconds.
    n_bins : int
        Length of the result; zero beyond the end of the train.

    Examples
    --------
    >>> bin_counts(np.array([0.1, 0.3, 0.4]), 0.4, 0.1, 5)
    array([0, 1, 0, 2, 0])
    """
    whole = min(whole_bins(duration, width), n_bins)
    places = bin_numbers(times, width)
    places = np.where(
        (places == whole) & (times <= whole * width * (1 + ROUNDING)), whole - 1, places
    )
    inside = (places >= 0) & (places < whole)
    return np.bincount(places[inside], minlength=n_bins)


def best_width(times: np.ndarray, duration: float, *, base: float = FINEST_RATE_BIN) -> float:
    """Width of the bins of a rate with the least expected squared error (Shimazaki & Shinomoto
    2007).

    Of the widths that are multiples of ``base``, up to a tenth of the duration, the one with the
    least ``(2 mean - variance) / width**2`` of the counts of its bins.

    Parameters
    ----------
    times : numpy.ndarray
        Spike times of all repeats in seconds from their starts.
    duration : float or quantity
        In seconds.
    base : float or quantity
        In seconds.

    Examples
    --------
    >>> best_width(np.arange(0.05, 10, 0.1), 10.0)
    1.0
    """
    duration, base = seconds(duration, "The duration"), seconds(base, "The base of the bins")
    most = max(1, math.floor(duration / FEWEST_BINS / base + 1e-9))
    multiples = np.unique(np.round(np.geomspace(1, most, TRIED_WIDTHS)).astype(int))
    costs = []
    for width in multiples * base:
        counts = bin_counts(times, duration, width, max(1, whole_bins(duration, width)))
        costs.append((2 * counts.mean() - counts.var()) / width**2)
    return float(multiples[int(np.argmin(costs))] * base)


def _raster(trains: Trains) -> Raster:
    """Repeats in the order of their stimuli, or a single train cut into lines."""
    if trains.n_trains == 1:
        start, stop = float(trains.t_start[0]), float(trains.t_stop[0])
        length = (stop - start) / LINES or 1.0
        times = trains.train(0) - start
        lines = np.clip((times / length).astype(int), 0, LINES - 1)
        rows = [times[lines == line] - line * length for line in range(LINES)]
        return Raster(rows, np.zeros(LINES, int), (0.0, length), 1)
    order = np.argsort(trains.condition, kind="stable")
    drawn = order[np.linspace(0, len(order) - 1, min(len(order), MOST_ROWS)).round().astype(int)]
    same = np.ptp(trains.t_start) <= SAME_LIMIT
    first = float(trains.t_start[0]) if same else 0.0
    rows = [trains.train(row) - trains.t_start[row] + first for row in drawn]
    longest = float((trains.t_stop - trains.t_start).max())
    return Raster(rows, trains.condition[drawn], (first, first + longest), trains.n_trains)


def _intervals(trains: Trains, resolution: float) -> IntervalHistogram:
    intervals = [np.diff(trains.train(row)) for row in range(trains.n_trains)]
    n_zero = sum(int(np.sum(of_train <= 0)) for of_train in intervals)
    n_intervals = sum(map(len, intervals)) - n_zero
    # The rule of Rice: bins for the number of values, which also bounds them for few.
    n_bins = min(max(FEWEST_INTERVAL_BINS, math.ceil(2 * n_intervals ** (1 / 3))), INTERVAL_BINS)
    histogram = interval_histogram(trains, [0], resolution=resolution, n_bins=n_bins)
    return IntervalHistogram(*histogram, n_intervals, n_zero)
