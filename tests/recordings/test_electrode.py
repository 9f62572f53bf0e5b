"""Electrode compensation for a known electrode in series with a known membrane."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq
from scipy.signal import fftconvolve, lfilter

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings.electrode import ElectrodeKernel, electrode_kernel

DT, RESISTANCE, TAU_E, R_M, TAU_M = 1e-4, 30e6, 0.2e-3, 300e6, 20e-3


def recording(seconds, seed, noise=0.0):
    """Current, voltage at the amplifier and membrane potential (SI) of a passive cell behind an
    electrode."""
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
    before, after = (
        np.std(measured - membrane),
        np.std(kernel.compensate(measured, current) - membrane),
    )
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
    assert np.std(np.diff(compensated.repeats[0].voltage)) < np.std(
        np.diff(plain.repeats[0].voltage)
    )
    with pytest.raises(DataError, match=r"training.abf: the electrode recording holds \d+ spikes"):
        nc.Experiment.from_files(files["training"], electrode=files["training"])


@pytest.mark.parametrize(
    ("voltage", "current", "says"),
    [
        (np.zeros(100), np.ones(100), "at least 1 s"),
        (np.zeros(20_000), np.ones(20_000), "is constant"),
        (
            np.zeros(20_000),
            np.random.default_rng(0).standard_normal(20_000),
            "no exponential response",
        ),
    ],
)
def test_recordings_without_a_response_are_named(voltage, current, says):
    with pytest.raises(DataError, match=says):
        electrode_kernel(voltage, current, DT)


def test_the_kernel_of_a_known_response_is_its_first_three_milliseconds():
    """30 samples of an exponential of 0.5 ms remain when the membrane's exponential of 20 ms is
    taken off."""
    time = np.arange(800) * DT
    electrode, membrane = 2e7 * np.exp(-time / 0.5e-3), 1e6 * np.exp(-time / 20e-3)
    current = 1e-11 * np.random.default_rng(1).standard_normal(40_000)
    voltage = -70e-3 + fftconvolve(current, electrode + membrane)[: len(current)]
    estimate = electrode_kernel(voltage, current + 3e-12, DT)
    assert len(estimate.kernel) == 30 and estimate.dt == DT
    np.testing.assert_allclose(estimate.kernel, electrode[:30], atol=0.02 * electrode[0])
    assert estimate.resistance == pytest.approx(electrode[:30].sum(), rel=0.01)


def test_a_recording_of_one_second_is_long_enough():
    current, measured, _ = recording(1.0, 1)
    assert electrode_kernel(measured, current, DT).resistance == pytest.approx(RESISTANCE, rel=0.15)
    with pytest.raises(DataError, match=r"lasts 0\.9999 s, at least 1 s is needed"):
        electrode_kernel(measured[:-1], current[:-1], DT)


def test_a_file_sampled_otherwise_is_refused(tmp_path):
    """The kernel is valid only for the sampling at which it was estimated."""
    kernel = ElectrodeKernel(np.array([2e7, 1e7]), DT)
    times = np.arange(200)
    paths = {}
    for rate in (10_000.0, 5_000.0):
        block, segment = neo.Block(), neo.Segment()
        for values, unit in (
            (np.where(times == 100, 20.0, -70.0), "mV"),
            (np.where(times == 50, 10.0, 0.0), "pA"),
        ):
            segment.analogsignals.append(
                neo.AnalogSignal(values, units=unit, sampling_rate=rate * pq.Hz)
            )
        block.segments.append(segment)
        paths[rate] = nc.write(block, tmp_path / f"{rate:g}.nix")
    (repeat,) = nc.Experiment.from_files(paths[10_000.0], electrode=kernel).repeats
    expected = (
        np.where(times == 100, 20e-3, -70e-3)
        - np.where(times == 50, 2e-4, 0.0)
        - np.where(times == 51, 1e-4, 0.0)
    )
    np.testing.assert_allclose(repeat.voltage, expected, atol=1e-12)
    np.testing.assert_allclose(repeat.spike_times, [0.01])
    with pytest.raises(
        DataError,
        match=r"5000\.nix: The electrode recording is sampled every 0\.0001 s, the "
        r"recording every 0\.0002 s",
    ):
        nc.Experiment.from_files(paths[5_000.0], electrode=kernel)
    with pytest.raises(
        DataError, match=r"10000\.nix: the electrode recording holds 1 spikes, expected none"
    ):
        nc.Experiment.from_files(paths[10_000.0], electrode=paths[10_000.0])
