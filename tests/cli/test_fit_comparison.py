"""Comparison of fits: models are ranked within each recording or unit by cross-validated bits,
whatever their likelihood."""

from __future__ import annotations

import dataclasses

import pytest

import neurocode as nc
from neurocode.cli import fit_task, recording_task, unit_task
from neurocode.cli.recording_task import RecordingTask
from neurocode.errors import FitError
from neurocode.recordings import Experiment
from tests.current_clamp import recording


def entry(folder, bits, **more):
    file, unit, _ = folder.split("/")
    validation = None if bits is None else {"bits_per_spike": bits}
    return {
        "file": file,
        "unit": unit,
        "recording": unit,
        "folder": folder,
        "cross_validation": validation,
        **more,
    }


def test_models_are_ranked_inside_each_unit_by_bits_that_a_refit_did_not_see_and_not_by_the_bic():
    entries = [
        entry("a/0/poor", 0.25, bic=10.0, survives=True),
        entry("a/0/rich", 0.75, bic=90.0, survives=False),
        entry("a/1/poor", 0.5, bic=20.0, survives=True),
        entry("a/1/rich", None, error="no finite likelihood"),
    ]
    frame = unit_task.COMPARISON.frame(entries)
    assert list(zip(frame["unit"], frame["model"], frame["rank"].fillna(0), strict=True)) == [
        ("0", "rich", 1.0),
        ("0", "poor", 2.0),
        ("1", "poor", 1.0),
        ("1", "rich", 0.0),
    ]
    assert list(frame.columns[:6]) == ["file", "unit", "model", "rank", "folder", "error"]
    assert frame["verdict"].iloc[-1] == "no finite likelihood"
    assert unit_task.COMPARISON.summary(frame) == [
        "rich: 0 of 2 units survive; poor: 2 of 2 units survive."
    ]
    frame = recording_task.COMPARISON.frame(entries)
    assert list(frame["rank"].fillna(0)) == [1.0, 2.0, 1.0, 0.0] and list(frame["recording"]) == [
        "0",
        "0",
        "1",
        "1",
    ]


def test_every_column_has_a_meaning_or_says_it_itself():
    from neurocode.cli.fit_comparison import MEANINGS

    for task in (unit_task, recording_task):
        named = {"file", "unit", "recording", "model", "folder", "error"}
        columns = set(task.COMPARISON.frame([entry("a/0/poor", 0.25)]).columns) - named
        assert columns <= {*MEANINGS, *task.COMPARISON.meanings}
        assert set(task.COMPARISON.headings) <= columns | named


def test_a_fit_that_cannot_be_cross_validated_stands_and_says_so(tmp_path, monkeypatch):
    model = nc.models.gif((50.0,)).with_fixed("V_r", "g_L")
    experiment = Experiment.from_files(recording(tmp_path / "cell.nix", 1))
    ready = nc.fit(model, experiment, starts=1)
    path = model.save(tmp_path / "mine.toml")
    options = {
        "current_offset": "0 pA",
        "spike_threshold": 0.0,
        "dead_time": 3.0,
        "starts": 1,
        "prior_width": 3.0,
    }
    files = recording_task.recordings_of([tmp_path / "cell.nix"])
    (task,) = recording_task.tasks_of(
        files, [str(path)], **options, predictions=2, seed=0, voltage="no"
    )
    monkeypatch.setattr(
        RecordingTask, "fitted", lambda self, data, report: (model, dataclasses.replace(ready))
    )

    def refuse(*arguments, **options):
        raise FitError("Block 2 of 4 holds all spikes.")

    monkeypatch.setattr(fit_task, "cross_validate", refuse)
    outcome = fit_task.attempt(task, tmp_path / "out")
    assert outcome["notes"] == ["The fit was not cross-validated: Block 2 of 4 holds all spikes."]
    assert "cross_validation" not in outcome and "error" not in outcome
    assert outcome["notes"][0] in (tmp_path / "out" / "report.html").read_text()


def test_the_earlier_name_of_fit_spikes_still_works(tmp_path, neurocode):
    code, _, error = neurocode(
        "fit", tmp_path / "none.npy", "--spikes-only", "-o", tmp_path / "out"
    )
    assert code == 1 and "none.npy: there is no such file" in " ".join(error.split())


@pytest.mark.parametrize("command", ["fit", "fit-spikes"])
def test_options_that_belong_to_the_other_command_are_refused(tmp_path, neurocode, command):
    option = {"fit": "--axes", "fit-spikes": "--electrode"}[command]
    code, _, error = neurocode(
        command, tmp_path / "cell.abf", option, "unit", "-o", tmp_path / "out"
    )
    assert code == 2 and f"No such option: {option}" in " ".join(error.split())
