"""A stimulus in frames: the mean of a signal that holds each sample until the next."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.recordings.stimulus_frames import frames_between


def held_mean(values, times, low, high, n=20_000):
    """Mean of the signal between two times, by brute force at the middles of many short steps."""
    middles = low + (np.arange(n) + 0.5) * (high - low) / n
    return values[np.searchsorted(times, middles, "right") - 1].mean()


@pytest.mark.parametrize(
    ("spacing", "dt", "bins_per_frame"),
    [
        (0.1, 0.05, 2),  # samples last two bins: frames are samples
        (1 / 30, 0.002, 4),  # 16.7 bins: a quarter of a sample
        (0.0029, 0.002, 1),
        (0.001, 0.005, 1),  # five samples per bin
        (0.1000001, 0.05, 2),  # drifts by less than half a bin
        (0.1006, 0.05, 1),  # would drift by more
    ],
)
def test_frames_are_means_of_the_held_signal(spacing, dt, bins_per_frame):
    times = 0.4 + spacing * np.arange(120)
    values = np.random.default_rng(3).normal(size=120)
    frames = frames_between(values, times, 0.4321, 0.4 + 100 * spacing, dt)
    assert frames.bins_per_frame == bins_per_frame
    seconds = dt * bins_per_frame
    for k in (0, 1, 11, len(frames.values) - 1):
        low = frames.start + k * seconds
        assert frames.values[k, 0] == pytest.approx(
            held_mean(values, times, low, low + seconds), abs=3e-3
        )
    assert frames.start + len(frames.values) * seconds <= 0.4 + 100 * spacing + 1e-9
    assert frames.start + (len(frames.values) + 1) * seconds > 0.4 + 100 * spacing


def test_frames_that_are_samples_begin_at_the_first_sample_of_the_window():
    times, values = 0.1 * np.arange(20), np.arange(20.0)
    for start, first in ((0.0, 0), (0.01, 1), (0.09, 1), (0.3, 3), (-5.0, 0)):
        frames = frames_between(values, times, start, 2.0, 0.01)
        assert frames.bins_per_frame == 10 and frames.start == pytest.approx(0.1 * first)
        np.testing.assert_allclose(frames.values[:, 0], values[first:], atol=1e-9)


def test_times_that_jitter_and_one_missing_sample_are_held():
    random = np.random.default_rng(4)
    times = np.delete(0.01 * np.arange(100) + random.uniform(0, 0.004, 100), 50)
    values = random.normal(size=99)
    frames = frames_between(values, times, 0.1, 0.9, 0.005)
    assert frames.start == 0.1 and frames.bins_per_frame == 1 and len(frames.values) == 160
    for k in (0, 79, 80, 81, 159):
        low = 0.1 + 0.005 * k
        expected = held_mean(values, times, low, low + 0.005)
        assert frames.values[k, 0] == pytest.approx(expected, abs=3e-3)


def test_gaps_and_unknown_values_count_only_inside_the_window():
    times = np.concatenate([0.01 * np.arange(100), 50 + 0.01 * np.arange(100)])
    values = np.arange(200.0)
    with pytest.raises(DataError, match=r"no sample from 0\.99 to 50 s.*0\.01 s apart"):
        frames_between(values, times, 0.0, 51.0, 0.01)
    assert len(frames_between(values, times, 50.0, 51.0, 0.01).values) == 100
    values[0] = values[150] = np.nan
    np.testing.assert_allclose(
        frames_between(values, times, 0.01, 0.5, 0.01).values[:, 0], np.arange(1, 50), atol=1e-9
    )
    with pytest.raises(DataError, match=r"1 of 100 samples.*the first at 50\.5 s"):
        frames_between(values, times, 50.0, 51.0, 0.01)


def test_long_recordings_of_large_values_keep_their_precision():
    times, values = 0.01 * np.arange(400_000), 1e6 + (np.arange(400_000) % 2)
    frames = frames_between(values, times, 0.0, 4000.0, 0.01)
    np.testing.assert_allclose(frames.values[:, 0], values, atol=1e-5)


def test_samples_outside_the_window_change_nothing():
    times = np.concatenate([0.1 * np.arange(100), 20 + 0.1 * np.arange(100)])
    values = np.arange(200.0)
    # the last sample before the gap lasts to the end of the window
    first = frames_between(values, times, 0.0, 10.0, 0.002)
    assert first.bins_per_frame == 50 and len(first.values) == 100
    second = frames_between(values, times, 20.0, 30.0, 0.002)
    assert second.bins_per_frame == 50
    np.testing.assert_allclose(second.values[:, 0], np.arange(100, 200), atol=1e-9)


@pytest.mark.parametrize(("start", "stop"), [(100.0, 110.0), (-20.0, -10.0), (5.0, 5.0)])
def test_a_window_without_the_stimulus_has_no_frames(start, stop):
    assert (
        len(frames_between(np.arange(100.0), 0.1 * np.arange(100), start, stop, 0.01).values) == 0
    )
