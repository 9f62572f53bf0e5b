"""Currents that ABF protocols command: computed by hand, compared with Neo where it reconstructs
them, and refused if they are not known."""

from __future__ import annotations

import neo
import numpy as np
import pytest

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings.protocol import commanded_currents


def epoch(kind, level, duration, level_step=0.0, duration_step=0):
    return {
        "nEpochType": kind,
        "fEpochInitLevel": level,
        "fEpochLevelInc": level_step,
        "lEpochInitDuration": duration,
        "lEpochDurationInc": duration_step,
    }


def head(*epochs, version=2.6, mode=5, user_list=0, alternate=0, **output):
    chosen = {
        "nWaveformEnable": 1,
        "DACChUnits": b"pA",
        "DACChNames": b"Cmd 0",
        "nWaveformSource": 1,
        "nLeakSubtractType": 0,
        "fDACHoldingLevel": 5.0,
        "nInterEpisodeLevel": 0,
        **output,
    }
    return {
        "fFileVersionNumber": version,
        "protocol": {"nOperationMode": mode, "nAlternateDACOutputState": alternate},
        "sections": {"UserListSection": {"llNumEntries": user_list}},
        "listDACInfo": [chosen, {**chosen, "nWaveformEnable": 0}],
        "dictEpochInfoPerDAC": {0: dict(enumerate(epochs))},
    }


def drawn(info, n=128, sweeps=2):
    (command,) = commanded_currents(info, [n] * sweeps)
    assert (command.name, command.unit) == ("Cmd 0", "pA")
    return [waveform.tolist() for waveform in command.waveforms]


def test_steps_follow_the_first_sixty_fourth_and_return_to_the_holding_level():
    first, second = drawn(head(epoch(1, 10.0, 3, 2.0), epoch(1, -1.0, 2, 0.0, 4)))
    assert first == [5.0] * 2 + [10.0] * 3 + [-1.0] * 2 + [5.0] * 121
    assert second == [5.0] * 2 + [12.0] * 3 + [-1.0] * 6 + [5.0] * 117


def test_ramps_start_at_the_level_before():
    first, second = drawn(head(epoch(2, 9.0, 5, 4.0), epoch(2, 1.0, 3)))
    assert first[2:11] == [5.0, 6.0, 7.0, 8.0, 9.0, 9.0, 5.0, 1.0, 5.0]
    assert second[2:11] == [5.0, 7.0, 9.0, 11.0, 13.0, 13.0, 7.0, 1.0, 5.0]


def test_the_last_level_may_stay_between_sweeps():
    """A ramp that goes on from sweep to sweep."""
    first, second = drawn(head(epoch(2, 7.0, 3, 2.0), nInterEpisodeLevel=1))
    assert first[:7] == [5.0, 5.0, 5.0, 6.0, 7.0, 7.0, 7.0] and first[-1] == 7.0
    assert second[:7] == [7.0, 7.0, 7.0, 8.0, 9.0, 9.0, 9.0]


def test_epochs_that_reach_beyond_the_sweep_are_cut():
    assert (
        drawn(head(epoch(1, 1.0, 2**30), epoch(2, 9.0, 2**30)), sweeps=1)[0]
        == [5.0] * 2 + [1.0] * 126
    )
    assert drawn(head(epoch(2, 1e6, 2**30)), sweeps=1)[0][-1] == pytest.approx(5.0, abs=0.2)


@pytest.mark.parametrize(
    ("info", "says"),
    [
        (head(version=1.8), "files of version 1 hold no protocol"),
        (head(mode=3), "recorded without a protocol of sweeps"),
        (head(DACChUnits=b"mV"), "commands no current"),
        (head(nWaveformEnable=0), "commands no current"),
        (head(nWaveformSource=2), "waveform of 'Cmd 0' came from a stimulus file"),
        (head(user_list=1), "a list that changes from sweep to sweep"),
        (head(alternate=1), "alternates between outputs"),
        (head(nLeakSubtractType=1), "leak was subtracted"),
        (head(epoch(3, 1.0, 10)), "epoch of kind 'pulse train'"),
        (head(epoch(0, 1.0, 10)), "epoch of kind 'off'"),
    ],
)
def test_protocols_that_do_not_say_the_current_are_refused(info, says):
    with pytest.raises(DataError, match=says):
        commanded_currents(info, [128])


@pytest.mark.parametrize(
    ("name", "sweeps"),
    [("17o05028_ic_steps", 16), ("171116sh_0018", 17), ("2019_07_24_0055_fsi", 17)],
)
def test_steps_of_real_files_are_those_that_neo_draws(recorded_data, name, sweeps):
    path = recorded_data / "abf" / f"{name}.abf"
    segments, drawn_by_neo = nc.read(path).segments, neo.io.AxonIO(str(path)).read_protocol()
    assert len(segments) == len(drawn_by_neo) == sweeps
    for segment, other in zip(segments, drawn_by_neo, strict=True):
        voltage, current = segment.analogsignals
        np.testing.assert_array_equal(current.magnitude, other.analogsignals[0].magnitude)
        assert current.t_start == voltage.t_start and current.sampling_rate == voltage.sampling_rate
        assert current.annotations["source"] == "protocol" and current.name == "Cmd 0"


def test_a_ramp_of_a_real_file_ends_at_its_level(recorded_data):
    """The table of its one epoch: a ramp of 19300 samples to 0 and, in the second sweep, to 10 pA,
    where it stays."""
    experiment = nc.Experiment.from_files(recorded_data / "abf" / "17o05027_ic_ramp.abf")
    silent, ramp = (repeat.current / 1e-12 for repeat in experiment.repeats)
    assert not silent.any()
    np.testing.assert_allclose(
        ramp,
        np.concatenate([np.zeros(312), 10 * np.arange(19300) / 19299, np.full(388, 10.0)]),
        atol=1e-9,
    )
    assert [len(repeat.spike_times) for repeat in experiment.repeats] == [6, 9]


def test_a_file_whose_protocol_says_nothing_asks_for_the_current(recorded_data, tmp_path):
    """The same file with its output switched off: the flag lies in the section of outputs, 256
    bytes each from block 3."""
    data = bytearray((recorded_data / "abf" / "17o05027_ic_ramp.abf").read_bytes())
    info = neo.io.AxonIO(str(recorded_data / "abf" / "17o05027_ic_ramp.abf"))._axon_info
    before = 2 + 2 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4 + 4  # the entries ahead of nWaveformEnable
    place = info["sections"]["DACSection"]["uBlockIndex"] * 512 + before
    assert int.from_bytes(data[place : place + 2], "little") == 1
    data[place : place + 2] = b"\0\0"
    path = tmp_path / "silent.abf"
    path.write_bytes(data)
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(path)
    assert str(caught.value) == (
        f"{path}: there is no current channel (in a unit of A); channels found: Signals in mV; "
        f"its protocol commands no current: "
        "pass the files of both channels together, as (voltage file, current file)."
    )
