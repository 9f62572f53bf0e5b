"""Many recordings and models, fitted in separate processes; test_fit_command.py has the same in one
process."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

import neurocode as nc
from tests.current_clamp import recording


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    files = [recording(folder / "a_training.nix", 1, seconds=20.0), folder / "b_training.nix"]
    files[1].write_bytes(b"no recording")
    tests = [recording(folder / "a_test.nix", 2, trials=4, seconds=5.0)] * 2
    models = [nc.models.gif((tau,)).save(folder / f"gif_{tau:.0f}.toml") for tau in (50.0, 5.0)]
    command = [
        "fit",
        *files,
        "--test",
        tests[0],
        "--test",
        tests[1],
        "--starts",
        1,
        "--predictions",
        20,
        "--workers",
        2,
        "-o",
        folder / "out",
    ]
    command += [part for model in models for part in ("--model", model)]
    return folder / "out", command


def neurocode(command):
    return subprocess.run(
        [sys.executable, "-m", "neurocode", *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long
def test_a_failing_recording_stops_no_other_and_finished_fits_stay(study):
    folder, command = study
    run = neurocode(command)
    assert (
        run.returncode == 1
        and "b_training" in run.stdout
        and "damaged" in run.stdout.replace("\n", "")
    )
    results = json.loads((folder / "result.json").read_text())["results"]
    assert [("error" in table) for table in results] == [False, False, True, True]
    frame = pd.read_csv(folder / "comparison.csv")
    fitted = frame[frame["recording"] == "a_training"]
    assert list(fitted["rank"]) == [1, 2] and fitted["cross_validated_bits"].is_monotonic_decreasing
    made = {path: path.stat().st_mtime_ns for path in folder.glob("a_training/*/result.json")}
    assert len(made) == 2
    neurocode(command)
    assert {path: path.stat().st_mtime_ns for path in made} == made
