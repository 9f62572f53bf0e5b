"""Numbers of sweeps, computed by hand: units, biases, protocols with several outputs, cuts between
samples, and the table of sweeps."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import neo
import numpy as np
import pynwb
import pytest
import quantities as pq

import neurocode as nc
from neurocode.recordings import Repeat, abf, current_clamp, experiment
from neurocode.recordings.current_clamp import read_clamped_sweeps
from neurocode.recordings.held_out_sweeps import repeated_sweeps
from neurocode.recordings.nwb import _observed, _units
from neurocode.recordings.nwb_pairing import Part
from neurocode.recordings.protocol import commanded_currents
from neurocode.recordings.sweep_table import described_sweep, sweep_row, sweep_table
from neurocode.recordings.sweeps import note_of, signal_of_series

RATE, PA = 1000.0, 1e-12


def signal(values, unit, **more):
    return neo.AnalogSignal(
        np.asarray(values, float), units=unit, sampling_rate=RATE * pq.Hz, **more
    )


def spiking(*samples, length=100):
    values = np.full(length, -70.0)
    values[list(samples)] = 20.0
    return values


@pytest.fixture
def reads(monkeypatch):
    """Make the readers of sweeps return these segments: voltage (mV) with its annotations, current
    (pA), and the information about the sweep."""

    def hold(*sweeps):
        block = neo.Block()
        for number, (voltage, settings, current, notes) in enumerate(sweeps):
            segment = neo.Segment(index=number, **notes)
            segment.analogsignals += [signal(voltage, "mV", **settings), signal(current, "pA")]
            block.segments.append(segment)
        monkeypatch.setattr(current_clamp, "read", lambda path: block)

    return hold


@pytest.mark.parametrize(
    ("unit", "factor", "told"),
    [
        ("volts", 1.0, "V"),
        ("volts", 1e-3, "mV"),
        ("volts", 1e-6, "uV"),
        ("volts", 1e-9, "V"),
        ("amperes", 1e-3, "mA"),
        ("amperes", 1e-6, "uA"),
        ("amperes", 1e-9, "nA"),
        ("amperes", 1e-12, "pA"),
    ],
)
def test_a_prefix_is_that_of_the_factor(unit, factor, told):
    series = pynwb.TimeSeries(
        name="x", data=np.array([3.0]), unit=unit, rate=RATE, conversion=factor
    )
    value = signal_of_series(Path("x.nwb"), Part.whole(series))
    assert value.units.dimensionality.string == told
    assert float(value.rescale(unit[0].upper())[0, 0]) == pytest.approx(3.0 * factor, rel=1e-12)


def test_the_stimulus_says_what_the_protocol_is_called():
    """Responses come before stimuli; the last that says something counts."""
    names = ("of the response", "of the stimulus", "N/A")
    series = [neo.Segment() for _ in names]
    for entry, name in zip(series, names, strict=True):
        entry.stimulus_description = name
    assert note_of(series) == {"stimulus_description": "of the stimulus"}


@pytest.mark.parametrize(
    ("first", "later", "added"),
    [(0.0, -30.0, True), (-30.0, 0.0, False), (-2.9, 50.0, True), (2.9, 50.0, True)],
)
def test_the_first_ten_milliseconds_of_a_stimulus_say_whether_it_holds_the_bias(
    reads, first, later, added
):
    """Ten samples at rest, and ninety of a step that says nothing."""
    current = np.repeat([first, later], [10, 90])
    reads((spiking(), {"bias_current": -30 * PA}, current, {}))
    (sweep,) = read_clamped_sweeps("cell.nwb")
    np.testing.assert_allclose(
        sweep.current.rescale("pA").magnitude[:, 0], current - 30 * added, atol=1e-9
    )


def test_repeats_correlate_by_19_of_20():
    """A sine and its sum with a cosine of a share of it: the correlation is 1 / sqrt(1 + share^2),
    0.96 and 0.94."""
    phase = 2 * np.pi * np.arange(1000) / 100
    for share, same in ((0.29, True), (0.36, False)):
        other = (np.sin(phase) + share * np.cos(phase)) / np.hypot(1, share)
        repeats = [
            Repeat(np.array([0.1]), 1.0, 100 * PA * c, None, 1e-3, n)
            for n, c in enumerate((np.sin(phase), other))
        ]
        if same:
            assert repeated_sweeps(repeats) == [0, 1]
        else:
            with pytest.raises(nc.errors.DataError, match="no two sweeps share one current"):
                repeated_sweeps(repeats)


def epoch(level, duration, longer=0):
    return {
        "nEpochType": 1,
        "fEpochInitLevel": level,
        "fEpochLevelInc": 0.0,
        "lEpochInitDuration": duration,
        "lEpochDurationInc": longer,
    }


def head(epochs):
    """Return the head of a file with two outputs, of which the first commands a voltage and the
    second a current, with these epochs."""
    output = {
        "nWaveformEnable": 1,
        "DACChUnits": b"nA",
        "DACChNames": b"Cmd 1",
        "nWaveformSource": 1,
        "nLeakSubtractType": 0,
        "fDACHoldingLevel": 0.0,
        "nInterEpisodeLevel": 0,
    }
    return {
        "fFileVersionNumber": 2.6,
        "protocol": {"nOperationMode": 5},
        "sections": {},
        "listDACInfo": [{**output, "DACChUnits": b"mV"}, output],
        "dictEpochInfoPerDAC": {0: {0: epoch(-70.0, 30)}, 1: epochs},
    }


def drawn(epochs, sweeps, n=64):
    (command,) = commanded_currents(head(epochs), [n] * sweeps)
    assert (command.name, command.unit) == ("Cmd 1", "nA")
    return [waveform.astype(int).tolist() for waveform in command.waveforms]


def test_an_output_has_the_epochs_of_its_own_number_in_their_order():
    assert drawn({1: epoch(2.0, 3), 0: epoch(1.0, 2)}, 1) == [[0] + [1] * 2 + [2] * 3 + [0] * 58]


def test_epochs_that_begin_or_end_with_no_length_are_drawn_as_long_as_they_are():
    assert drawn({0: epoch(1.0, 0, 2), 1: epoch(2.0, 3, -2)}, 3) == [
        [0] + [2] * 3 + [0] * 60,
        [0] + [1] * 2 + [2] + [0] * 60,
        [0] + [1] * 4 + [0] * 59,
    ]


def test_a_spike_at_a_cut_belongs_to_the_part_after_it_whatever_its_last_digit():
    for time in (0.3 - 1e-12, 0.3, 0.3 + 1e-12):
        repeat = Repeat(np.array([time]), 1.0, np.zeros(1000), None, 1e-3)
        assert len(repeat.time_slice(t_stop=0.3).spike_times) == 0
        assert repeat.time_slice(0.3).spike_times.tolist() == pytest.approx([0.0], abs=2e-12)
        assert repeat.time_slice(0.3).spike_times.min() >= 0


def test_a_cut_between_samples_moves_to_the_nearest():
    """0.3004 s lies nearest to sample 300, 0.6996 s to sample 700: 0.4 s that begin at 0.3 s."""
    part = Repeat(np.array([0.5]), 1.0, np.arange(1000.0), None, 1e-3).time_slice(0.3004, 0.6996)
    assert part.current[[0, -1]].tolist() == [300, 699] and part.duration == pytest.approx(0.4)
    assert part.spike_times == pytest.approx([0.2], abs=1e-12)


def test_a_row_of_a_sweep_by_hand():
    """A square of 80 pA over -20 pA from 0.25 to 0.75 s in 2 s, and three spikes."""
    current = np.full(2000, -20 * PA)
    current[250:750] += 80 * PA
    repeat = Repeat(np.array([0.3, 0.4, 0.5]), 2.0, current, None, 1e-3, 7, "square")
    row = sweep_row(repeat)
    numbers = (
        "amplitude_pA",
        "stimulus_start_s",
        "stimulus_duration_s",
        "rest_pA",
        "duration_s",
        "sampling_rate_Hz",
        "rate_Hz",
    )
    assert [row[name] for name in numbers] == pytest.approx([80, 0.25, 0.5, -20, 2, 1000, 1.5])
    assert (row["stimulus"], row["n_spikes"], row["description"]) == ("long square", 3, "square")
    assert (
        described_sweep(repeat)
        == "sweep 7: long square of 80 pA from 0.25 to 0.75 s, 3 spikes in 2 s"
    )


def test_a_table_holds_what_the_file_states_and_spikes_as_they_are_asked_for(reads):
    """Spikes in samples 10, 15 and 60 of 100: a dead time of 10 ms leaves two, a threshold of 30 mV
    none."""
    settings = {"bias_current": -30 * PA, "bridge_balance": 15e6, "t_start": 5 * pq.s}
    notes = {
        "sequence": 3,
        "repetition": 8,
        "stimulus_type": "of the table",
        "stimulus_description": "of the series",
    }
    reads((spiking(10, 15, 60), settings, np.zeros(100), notes))
    row = sweep_table("cell.nwb").iloc[0]
    assert row[
        ["bias_pA", "bridge_balance_MOhm", "sequence", "repetition"]
    ].tolist() == pytest.approx([-30, 15, 3, 8])
    assert row[["n_spikes", "duration_s", "rest_pA"]].tolist() == pytest.approx([3, 0.1, -30])
    assert row["description"] == "of the series"
    assert sweep_table("cell.nwb", bias_current="ignore")["rest_pA"].item() == 0
    assert sweep_table("cell.nwb", dead_time=10.0)["n_spikes"].item() == 2
    assert sweep_table("cell.nwb", spike_threshold=30.0)["n_spikes"].item() == 0
    assert sweep_table("cell.nwb", t_start=0.012, t_stop=0.05)["n_spikes"].item() == 1


def test_a_recording_is_named_by_its_description_before_its_type_and_keeps_its_options(reads):
    notes = {"stimulus_type": "of the table", "stimulus_description": "of the series"}
    reads((spiking(10, 15, 60), {}, np.full(100, 7.0), notes))
    repeat = nc.Experiment.from_files("cell.nwb", dead_time=10.0, current_offset="5 pA").repeats[0]
    assert repeat.description == "of the series" and repeat.spike_times.tolist() == pytest.approx(
        [0.01, 0.06]
    )
    np.testing.assert_allclose(repeat.current, 2 * PA, rtol=1e-12)
    assert nc.Experiment.from_files("cell.nwb", spike_threshold=30.0).n_spikes == 0


def test_a_unit_is_observed_up_to_the_ends_of_a_stretch():
    """Two stretches, 1 to 2 and 3 to 4 s: a window must lie inside one, and stretches that touch
    are one."""
    stretches = np.array([[3.0, 4.0], [1.0, 2.0]])
    assert _observed(Path("x.nwb"), stretches, 3.0, 4.0) == (3.0, 4.0, True)
    with pytest.raises(nc.errors.DataError, match="observed in 2 stretches, not between 2 and 3 s"):
        _observed(Path("x.nwb"), stretches, 1.5, 3.5)
    assert _observed(
        Path("x.nwb"), np.array([[0.0, 0.1 + 0.2], [0.3 + 1e-10, 1.0]]), None, None
    ) == (0.0, 1.0, False)
    assert _observed(Path("x.nwb"), np.array([[0.0, 5.0], [1.0, 2.0], [4.0, 6.0]]), None, None) == (
        0.0,
        6.0,
        False,
    )


def test_a_commanded_current_has_the_unit_of_its_output():
    block, segment = neo.Block(), neo.Segment()
    segment.analogsignals.append(signal(spiking(length=64), "mV", t_start=2 * pq.s))
    block.segments.append(segment)
    abf._add_commands(block, SimpleNamespace(_axon_info=head({0: epoch(1.0, 2)})))
    current = segment.analogsignals[1]
    np.testing.assert_allclose(
        current.rescale("A").magnitude[:4, 0], [0, 1e-9, 1e-9, 0], rtol=1e-12
    )
    assert current.t_start == 2 * pq.s and current.sampling_rate == RATE * pq.Hz


def test_the_electrode_is_measured_in_the_first_sweep_and_taken_off_under_the_current_that_flowed(
    reads, monkeypatch
):
    """Of 7 pA that were recorded 5 pA are an offset: 2 pA flow through the electrode, of 1 GOhm
    here."""
    reads(
        (np.full(100, -60.0), {}, np.full(100, 7.0), {}),
        (np.full(100, -50.0), {}, np.full(100, 9.0), {}),
    )
    monkeypatch.setattr(
        experiment, "electrode_kernel", lambda volts, amperes, dt: (volts[0], amperes[0], dt)
    )
    assert experiment._kernel_of_file("aec.nwb") == pytest.approx((-60e-3, 7 * PA, 1e-3))
    resistor = SimpleNamespace(dt=1e-3, compensate=lambda volts, amperes: volts - 1e9 * amperes)
    repeat = nc.Experiment.from_files(
        "cell.nwb", electrode=resistor, current_offset="5 pA"
    ).repeats[0]
    np.testing.assert_allclose(repeat.voltage, -62e-3, rtol=1e-12)


def test_spikes_at_both_ends_of_a_stretch_belong_to_it():
    file = pynwb.NWBFile("test", "test", datetime(2020, 1, 1, tzinfo=UTC))
    file.add_unit(spike_times=[1.0, 1.5, 2.0, 3.0, 4.0], obs_intervals=[[1.0, 2.0], [3.0, 4.0]])
    for start, stop, expected in ((1.0, 2.0, [1.0, 1.5, 2.0]), (3.0, 4.0, [3.0, 4.0])):
        ((_, (times, *span)),) = _units(Path("x.nwb"), file, start, stop)[0]
        assert times.tolist() == expected and span == [start, stop]
