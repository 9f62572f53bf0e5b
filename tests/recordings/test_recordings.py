"""Recordings: counts of the published files, and a one-sentence error for each file that cannot be
used."""

from __future__ import annotations

import neo
import numpy as np
import pytest
import quantities as pq

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import datasets, detect_spikes
from neurocode.recordings.files import block_of_trains

#: Training spikes, fewest and most spikes of a test repeat. DRN156 crosses 0 mV 465 times; five of
#: the crossings follow another within 3 ms.
RAPHE = {
    "DRN156_5ht": (460, 64, 75),
    "DRN158_gaba": (309, 39, 46),
    "DRN159_5ht": (511, 64, 78),
    "DRN162_5ht": (294, 42, 46),
    "DRN164_5ht": (527, 69, 73),
}


@pytest.mark.parametrize("cell", RAPHE)
def test_spike_counts_of_the_raphe_cells(recorded_data, cell):
    folder = recorded_data / "raphe"
    experiment = nc.Experiment.from_files(
        folder / f"{cell}_training.abf", folder / f"{cell}_test.abf", current_offset="5 pA"
    )
    training, low, high = RAPHE[cell]
    counts = [len(repeat.spike_times) for repeat in experiment.test.repeats]
    assert experiment.n_spikes == training
    assert (min(counts), max(counts), len(counts)) == (low, high, 10)
    assert experiment.dt == pytest.approx(1e-4) and len(experiment.test.frozen_current) == 100_000
    if cell == "DRN156_5ht":
        assert (
            nc.Experiment.from_files(folder / f"{cell}_training.abf", dead_time=0.0).n_spikes == 465
        )
    raw = nc.Experiment.from_files(folder / f"{cell}_training.abf")
    np.testing.assert_allclose(
        raw.repeats[0].current - experiment.repeats[0].current, 5e-12, atol=1e-18
    )


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
    for name, says in (
        ("absent.abf", "no such file"),
        ("empty.abf", "empty"),
        ("notes.md", "no reader"),
    ):
        with pytest.raises(DataError, match=says):
            nc.read(tmp_path / name)


def voltage_of(values):
    return neo.AnalogSignal(np.asarray(values, float), units="mV", sampling_rate=10 * pq.kHz)


def test_spikes_are_upward_crossings_with_a_dead_time():
    values = np.full(200, -60.0)
    values[[50, 52, 70, 120]] = 20.0
    np.testing.assert_allclose(detect_spikes(voltage_of(values)).magnitude, [0.005, 0.012])
    np.testing.assert_allclose(
        detect_spikes(voltage_of(values), dead_time=0.0).magnitude, [0.005, 0.0052, 0.007, 0.012]
    )
    assert len(detect_spikes(voltage_of(np.full(10, 20.0)))) == 0


def test_bad_voltages_are_named():
    with pytest.raises(DataError, match="not finite"):
        detect_spikes(voltage_of([0.0, np.nan]))
    with pytest.raises(DataError, match="2 channels"):
        detect_spikes(voltage_of(np.zeros((5, 2))))


@pytest.mark.parametrize("suffix", [".nwb", ".nix"])
def test_blocks_survive_a_file(tmp_path, suffix):
    trains = [np.array([0.1, 0.25]), np.empty(0), np.array([0.3])]
    block = block_of_trains(trains, 1.0, "test")
    signal = neo.AnalogSignal(np.arange(4.0), units="mV", sampling_rate=2 * pq.kHz, name="v")
    block.segments[1].analogsignals.append(signal)
    back = nc.read(nc.write(block, tmp_path / f"x{suffix}"))
    assert len(back.segments) == 3
    for segment, train in zip(back.segments, trains, strict=True):
        np.testing.assert_array_equal(segment.spiketrains[0].rescale("s").magnitude, train)
        assert float(segment.spiketrains[0].t_stop.rescale("s")) == 1.0
    returned = back.segments[1].analogsignals[0]
    np.testing.assert_allclose(returned.rescale("mV").magnitude[:, 0], np.arange(4.0))
    assert float(returned.sampling_rate.rescale("Hz")) == 2000 and returned.name == "v"
    with pytest.raises(DataError, match="can write"):
        nc.write(block, tmp_path / "x.abf")


@pytest.mark.parametrize(
    ("file", "count"),
    [
        ("171116sh_0018", 117),
        ("17o05028_ic_steps", 375),
        ("2019_07_24_0055_fsi", 948),
        ("17o05027_ic_ramp", 15),
    ],
)
def test_spike_counts_of_the_abf_files(recorded_data, file, count):
    block = nc.read(recorded_data / "abf" / f"{file}.abf")
    assert sum(len(detect_spikes(segment.analogsignals[0])) for segment in block.segments) == count


def test_the_nwb_file_that_neo_cannot_open_is_read(recorded_data):
    block = nc.read(recorded_data / "nwb" / "A8604-211122.nwb")
    assert [len(train) for train in block.segments[0].spiketrains] == [11020, 4690, 5644]


def test_ibw_files_carry_their_units(recorded_data):
    current, voltage = (
        nc.read(recorded_data / "ibw" / f"B6_Ch{n}_IDRest_181.ibw").segments[0].analogsignals[0]
        for n in (0, 3)
    )
    assert current.units == pq.pA and voltage.units == pq.mV
    assert float(voltage.sampling_rate.rescale("Hz")) == pytest.approx(4000)


def test_plain_spike_times(tmp_path):
    np.save(tmp_path / "a.npy", np.array([1.0, 2.5]))
    (tmp_path / "b.csv").write_text("time\n1000\n2500\n")
    trains = [
        nc.read(tmp_path / name, time_unit=unit).segments[0].spiketrains[0].rescale("s")
        for name, unit in (("a.npy", "s"), ("b.csv", "ms"))
    ]
    for train in trains:
        np.testing.assert_allclose(train.magnitude, [1.0, 2.5])
    for name, values in (
        ("unsorted", [2.0, 1.0]),
        ("negative", [-1.0, 1.0]),
        ("nan", [1.0, np.nan]),
        ("columns", [[1.0, 2.0], [3.0, 4.0]]),
    ):
        np.save(tmp_path / f"{name}.npy", np.array(values))
        with pytest.raises(DataError, match=name):
            nc.read(tmp_path / f"{name}.npy")
    with pytest.raises(DataError, match="not a unit"):
        nc.read(tmp_path / "a.npy", time_unit="h")


def test_local_data_come_first_and_are_checked(recorded_data, monkeypatch, tmp_path):
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, str(recorded_data))
    here = datasets.fetch("raphe", "DRN164_5ht_aec.abf")
    assert here.parent == recorded_data / "raphe"
    copy = datasets.fetch("raphe", "DRN164_5ht_aec.abf", folder=tmp_path / "data")
    assert (
        copy == tmp_path / "data" / "DRN164_5ht_aec.abf" and copy.read_bytes() == here.read_bytes()
    )
    (tmp_path / "raphe").mkdir()
    (tmp_path / "raphe" / "DRN164_5ht_aec.abf").write_bytes(b"other")
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(DataError, match="checksum"):
        datasets.fetch("raphe", "DRN164_5ht_aec.abf")
    with pytest.raises(DataError, match="no data set 'moon'"):
        datasets.fetch("moon", "x")


@pytest.mark.parametrize("suffix", [".nwb", ".nix"])
def test_a_file_gives_back_extents_names_and_units(tmp_path, suffix):
    block, segment = neo.Block(name="session"), neo.Segment()
    segment.spiketrains.append(
        neo.SpikeTrain([600.0], units="ms", t_start=500.0, t_stop=900.0, name="x")
    )
    segment.spiketrains.append(neo.SpikeTrain([0.7], units="s", t_start=0.5, t_stop=0.9))
    segment.analogsignals.append(
        neo.AnalogSignal([[1.0], [2.0]], units="pA", sampling_rate=2 * pq.kHz, t_start=0.25 * pq.s)
    )
    block.segments.extend([segment, neo.Segment()])
    back = nc.read(nc.write(block, tmp_path / f"x{suffix}"))
    first, second = back.segments[0].spiketrains
    for train, time in ((first, 0.6), (second, 0.7)):
        np.testing.assert_allclose(train.rescale("s").magnitude, [time])
        assert (
            float(train.t_start.rescale("s")),
            float(train.t_stop.rescale("s")),
        ) == pytest.approx((0.5, 0.9))
    assert first.name == "x" and back.file_origin == str(tmp_path / f"x{suffix}")
    (signal,) = back.segments[0].analogsignals
    assert signal.dimensionality.string == "pA" and float(signal.t_start.rescale("s")) == 0.25
    np.testing.assert_allclose(signal.magnitude[:, 0], [1.0, 2.0])
    assert nc.recordings.Trains.of(back).names == ("x", "1")


def test_repeats_of_one_duration_become_a_block():
    block = block_of_trains([np.array([0.1]), np.array([])], 2.0, "cell")
    assert block.name == "cell" and [segment.index for segment in block.segments] == [0, 1]
    assert [segment.name for segment in block.segments] == ["repeat 0", "repeat 1"]
    trains = [segment.spiketrains[0] for segment in block.segments]
    assert [train.magnitude.tolist() for train in trains] == [[0.1], []]
    assert all(
        float(train.t_stop) == 2.0 and float(train.t_start) == 0.0 and train.name == "cell"
        for train in trains
    )


def test_a_file_without_sweeps_is_named(tmp_path):
    path = nc.write(neo.Block(), tmp_path / "x.nix")
    with pytest.raises(DataError, match=r"x\.nix: the file holds no sweep"):
        nc.read(path)
