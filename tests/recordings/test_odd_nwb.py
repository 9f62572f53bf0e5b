"""Unusual NWB files of intracellular recordings give data, or a one-sentence error that names the
file."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pynwb
import pytest
from pynwb.icephys import CurrentClampSeries, CurrentClampStimulusSeries, IZeroClampSeries

import neurocode as nc
from neurocode.errors import DataError
from neurocode.recordings import sweep_table

RATE, SAMPLES = 1000.0, 60
VOLTS = np.where(np.arange(SAMPLES) % 20 == 10, 20e-3, -70e-3)
AMPERES = np.full(SAMPLES, 5e-12)

pytestmark = pytest.mark.filterwarnings("ignore:Spec .*sweep_number")


def made(folder, *series, table=()):
    """Write a file of (class, name, data, options) and rows (response, stimulus) of the table of
    intracellular recordings."""
    file = pynwb.NWBFile("odd", "odd", datetime(2020, 1, 1, tzinfo=UTC))
    device, entries = file.create_device("amplifier"), {}
    for kind, name, data, more in series:
        electrode = more.pop("electrode", "electrode")
        if electrode not in file.icephys_electrodes:
            file.create_icephys_electrode(name=electrode, description="", device=device)
        timing = {} if "timestamps" in more else {"rate": RATE}
        entries[name] = kind(
            name=name,
            data=np.asarray(data),
            electrode=file.icephys_electrodes[electrode],
            **{**timing, **more},
        )
        (file.add_stimulus if kind is CurrentClampStimulusSeries else file.add_acquisition)(
            entries[name]
        )
    for response, stimulus in table:
        file.add_intracellular_recording(
            electrode=file.icephys_electrodes["electrode"],
            response=entries[response],
            stimulus=entries.get(stimulus),
        )
    path = folder / "odd.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(file)
    return path


def v(name="v", data=VOLTS, **more):
    return CurrentClampSeries, name, data, more


def i(name="i", data=AMPERES, **more):
    return CurrentClampStimulusSeries, name, data, more


BAD = np.where(np.arange(SAMPLES) == 7, np.nan, VOLTS)
REFUSED = {
    "no sweep number on one": (
        (v(sweep_number=1), i()),
        (),
        "'i' has no sweep number, but the other series have one",
    ),
    "a number twice": (
        (v("a", sweep_number=1), v("b", sweep_number=1), i(sweep_number=1)),
        (),
        "sweep 1 holds 2 voltage series",
    ),
    "two cells": (
        (
            v("a", electrode="x"),
            i("c", electrode="x"),
            v("b", electrode="y"),
            i("d", electrode="y"),
        ),
        (),
        "choose by voltage_channel among 0: 'a' or 'x' in V, 1: 'b' or 'y' in V",
    ),
    "stimulus longer than response": (
        (v(), i(data=np.zeros(90))),
        (),
        "differ in length or sampling",
    ),
    "stimulus at another rate": ((v(), i(rate=2000.0)), (), "differ in length or sampling"),
    "stimulus that begins later": (
        (v(), i(starting_time=1.0)),
        (),
        "of sweep 0 begin at 0 and 1 s, expected together",
    ),
    "NaN in the voltage": (
        (v(data=BAD), i()),
        (),
        "The voltage holds 1 values that are not finite",
    ),
    "NaN in the current": (
        (v(), i(data=BAD)),
        (),
        "The current holds 1 values that are not finite",
    ),
    "current of amperes": (
        (v(), i(data=AMPERES * 1e12)),
        (),
        "The current reaches 5 A, beyond 2e-08 A",
    ),
    "conversion of zero": (
        (v(), i(conversion=float("inf"))),
        (),
        "The current holds 60 values that are not finite",
    ),
    "no samples": ((v(data=[]), i(data=[])), (), "one that is not empty"),
    "stimulus alone": ((i(),), (), "sweep 0 holds 'i', expected a voltage"),
    "response alone": ((v(),), (), "there is no current channel"),
    "times that are not even": (
        (v(timestamps=np.arange(SAMPLES) ** 2 / RATE), i()),
        (),
        "'v' has a time for each sample, and these are not even; expected one",
    ),
    "a row that names another": (
        (v("a"), v("b"), i()),
        (("a", "i"),),
        "'b' is in no row of the table of intracellular recordings",
    ),
    "a rate of zero": ((v(rate=1e-9), i(rate=1e-9)), (), "is sampled at 1e-09 Hz"),
    "clipped": (
        (v(data=np.minimum(np.linspace(-0.07, 0.03, SAMPLES), 0.01)), i()),
        (),
        "The voltage is clipped",
    ),
}
READ = {
    "even times of samples": ((v(timestamps=np.arange(SAMPLES) / RATE), i()), ()),
    "millivolts with their factor": (
        (v(data=1e3 * VOLTS, conversion=1e-3), i(data=[5.0] * SAMPLES, conversion=1e-12)),
        (),
    ),
    "integers with offset": (
        (v(data=np.round(VOLTS * 1e3).astype(np.int16) + 7, conversion=1e-3, offset=-7e-3), i()),
        (),
    ),
    "a gain that is already in the numbers": ((v(gain=20.0), i(gain=0.5)), ()),
    "settings that are not known": ((v(bias_current=np.nan, bridge_balance=np.nan), i()), ()),
}


@pytest.mark.parametrize("name", REFUSED)
def test_odd_files_are_refused_in_a_sentence(tmp_path, name):
    series, table, says = REFUSED[name]
    path = made(
        tmp_path, *((kind, n, data, dict(more)) for kind, n, data, more in series), table=table
    )
    with pytest.raises(DataError) as caught:
        nc.Experiment.from_files(path)
    text = str(caught.value)
    assert (
        text.startswith(f"{path}: ")
        and says in text
        and "\n" not in text
        and text.endswith((".", "?"))
    )


@pytest.mark.parametrize("name", READ)
def test_odd_files_that_say_enough_are_read(tmp_path, name):
    series, table = READ[name]
    path = made(
        tmp_path, *((kind, n, data, dict(more)) for kind, n, data, more in series), table=table
    )
    (repeat,) = nc.Experiment.from_files(path).repeats
    np.testing.assert_allclose(repeat.voltage, VOLTS, atol=1e-9)
    np.testing.assert_allclose(repeat.current, AMPERES, rtol=1e-6)
    np.testing.assert_allclose(repeat.spike_times, [0.010, 0.030, 0.050])


def test_rest_without_an_amplifier_is_listed_as_a_sweep_without_a_current(tmp_path):
    table = sweep_table(made(tmp_path, (IZeroClampSeries, "rest", VOLTS, {})))
    assert table["stimulus"].tolist() == ["not recorded"] and table["n_spikes"].tolist() == [3]


def test_one_sweep_that_cannot_be_used_does_not_spoil_the_others_that_are_asked_for(tmp_path):
    sweeps = [
        v("a", sweep_number=1),
        i("c", sweep_number=1),
        v("b", data=BAD, sweep_number=2),
        i("d", sweep_number=2),
    ]
    path = made(tmp_path, *sweeps)
    with pytest.raises(DataError, match=r"sweep 2: The voltage holds 1 values that are not finite"):
        nc.Experiment.from_files(path)
    assert nc.Experiment.from_files(path, sweeps="1").n_spikes == 3
