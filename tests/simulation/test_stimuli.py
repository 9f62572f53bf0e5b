"""Currents by hand: every sample, the sampling rate and the unit."""

from __future__ import annotations

import numpy as np
import pytest
import quantities as pq

from neurocode.errors import DataError
from neurocode.simulation import stimuli


def test_frozen_noise_is_the_exact_recursion_of_its_draws():
    """x[0] = z[0] and x[k] = d x[k-1] + sqrt(1 - d^2) z[k] with d = exp(-dt/tau): stationary from
    the first sample."""
    noise = stimuli.frozen_noise(
        "4 ms", 1e-3, mean=100.0, standard_deviation=50.0, time_constant=2e-3, seed=3
    )
    z = np.random.default_rng(3).standard_normal(4)
    d = np.exp(-0.5)
    expected = [z[0]]
    for draw in z[1:]:
        expected.append(d * expected[-1] + np.sqrt(1 - d**2) * draw)
    np.testing.assert_allclose(noise.magnitude[:, 0], 100 + 50 * np.array(expected), rtol=1e-12)
    assert noise.units == pq.pA and float(noise.sampling_rate.rescale("Hz")) == pytest.approx(
        1000.0
    )


def test_frozen_noise_has_a_time_constant_of_three_milliseconds_unless_told():
    assert np.array_equal(
        stimuli.frozen_noise(0.01, 1e-3, mean=0, standard_deviation=1, seed=1),
        stimuli.frozen_noise(
            0.01, 1e-3, mean=0, standard_deviation=1, time_constant="3 ms", seed=1
        ),
    )
    assert not np.array_equal(
        stimuli.frozen_noise(0.01, 1e-3, mean=0, standard_deviation=1, seed=1),
        stimuli.frozen_noise(0.01, 1e-3, mean=0, standard_deviation=1, seed=2),
    )


def test_steps_and_ramps():
    steps = stimuli.steps([1.0, -2.0], 3e-3, 1e-3, unit="nA")
    np.testing.assert_array_equal(steps.magnitude[:, 0], [1, 1, 1, -2, -2, -2])
    assert steps.units == pq.nA
    ramp = stimuli.ramp(1.0, 3.0, 5e-3, 1e-3)
    np.testing.assert_allclose(ramp.magnitude[:, 0], [1, 1.5, 2, 2.5, 3])
    assert ramp.units == pq.pA


@pytest.mark.parametrize(
    ("duration", "dt", "says"),
    [(0, 1e-3, "positive"), (1e-4, 1e-3, "shorter"), (1e7, 1e-4, "GiB"), (1, "1 mV", "step")],
)
def test_times_that_make_no_grid_are_refused(duration, dt, says):
    with pytest.raises(DataError, match=says):
        stimuli.steps([1.0], duration, dt)


def test_a_spread_below_zero_is_refused():
    with pytest.raises(
        DataError, match="standard deviation of the noise is -1 pA, expected zero or more"
    ):
        stimuli.frozen_noise(1.0, 1e-3, mean=0.0, standard_deviation=-1.0, seed=1)
    assert (
        np.ptp(stimuli.frozen_noise(1.0, 1e-3, mean=2.0, standard_deviation=0.0, seed=1).magnitude)
        == 0
    )
