"""NWB files that neurocode writes are valid, are paired by their tables, and give the same
experiment as ABF and NIX to the last bit."""

from __future__ import annotations

from datetime import UTC, datetime

import h5py
import neo
import numpy as np
import pynwb
import pytest
import quantities as pq
from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries

import neurocode as nc

RATE = 5000.0


def signal(values, unit, **more):
    return neo.AnalogSignal(
        np.asarray(values, np.float32), units=unit, sampling_rate=RATE * pq.Hz, **more
    )


def block_of_sweeps(indices=(4, 1, 9)):
    """Return sweeps whose numbers differ from their order, with two electrodes in the last one and
    the settings of the amplifier."""
    random = np.random.default_rng(0)
    block = neo.Block(name="cell")
    for index in indices:
        segment = neo.Segment(index=index, stimulus_description=f"protocol {index}")
        for electrode in ("a", "b") if index == indices[-1] else ("a",):
            settings = {"electrode": electrode, "bridge_balance": 12e6, "t_start": index * pq.s}
            segment.analogsignals.append(
                signal(random.normal(-60, 9, 50), "mV", name="Vm", **settings)
            )
            segment.analogsignals.append(
                signal(
                    random.normal(0, 99, 50),
                    "pA",
                    name="Im",
                    electrode=electrode,
                    t_start=index * pq.s,
                )
            )
        segment.analogsignals.append(signal(np.ones((50, 2)), "degC", name="bath"))
        segment.spiketrains.append(
            neo.SpikeTrain(
                [index + 0.001], units="s", t_start=index, t_stop=index + 0.01, name="cell"
            )
        )
        block.segments.append(segment)
    return block


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    return nc.write(block_of_sweeps(), tmp_path_factory.mktemp("written") / "cell.nwb")


def test_what_is_written_is_valid(written):
    assert pynwb.validate(path=str(written)) == []


def test_responses_are_paired_with_their_stimuli_by_the_tables(written):
    """As another program reads it, by pynwb alone."""
    with pynwb.NWBHDF5IO(str(written), "r") as io:
        file = io.read()
        table = file.intracellular_recordings
        responses, stimuli = (
            table.category_tables["responses"]["response"],
            table.category_tables["stimuli"]["stimulus"],
        )
        rows = [(responses[row].timeseries, stimuli[row].timeseries) for row in range(len(table))]
        assert len(rows) == 4 and len(file.icephys_simultaneous_recordings) == 3
        assert file.icephys_simultaneous_recordings.id[:].tolist() == [4, 1, 9]
        assert np.diff(
            [0, *file.icephys_simultaneous_recordings["recordings"].data[:]]
        ).tolist() == [1, 1, 2]
        for voltage, current in rows:
            assert (
                type(voltage) is CurrentClampSeries and type(current) is CurrentClampStimulusSeries
            )
            assert (voltage.unit, voltage.conversion, current.unit, current.conversion) == (
                "volts",
                1e-3,
                "amperes",
                1e-12,
            )
            assert voltage.name.removesuffix("voltage") == current.name.removesuffix("current")
            assert (
                voltage.bridge_balance == pytest.approx(12e6)
                and voltage.electrode is current.electrode
            )
            assert (
                voltage.stimulus_description
                == f"protocol {voltage.comments.removeprefix('segment ')}"
            )


def test_sweeps_come_back_as_they_were(written):
    before = {segment.index: segment for segment in block_of_sweeps().segments}
    after = nc.read(written).segments
    assert [segment.index for segment in after] == [1, 4, 9]
    for segment in after:
        old = before[segment.index]
        assert segment.annotations["stimulus_description"] == f"protocol {segment.index}"
        assert float(segment.spiketrains[0].magnitude[0]) == segment.index + 0.001
        assert len(segment.analogsignals) == len(old.analogsignals)
        for signal in segment.analogsignals:
            electrode = signal.annotations.get("electrode")
            (same,) = [
                s
                for s in old.analogsignals
                if s.name == signal.name and s.annotations.get("electrode") == electrode
            ]
            np.testing.assert_array_equal(signal.magnitude, same.magnitude)
            assert signal.units == same.units and signal.t_start == same.t_start
            assert signal.dtype == (np.float32 if electrode else float)
            assert signal.sampling_rate == same.sampling_rate and signal.shape == same.shape


def test_segments_without_numbers_are_numbered_in_their_order(tmp_path):
    block = block_of_sweeps((0, 1, 2))
    for segment in block.segments:
        segment.index = None
    assert [segment.index for segment in nc.read(nc.write(block, tmp_path / "x.nwb")).segments] == [
        0,
        1,
        2,
    ]


@pytest.mark.parametrize(
    "other", [{"current_samples": 49}, {"unit": "dimensionless"}, {"second": "mV"}]
)
def test_what_is_no_pair_stays_a_plain_series(tmp_path, other):
    segment = neo.Segment(index=0)
    segment.analogsignals.append(signal(np.arange(50), "mV", name="v"))
    samples, unit = other.get("current_samples", 50), other.get("unit", "pA")
    segment.analogsignals.append(signal(np.arange(samples), unit, name="i"))
    if "second" in other:
        segment.analogsignals.append(signal(np.arange(50), "mV", name="w"))
    block = neo.Block()
    block.segments.append(segment)
    path = nc.write(block, tmp_path / "x.nwb")
    with h5py.File(path) as file:
        assert {series.attrs["neurodata_type"] for series in file["acquisition"].values()} == {
            "TimeSeries"
        }
        assert "stimulus/presentation" not in file or not len(file["stimulus/presentation"])
    names = [signal.name for signal in nc.read(path).segments[0].analogsignals]
    assert sorted(names) == sorted(signal.name for signal in segment.analogsignals)


def test_files_of_the_earlier_kind_are_read(tmp_path):
    """Plain series with the number of their segment in the comments, as versions before wrote
    current clamp."""
    file = pynwb.NWBFile("x", "x", datetime(2020, 1, 1, tzinfo=UTC))
    for number in (1, 0):
        for index, (unit, values) in enumerate(
            (("mV", np.full(50, -70.0 + number)), ("pA", np.full(50, 5.0 + number)))
        ):
            name = f"segment_{number}_signal_{index}"
            more = {"rate": RATE, "comments": f"segment {number}", "description": "x"}
            file.add_acquisition(pynwb.TimeSeries(name=name, data=values, unit=unit, **more))
    path = tmp_path / "old.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    repeats = nc.Experiment.from_files(path).repeats
    assert [(r.number, round(r.voltage[0] * 1e3), round(r.current[0] * 1e12)) for r in repeats] == [
        (0, -70, 5),
        (1, -69, 6),
    ]


def the_same_cell(recorded_data, folder, name):
    """Return a recorded ABF file, and its content as NWB and NIX."""
    abf = recorded_data / name
    block = nc.read(abf)
    return [abf, *(nc.write(block, folder / f"{abf.stem}{suffix}") for suffix in (".nwb", ".nix"))]


@pytest.mark.parametrize("name", ["abf/17o05027_ic_ramp.abf", "raphe/DRN164_5ht_aec.abf"])
def test_abf_nwb_and_nix_are_one_experiment(recorded_data, tmp_path, name):
    """Spike times, currents and voltages equal bit for bit; the current of the first is that of its
    protocol."""
    abf, nwb, nix = (
        nc.Experiment.from_files(path) for path in the_same_cell(recorded_data, tmp_path, name)
    )
    assert abf == nwb == nix
    assert abf.repeats[0].current.dtype == float and len(abf.repeats[0].current) in (
        20_000,
        100_000,
    )


@pytest.mark.long
def test_abf_nwb_and_nix_give_one_fit(recorded_data, tmp_path):
    paths = the_same_cell(recorded_data, tmp_path, "raphe/DRN164_5ht_training.abf")
    fits = [
        nc.fit(nc.models.gif(), nc.Experiment.from_files(path, t_stop=10.0), starts=1, seed=0)
        for path in paths
    ]
    estimates = [
        {name: (p.value, p.standard_error) for name, p in result.parameters.items()}
        for result in fits
    ]
    assert estimates[0] == estimates[1] == estimates[2]
    assert (
        fits[0].log_likelihood == fits[1].log_likelihood == fits[2].log_likelihood
        and fits[0].n_spikes > 50
    )
