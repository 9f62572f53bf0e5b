"""Distances equal those of Elephant and PySpike, and have the properties of distances."""

from __future__ import annotations

import elephant.spike_train_dissimilarity as elephant_distances
import neo
import numpy as np
import pyspike
import pytest
import quantities as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocode.errors import DataError
from neurocode.statistics.spike_distances import (
    mean_distance,
    spike_distance,
    van_rossum_distance,
    victor_purpura_distance,
)

trains = st.lists(st.integers(1, 999), max_size=25, unique=True).map(
    lambda x: np.sort(np.array(x, float)) / 1000
)


@settings(max_examples=80, deadline=None)
@given(trains, trains)
def test_equal_to_elephant_and_pyspike(first, second):
    pair = [neo.SpikeTrain(t * pq.s, t_stop=1 * pq.s) for t in (first, second)]
    expected = elephant_distances.victor_purpura_distance(pair, cost_factor=100 * pq.Hz)[0, 1]
    assert victor_purpura_distance(first, second, 100.0) == pytest.approx(expected, abs=1e-9)
    expected = elephant_distances.van_rossum_distance(pair, time_constant=10 * pq.ms)[0, 1]
    assert van_rossum_distance(first, second, 10e-3) ** 2 == pytest.approx(expected**2, abs=1e-10)
    expected = pyspike.spike_distance(
        *(pyspike.SpikeTrain(t, [0.0, 1.0]) for t in (first, second)), MRTS=0.0
    )
    assert spike_distance(first, second, 0.0, 1.0) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(trains, trains, trains)
def test_metrics_are_metrics(a, b, c):
    for distance in (victor_purpura_distance, van_rossum_distance):
        assert distance(a, a) == pytest.approx(0, abs=1e-6) and distance(a, b) == pytest.approx(
            distance(b, a)
        )
        assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-6
    assert (
        spike_distance(a, b, 0, 1) == pytest.approx(spike_distance(b, a, 0, 1))
        and spike_distance(a, a, 0, 1) == 0
    )


def test_means_over_pairs():
    group = [np.array([0.1]), np.array([0.1]), np.array([])]
    assert mean_distance(group, None, van_rossum_distance) == pytest.approx(2 / 3)
    assert np.isnan(mean_distance(group[:1], None, van_rossum_distance))


def test_bad_trains_are_named():
    with pytest.raises(DataError, match="finite and increasing"):
        victor_purpura_distance(np.array([0.2, 0.1]), np.array([]))
    with pytest.raises(DataError, match="must lie inside"):
        spike_distance(np.array([2.0]), np.array([0.5]), 0.0, 1.0)


def test_distances_by_hand():
    """Shifts of 5 and 30 ms at 100 per second: 0.5 for the first, and 2 (removed and added) for the
    second; a spike left over 1."""
    first, second = [0.100, 0.300], [0.105, 0.330, 0.500]
    assert victor_purpura_distance(first, second) == pytest.approx(0.5 + 2 + 1)
    assert victor_purpura_distance(first, second, 10.0) == pytest.approx(0.05 + 0.3 + 1)
    assert (
        victor_purpura_distance(first, second, 0.0) == 1
        and victor_purpura_distance(second, [], 5.0) == 3
    )
    assert van_rossum_distance([0.1], [0.105], 10e-3) == pytest.approx(
        np.sqrt(2 - 2 * np.exp(-0.5))
    )
    assert van_rossum_distance([0.1, 0.11], [], 10e-3) == pytest.approx(np.sqrt(2 + 2 * np.exp(-1)))
    assert van_rossum_distance([0.1, 0.11, 0.13], [0.12]) ** 2 == pytest.approx(
        3 + 2 * (np.exp(-1) + np.exp(-2) + np.exp(-3)) + 1 - 2 * (np.exp(-2) + 2 * np.exp(-1))
    )


def test_spike_distance_by_hand():
    """One spike each at 0.25 and 0.75 of a second: the difference of either is 0.25 at both edges
    and 0.5 at its own spike.

    With intervals x = (0.25, 0.75) before and after the first and (0.75, 0.25) of the second,
    worked out edge by edge.
    """
    value = spike_distance([0.25], [0.75], 0.0, 1.0)
    assert value == pytest.approx(pyspike_profile_mean([0.25], [0.75]))
    assert spike_distance([], [], 0.0, 1.0) == 0.0
    assert spike_distance([0.0, 1.0], [], 0.0, 1.0) == 0.0
    shifted = spike_distance([10.25], [10.75], 10.0, 11.0)
    assert shifted == pytest.approx(value) and spike_distance(
        [25.0], [75.0], 0.0, 100.0
    ) == pytest.approx(value)


def pyspike_profile_mean(first, second):
    return pyspike.spike_distance(
        *(pyspike.SpikeTrain(np.array(t), [0.0, 1.0]) for t in (first, second)), MRTS=0.0
    )


def test_edges_of_the_spike_distance():
    assert spike_distance([0.0, 0.1 + 0.2], [0.1], 0.0, 0.3) == pytest.approx(
        spike_distance([0.0, 0.3], [0.1], 0.0, 0.3)
    )
    for train, t_start, t_stop in (
        ([-0.1], 0.0, 1.0),
        ([1.1], 0.0, 1.0),
        ([0.5], 1.0, 0.0),
        ([], 0.0, 0.0),
    ):
        with pytest.raises(DataError, match="must lie inside"):
            spike_distance([], train, t_start, t_stop)


def test_mean_distances_by_hand():
    group, other = [[0.1], [0.1], []], [[0.1, 0.2], []]
    count = lambda a, b: float(abs(len(a) - len(b)))  # noqa: E731
    assert mean_distance(group, None, count) == pytest.approx(2 / 3)
    assert mean_distance(group, other, count) == pytest.approx((1 + 1 + 1 + 1 + 2 + 0) / 6)
    assert np.isnan(mean_distance(group, [], count)) and np.isnan(mean_distance([], None, count))
