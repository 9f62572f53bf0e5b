"""Correlograms computed by hand: counts of small trains, the expectation for unrelated trains, and
the band."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import poisson

from neurocode.errors import DataError
from neurocode.recordings import Trains
from neurocode.statistics.correlograms import autocorrelogram, cross_correlogram, lag_counts


def repeats(*trains, stop=1.0):
    return [(np.asarray(train, float), 0.0, stop) for train in trains]


def poisson_repeats(random, rate, count, stop):
    return repeats(
        *(np.sort(random.uniform(0, stop, random.poisson(rate * stop))) for _ in range(count)),
        stop=stop,
    )


def test_lags_of_small_trains_by_hand():
    """Spikes at 10 and 20 ms against those at 12, 18 and 40 ms: 2, 8, 30, -8, -2 and 20 ms."""
    lags, counts = lag_counts(
        [[0.010, 0.020]], [[0.012, 0.018, 0.040]], bin_size=2e-3, max_lag=8e-3
    )
    assert lags.tolist() == pytest.approx(np.arange(-4, 5) * 2e-3)
    assert counts.tolist() == [1, 0, 0, 1, 0, 1, 0, 0, 1]


@pytest.mark.parametrize("begin", [10.0, 4e3, 2e4, 1e5])
def test_lags_on_an_edge_are_in_one_bin_however_late(begin):
    """Lags of 0.5 ms lie on the edge of bins of 1 ms around 0 and 1 ms, and count in the latter."""
    first = np.round(begin + 0.0185 * np.arange(300), 4)
    counts = lag_counts([first], [np.round(first + 5e-4, 4)], bin_size=1e-3, max_lag=2e-3)[1]
    assert counts.tolist() == [0, 0, 0, 300, 0]


def test_lags_are_counted_inside_repeats():
    lags, counts = lag_counts([[0.1], [0.2]], [[0.1], [0.3]], bin_size=0.1, max_lag=0.2)
    assert counts.tolist() == [0, 0, 1, 1, 0] and len(lags) == 5


def test_an_autocorrelogram_is_symmetric_and_leaves_the_spike_itself_out():
    """Spikes at 0, 1, 3 and 3.2 ms in bins of 1 ms: lags 1, 3, 3.2, 2, 2.2 and 0.2 ms, each in both
    directions; the last falls into bin zero twice."""
    trains = Trains.of_arrays([repeats([0.0, 0.001, 0.003, 0.0032])], ["a"])
    pairs = autocorrelogram(trains, 0, bin_size=1e-3, max_lag=3e-3)
    assert pairs.counts.tolist() == [2, 2, 1, 2, 1, 2, 2]
    assert pairs.n_first == 4 and np.isnan(pairs.low).all()


def test_the_rate_that_an_autocorrelogram_expects_by_hand():
    """Three spikes in 1 s are six ordered pairs; at lag tau these share 1 - tau of the time, so
    that a bin of 0.1 s at 0.2 s holds 6 * 0.8 * 0.1."""
    trains = Trains.of_arrays([repeats([0.1, 0.5, 0.7])], ["a"])
    pairs = autocorrelogram(trains, 0, bin_size=0.1, max_lag=0.2)
    assert pairs.expected[4] == pytest.approx(6 * 0.8 * 0.1)
    assert pairs.expected[2] == pytest.approx(6 * 0.1)
    assert pairs.rate(pairs.expected)[2] == pytest.approx(6 * 0.1 / (3 * 0.1))


def test_shuffled_repeats_by_hand():
    """First unit at 0.1 s in both repeats; second at 0.2 and 0.3 s. Within repeats the lags are 0.1
    and 0.2 s, across repeats 0.2 and 0.1 s."""
    trains = Trains.of_arrays([repeats([0.1], [0.1]), repeats([0.2], [0.3])], ["a", "b"])
    pairs = cross_correlogram(trains, 0, 1, bin_size=0.1, max_lag=0.3)
    assert pairs.null == "shuffled repeats"
    assert pairs.counts.tolist() == pairs.expected.tolist() == [0, 0, 0, 0, 1, 1, 0]
    assert (pairs.n_first, pairs.n_second) == (2, 2)


def test_repeats_of_different_stimuli_are_not_shuffled():
    """Two repeats of each of two stimuli; lags across stimuli would be 0.4 s."""
    first = repeats([0.1], [0.1], [0.5], [0.5])
    second = repeats([0.1], [0.1], [0.5], [0.5])
    conditions = [[0, 0, 1, 1], [0, 0, 1, 1]]
    trains = Trains.of_arrays([first, second], ["a", "b"], conditions)
    pairs = cross_correlogram(trains, 0, 1, bin_size=0.1, max_lag=0.4)
    assert pairs.expected.tolist() == [0, 0, 0, 0, 4, 0, 0, 0, 0]


def test_the_band_is_that_of_poisson_counts():
    """With a hundred repeats the band is widened by the noise of the predictor, a factor of
    sqrt(100 / 99)."""
    random = np.random.default_rng(1)
    units = [poisson_repeats(random, 20.0, 100, 2.0) for _ in range(2)]
    trains = Trains.of_arrays(units, ["a", "b"])
    pairs = cross_correlogram(trains, 0, 1, bin_size=2e-3, max_lag=20e-3)
    mean, wider = pairs.expected, np.sqrt(100 / 99)
    assert pairs.low == pytest.approx(mean - wider * (mean - poisson.ppf(0.025, mean)))
    assert pairs.high == pytest.approx(mean + wider * (poisson.ppf(0.975, mean) - mean))


@pytest.mark.parametrize(("count", "null"), [(1, "smoothed"), (2, "shuffled repeats"), (20, "")])
def test_independent_trains_stay_inside_the_band(count, null):
    """Of 60 pairs with 101 bins each, 5 % of the bins lie outside, and less for whole counts: at
    most 5 % and four standard errors of 6060 bins."""
    random = np.random.default_rng(2)
    outside = 0
    for _ in range(60):
        units = [poisson_repeats(random, 30.0, count, 40.0 / count) for _ in range(2)]
        pairs = cross_correlogram(
            Trains.of_arrays(units, ["a", "b"]), 0, 1, bin_size=1e-3, max_lag=50e-3
        )
        outside += pairs.outside
        assert pairs.null == (null or "shuffled repeats")
    assert 0.01 < outside / (60 * 101) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 6060)


def test_a_synaptic_lag_leaves_the_band_with_and_without_repeats():
    """A third of the spikes of the first unit is followed 3 ms later by one of the second."""
    random = np.random.default_rng(3)
    for count in (1, 10):
        first, second = (poisson_repeats(random, 10.0, count, 100.0 / count) for _ in range(2))
        second = repeats(
            *(
                np.sort(np.concatenate([b, a[a < 100.0 / count - 0.01][::3] + 3e-3]))
                for (a, *_), (b, *_) in zip(first, second, strict=True)
            ),
            stop=100.0 / count,
        )
        trains = Trains.of_arrays([first, second], ["a", "b"])
        pairs = cross_correlogram(trains, 0, 1, bin_size=1e-3, max_lag=50e-3)
        best = int(np.argmax(pairs.counts - pairs.high))
        assert pairs.lags[best] == pytest.approx(3e-3) and pairs.counts[best] > 2 * pairs.high[best]


def test_a_common_stimulus_alone_stays_inside_the_band():
    """Two units locked to one stimulus: far above a constant rate, and not above other repeats."""
    random = np.random.default_rng(4)
    events = np.sort(random.uniform(0, 2.0, 8))
    units = [
        repeats(
            *(np.sort(np.clip(events + random.normal(0, 3e-3, 8), 0, 2.0)) for _ in range(30)),
            stop=2.0,
        )
        for _ in range(2)
    ]
    pairs = cross_correlogram(
        Trains.of_arrays(units, ["a", "b"]), 0, 1, bin_size=1e-3, max_lag=30e-3
    )
    constant = 30 * 8 * 8 / 2.0 * 1e-3
    assert pairs.counts[30] > 10 * constant and pairs.outside <= 0.15 * len(pairs.lags)


def test_trains_that_were_not_recorded_together_are_refused():
    trains = Trains.of_arrays([repeats([0.1], [0.2]), repeats([0.1])], ["a", "b"])
    with pytest.raises(DataError, match="have 2 and 1 trains, expected as many"):
        cross_correlogram(trains, 0, 1, bin_size=0.1, max_lag=0.2)
    trains = Trains.of_arrays([repeats([0.1]), repeats([0.1], stop=2.0)], ["a", "b"])
    with pytest.raises(DataError, match="differ in their limits or stimuli"):
        cross_correlogram(trains, 0, 1, bin_size=0.1, max_lag=0.2)
    with pytest.raises(DataError, match="2 and 1 repeats"):
        lag_counts([[0.1], [0.2]], [[0.1]], bin_size=0.1, max_lag=0.2)


def test_pairs_are_counted_in_parts_as_they_are_at_once(monkeypatch):
    random = np.random.default_rng(5)
    trains = [[np.sort(random.uniform(0, 5, 400))] for _ in range(2)]
    whole = lag_counts(*trains, bin_size=1e-3, max_lag=0.1)[1]
    monkeypatch.setattr("neurocode.statistics.correlograms.MOST_PAIRS", 50)
    assert lag_counts(*trains, bin_size=1e-3, max_lag=0.1)[1].tolist() == whole.tolist()
