"""Distances equal those of Elephant and PySpike, and are distances."""

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
from neurocode.statistics.spike_distances import mean_distance, spike_distance, van_rossum_distance, victor_purpura_distance

trains = st.lists(st.integers(1, 999), max_size=25, unique=True).map(lambda x: np.sort(np.array(x, float)) / 1000)


@settings(max_examples=80, deadline=None)
@given(trains, trains)
def test_equal_to_elephant_and_pyspike(first, second):
    pair = [neo.SpikeTrain(t * pq.s, t_stop=1 * pq.s) for t in (first, second)]
    theirs = elephant_distances.victor_purpura_distance(pair, cost_factor=100 * pq.Hz)[0, 1]
    assert victor_purpura_distance(first, second, 100.0) == pytest.approx(theirs, abs=1e-9)
    theirs = elephant_distances.van_rossum_distance(pair, time_constant=10 * pq.ms)[0, 1]
    assert van_rossum_distance(first, second, 10e-3) ** 2 == pytest.approx(theirs**2, abs=1e-10)
    theirs = pyspike.spike_distance(*(pyspike.SpikeTrain(t, [0.0, 1.0]) for t in (first, second)), MRTS=0.0)
    assert spike_distance(first, second, 0.0, 1.0) == pytest.approx(theirs, abs=1e-9)


@settings(max_examples=80, deadline=None)
@given(trains, trains, trains)
def test_metrics_are_metrics(a, b, c):
    for distance in (victor_purpura_distance, van_rossum_distance):
        assert distance(a, a) == pytest.approx(0, abs=1e-6) and distance(a, b) == pytest.approx(distance(b, a))
        assert distance(a, c) <= distance(a, b) + distance(b, c) + 1e-6
    assert spike_distance(a, b, 0, 1) == pytest.approx(spike_distance(b, a, 0, 1)) and spike_distance(a, a, 0, 1) == 0


def test_means_over_pairs():
    group = [np.array([0.1]), np.array([0.1]), np.array([])]
    assert mean_distance(group, None, van_rossum_distance) == pytest.approx(2 / 3)
    assert np.isnan(mean_distance(group[:1], None, van_rossum_distance))


def test_bad_trains_are_named():
    with pytest.raises(DataError, match="finite and increasing"):
        victor_purpura_distance(np.array([0.2, 0.1]), np.array([]))
    with pytest.raises(DataError, match="must lie inside"):
        spike_distance(np.array([2.0]), np.array([0.5]), 0.0, 1.0)
