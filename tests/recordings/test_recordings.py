"""Recordings: counts of the published files, and one sentence for each that cannot be used."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import datasets, detect_spikes
from neurocode.recordings.write import write_spikes

#: Training spikes, fewest and most spikes of a test repeat. DRN156 crosses 0 mV 465 times; five of the
#: crossings follow another within 3 ms.
RAPHE = {
    "DRN156_5ht": (460, 64, 75), "DRN158_gaba": (309, 39, 46), "DRN159_5ht": (511, 64, 78),
    "DRN162_5ht": (294, 42, 46), "DRN164_5ht": (527, 69, 73),
}  # fmt: skip


@pytest.mark.parametrize("cell", RAPHE)
def test_spike_counts_of_the_raphe_cells(recorded_data, cell):
    folder = recorded_data / "raphe"
    experiment = nc.Experiment.from_files(folder / f"{cell}_training.abf", folder / f"{cell}_test.abf", current_offset="5 pA")
    training, low, high = RAPHE[cell]
    counts = [len(repeat.spike_times) for repeat in experiment.test.repeats]
    assert experiment.n_spikes == training
    assert (min(counts), max(counts), len(counts)) == (low, high, 10)
    assert experiment.dt == pytest.approx(1e-4) and len(experiment.test.frozen_current) == 100_000
    if cell == "DRN156_5ht":
        assert nc.Experiment.from_files(folder / f"{cell}_training.abf", dead_time=0.0).n_spikes == 465
    raw = nc.Experiment.from_files(folder / f"{cell}_training.abf")
    np.testing.assert_allclose(raw.repeats[0].current - experiment.repeats[0].current, 5e-12, atol=1e-18)


def test_a_file_without_a_current_channel_is_named(recorded_data):
    with pytest.raises(DataError, match=r"no current channel .* channels found: .* in mV"):
        nc.Experiment.from_files(recorded_data / "abf" / "17o05028_ic_steps.abf")


def test_a_truncated_file_is_named(recorded_data, tmp_path):
    data = (recorded_data / "raphe" / "DRN164_5ht_aec.abf").read_bytes()
    for size in (100, 3000, len(data) // 2):
        path = tmp_path / "cut.abf"
        path.write_bytes(data[:size])
        with pytest.raises(DataError, match=r"cut\.abf: the file is damaged"):
            nc.Experiment.from_files(path)


def test_absent_empty_and_unknown_files_are_named(tmp_path):
    (tmp_path / "empty.abf").touch()
    (tmp_path / "notes.md").write_text("no recording")
    for name, says in (("absent.abf", "no such file"), ("empty.abf", "empty"), ("notes.md", "no reader")):
        with pytest.raises(DataError, match=says):
            nc.read(tmp_path / name)


def voltage_of(values):
    return neo.AnalogSignal(np.asarray(values, float), units="mV", sampling_rate=10 * pq.kHz)


def test_spikes_are_upward_crossings_with_a_dead_time():
    values = np.full(200, -60.0)
    values[[50, 52, 70, 120]] = 20.0
    np.testing.assert_allclose(detect_spikes(voltage_of(values)).magnitude, [0.005, 0.012])
    np.testing.assert_allclose(detect_spikes(voltage_of(values), dead_time=0.0).magnitude, [0.005, 0.0052, 0.007, 0.012])
    assert len(detect_spikes(voltage_of(np.full(10, 20.0)))) == 0


def test_bad_voltages_are_named():
    with pytest.raises(DataError, match="not finite"):
        detect_spikes(voltage_of([0.0, np.nan]))
    with pytest.raises(DataError, match="2 channels"):
        detect_spikes(voltage_of(np.zeros((5, 2))))


def test_predicted_spikes_survive_an_nwb_file(tmp_path):
    from pynwb import NWBHDF5IO

    trains = [np.array([0.1, 0.25]), np.empty(0), np.array([0.3])]
    path = write_spikes(tmp_path / "x.nwb", trains, 1.0, "test")
    with NWBHDF5IO(str(path), "r") as io:
        units = io.read().units
        for number, train in enumerate(trains):
            np.testing.assert_array_equal(units["spike_times"][number], train)


def test_local_data_come_first_and_are_checked(recorded_data, monkeypatch, tmp_path):
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, str(recorded_data))
    assert datasets.fetch("raphe", "DRN164_5ht_aec.abf").parent == recorded_data / "raphe"
    (tmp_path / "raphe").mkdir()
    (tmp_path / "raphe" / "DRN164_5ht_aec.abf").write_bytes(b"other")
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match="checksum"):
        datasets.fetch("raphe", "DRN164_5ht_aec.abf")
    with pytest.raises(DataError, match="no data set 'moon'"):
        datasets.fetch("moon", "x")
