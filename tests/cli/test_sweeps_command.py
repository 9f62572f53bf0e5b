"""``neurocode sweeps``: one row per sweep in 80 columns, the same numbers as CSV, and one sentence
for what cannot be listed."""

from __future__ import annotations

import json

import neo
import numpy as np
import pandas as pd
import pytest
import quantities as pq

import neurocode as nc

SAMPLES = 1000


def cell(path, description="a protocol with [brackets]"):
    """Three sweeps of 1 s at 1 kHz: nothing, a square of 150 pA with two spikes, a short one of -20
    pA; numbered 2, 5, 6."""
    block = neo.Block()
    for number, level, length, spikes in ((2, 0.0, 0, 0), (5, 150.0, 500, 2), (6, -20.0, 50, 0)):
        current, voltage = np.zeros(SAMPLES), np.full(SAMPLES, -70.0)
        current[200 : 200 + length] = level
        voltage[250 + 20 * np.arange(spikes)] = 20.0
        segment = neo.Segment(index=number, stimulus_description=description)
        for values, unit in ((voltage, "mV"), (current, "pA")):
            segment.analogsignals.append(
                neo.AnalogSignal(values, units=unit, sampling_rate=1 * pq.kHz)
            )
        block.segments.append(segment)
    return nc.write(block, path)


def test_sweeps_are_listed_and_written(tmp_path, neurocode, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    path, out = cell(tmp_path / "cell.nwb"), tmp_path / "out"
    code, printed, _ = neurocode("sweeps", path, "-o", out)
    assert code == 0 and all(len(line) <= 80 for line in printed.splitlines())
    rows = [line.split() for line in printed.splitlines()]
    assert ["2", "none", "0", "-", "-", "1", "1000", "0"] in rows
    assert ["5", "long", "square", "150", "0.2", "0.5", "1", "1000", "2"] in rows
    assert ["6", "short", "square", "-20", "0.2", "0.05", "1", "1000", "0"] in rows
    assert "cell.nwb: 3 sweeps (1 none, 1 long square, 1 short square), 2 spikes" in printed
    assert "Stimulus of all: a protocol with [brackets]" in printed
    table = pd.read_csv(out / "sweeps.csv", index_col="sweep")
    assert table.index.tolist() == [2, 5, 6] and table["n_spikes"].tolist() == [0, 2, 0]
    np.testing.assert_allclose(table["amplitude_pA"], [0, 150, -20])
    assert json.loads((out / "provenance.json").read_text())["settings"]["file"] == str(path)
    code, printed, _ = neurocode("sweeps", path, "--sweeps", "5,6", "--t-stop", "0.26")
    assert code == 0 and "2 sweeps" in printed and ", 1 spike\n" in printed


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sweeps", "4"), "cell.nwb: there is no sweep 4; there are 2, 5-6."),
        (("--sweeps", "a"), "'a' names no sweeps, expected numbers and ranges such as '3,5,7-12'."),
        (("--voltage-channel", "5"), "cell.nwb: no voltage channel is called '5'"),
        (
            ("--t-start", "2"),
            "cell: The window from 2 to 1 s is not inside sweep 2, which lasts 1 s.",
        ),
        (("--bias-current", "x"), "bias_current is 'x', expected one of auto, add, ignore."),
    ],
)
def test_what_cannot_be_listed_is_said_in_a_sentence(tmp_path, neurocode, options, says):
    code, _, error = neurocode("sweeps", cell(tmp_path / "cell.nwb"), *options)
    assert code == 1 and says in error and error.count("\n") == 1


def test_a_current_in_a_file_of_its_own_and_a_voltage_alone(recorded_data, neurocode):
    voltage, current = (
        recorded_data / "ibw" / f"B6_Ch{channel}_IDRest_183.ibw" for channel in (3, 0)
    )
    code, printed, _ = neurocode("sweeps", voltage, "--current", current)
    assert code == 0 and "1 sweep (1 long square)" in printed
    code, printed, _ = neurocode("sweeps", voltage)
    assert code == 0 and "1 sweep (1 not recorded)" in printed
