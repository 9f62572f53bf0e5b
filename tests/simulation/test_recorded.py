"""A simulated recording has the spikes, currents and voltages of its model, with separate training
and test."""

from __future__ import annotations

import pytest

import neurocode as nc
from neurocode.errors import DataError


def test_a_simulated_recording_is_what_the_model_does_under_its_currents():
    model, noise = (
        nc.models.lif(),
        {"mean": 300.0, "standard_deviation": 100.0, "time_constant": 5e-3},
    )
    options = {"training": 0.6, "test": "300 ms", "repeats": 2, "dt": 5e-4}
    experiment = nc.simulation.simulated_experiment(model, current=noise, **options, seed=4)

    def made(duration, trials, seed, **others):
        current = nc.simulation.stimuli.frozen_noise(duration, 5e-4, seed=seed, **noise)
        segments = nc.simulate(
            model, current, trials=trials, seed=seed, record=("v",), engine="jax"
        ).segments
        return nc.Experiment(
            [s.spiketrains[0] for s in segments],
            current,
            [s.analogsignals[0] for s in segments],
            **others,
        )

    assert experiment == made(0.6, 1, 4, test=made(0.3, 2, 5), name="simulated recording")
    assert experiment != made(0.6, 1, 4, test=made(0.3, 2, 6), name="simulated recording")
    assert experiment.n_spikes > 3


def test_a_recording_without_time_is_refused():
    with pytest.raises(DataError, match="0"):
        nc.simulation.simulated_experiment(
            nc.models.lif(), current={"mean": 1.0, "standard_deviation": 1.0}, training=0.0, seed=0
        )
