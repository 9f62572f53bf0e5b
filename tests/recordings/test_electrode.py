"""Electrode compensation: a known electrode in front of a known membrane."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve, lfilter

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings.electrode import electrode_kernel

DT, RESISTANCE, TAU_E, R_M, TAU_M = 1e-4, 30e6, 0.2e-3, 300e6, 20e-3


def recording(seconds, seed, noise=0.0):
    """Current, voltage at the amplifier and membrane potential (SI) of a passive cell behind an electrode."""
    random = np.random.default_rng(seed)
    current = 10e-12 * random.standard_normal(round(seconds / DT))
    decay_m, decay_e = np.exp(-DT / TAU_M), np.exp(-DT / TAU_E)
    membrane = -70e-3 + R_M * lfilter([1 - decay_m], [1, -decay_m], current)
    electrode = RESISTANCE * lfilter([1 - decay_e], [1, -decay_e], current)
    return current, membrane + electrode + noise * random.standard_normal(len(current)), membrane


def test_resistance_and_membrane_potential_are_recovered():
    current, measured, _ = recording(10.0, 1, noise=0.2e-3)
    kernel = electrode_kernel(measured, current, DT)
    assert kernel.resistance == pytest.approx(RESISTANCE, rel=0.1)
    current, measured, membrane = recording(5.0, 2)
    before, after = np.std(measured - membrane), np.std(kernel.compensate(measured, current) - membrane)
    assert after < 0.15 * before


def test_compensation_of_a_train_equals_the_convolution():
    current, measured, _ = recording(2.0, 3)
    kernel = electrode_kernel(measured, current, DT)
    expected = measured - fftconvolve(current, kernel.kernel)[: len(current)]
    np.testing.assert_allclose(kernel.compensate(measured, current), expected)


def test_files_are_compensated_and_faults_name_the_file(recorded_data):
    folder = recorded_data / "raphe"
    files = {part: folder / f"DRN164_5ht_{part}.abf" for part in ("aec", "training")}
    plain = nc.Experiment.from_files(files["training"])
    compensated = nc.Experiment.from_files(files["training"], electrode=files["aec"])
    np.testing.assert_array_equal(plain.repeats[0].spike_times, compensated.repeats[0].spike_times)
    assert np.std(np.diff(compensated.repeats[0].voltage)) < np.std(np.diff(plain.repeats[0].voltage))
    with pytest.raises(DataError, match=r"training.abf: the electrode recording holds \d+ spikes"):
        nc.Experiment.from_files(files["training"], electrode=files["training"])


@pytest.mark.parametrize(
    ("voltage", "current", "says"),
    [
        (np.zeros(100), np.ones(100), "at least 1 s"),
        (np.zeros(20_000), np.ones(20_000), "is constant"),
        (np.zeros(20_000), np.random.default_rng(0).standard_normal(20_000), "no exponential response"),
    ],
)
def test_recordings_without_a_response_are_named(voltage, current, says):
    with pytest.raises(DataError, match=says):
        electrode_kernel(voltage, current, DT)
