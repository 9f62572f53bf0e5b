"""Recordings of populations: what they hold, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError

SPIKES = np.array([[0, 1, 0, 1, 0, 0], [1, 0, 0, 0, 0, 1]])
FRAMES = np.arange(6.0).reshape(3, 2)


def experiment(**changes) -> nc.PopulationExperiment:
    return nc.PopulationExperiment(
        **{"spikes": SPIKES, "stimulus": FRAMES, "dt": 0.01, "bins_per_frame": 2, **changes}
    )


def test_rates_are_spikes_over_seconds() -> None:
    data = experiment(spikes=[SPIKES, SPIKES[:, :4]], stimulus=[FRAMES, FRAMES[:2]])
    assert data.duration == pytest.approx(0.1)
    np.testing.assert_allclose(data.rates, [40.0, 30.0])
    assert data.presentations.tolist() == [-1.0, 1.0]


def test_repeats_and_test_are_held_apart() -> None:
    repeats = np.stack([SPIKES, SPIKES], axis=2)
    data = experiment(
        repeats=repeats, test=repeats, test_stimulus=FRAMES, test_presentations=[5, 9]
    )
    assert data.repeats.n_repeats == 2 and data.repeats.stimulus is None
    np.testing.assert_array_equal(data.test.stimulus, FRAMES)
    assert data.test.presentations.tolist() == [-1.0, 1.0]


def test_a_second_spike_in_a_bin_is_counted_and_left_out() -> None:
    spikes = np.tile(SPIKES, 20)
    spikes[0, 1] = 2
    data = nc.PopulationExperiment(spikes, dt=0.01)
    assert data.shared_bins == 1
    assert data.pieces[0].max() == 1
    with pytest.raises(DataError, match="use shorter bins"):
        nc.PopulationExperiment(SPIKES * 3, dt=0.01)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"dt": 0.0}, "positive number of seconds"),
        ({"bins_per_frame": 0}, "at least one, not 0"),
        ({"bins_per_frame": 3}, "3 frames of 3 bins, expected frames for 6 bins"),
        ({"spikes": SPIKES + 0.5}, "whole numbers"),
        ({"spikes": -SPIKES}, "whole numbers"),
        ({"spikes": [SPIKES, SPIKES[:1]]}, "same cells"),
        ({"spikes": SPIKES * [[1], [0]]}, "cell 1 has no spike"),
        ({"stimulus": FRAMES * np.nan}, "not finite"),
        ({"stimulus": [FRAMES, FRAMES]}, "2 stimuli for 1 pieces"),
        ({"names": ["a"]}, "1 names for 2 cells"),
        ({"names": ["a", "a"]}, "Two cells are called 'a'"),
        ({"repeats": SPIKES}, "cells, bins, repeats"),
        ({"repeats": np.ones((3, 6, 2))}, "3 cells, expected 2"),
        ({"test": np.ones((2, 6, 2)), "test_stimulus": FRAMES[:, :1]}, "1 features"),
        ({"presentations": [1, 2]}, "1 finite numbers"),
    ],
)
def test_what_does_not_fit_together_is_named(changes, message) -> None:
    with pytest.raises(DataError, match=message):
        experiment(**changes)


def test_presentations_share_the_clock_of_the_session() -> None:
    repeats = np.stack([SPIKES] * 4, axis=2)
    data = experiment(
        spikes=[SPIKES] * 3,
        stimulus=[FRAMES] * 3,
        repeats=repeats,
        test=repeats,
        presentations=[1, 2, 4],
        test_presentations=[0, 3, 5, 8],
    )
    assert data.presentations.tolist() == [-0.75, -0.5, 0.0]
    assert data.test.presentations.tolist() == [-1.0, -0.25, 0.25, 1.0]
    # repeats without stated presentations are spread over the session
    assert data.repeats.presentations == pytest.approx([-1, -1 / 3, 1 / 3, 1])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(-1, 1, 6), True),
        (np.linspace(-1, 0, 6), True),
        (np.linspace(1, -1, 6), False),
        (np.linspace(-2, 2, 6), False),
        ([-1, -0.6, -0.2, 0.3, 0.6, 1], False),
        (np.zeros(6), False),
    ],
)
def test_a_stimulus_is_time_if_it_grows_evenly_within_one(values, expected) -> None:
    assert experiment(stimulus=np.c_[values], bins_per_frame=1).is_driven_by_time == expected
    assert not experiment().is_driven_by_time
    assert not nc.PopulationExperiment(SPIKES, dt=0.01).is_driven_by_time


def test_names_of_any_kind_are_texts() -> None:
    assert experiment(names=[np.int64(1), 2.5]).names == ("1", "2.5")
