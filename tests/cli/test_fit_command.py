"""``neurocode fit`` with one and with two models of a tiny recording: what is reused, refused,
printed and written."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

import neurocode as nc
from neurocode.cli import fit_task, inputs, recording_task
from neurocode.cli.page import table
from neurocode.cli.side_by_side import run_all
from neurocode.inference import CrossValidation
from tests.current_clamp import recording

OPTIONS = {
    "current_offset": "0 pA",
    "spike_threshold": 0.0,
    "dead_time": 3.0,
    "starts": 1,
    "prior_width": 3.0,
    "predictions": 20,
    "seed": 0,
    "voltage": "no",
}
MODEL = nc.models.gif((50.0,)).with_fixed("V_r", "g_L")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    recording(folder / "cell_training.nix", 1)
    recording(folder / "cell_test.nix", 2, trials=3, seconds=2.0)
    recording(folder / "other_training.nix", 3)
    MODEL.save(folder / "mine.toml")
    return folder


@pytest.fixture(scope="module")
def two(files, tmp_path_factory):
    """Fit two models by the functions that the command calls."""
    out = tmp_path_factory.mktemp("two") / "out"
    MODEL.with_fixed("a_eta_1", "a_gamma_1").save(files / "poor.toml")
    models = [str(files / name) for name in ("mine.toml", "poor.toml")]
    tasks = recording_task.tasks_of(
        recording_task.recordings_of([files / "cell_training.nix"], test=[files / "cell_test.nix"]),
        models,
        **OPTIONS,
    )
    entries = run_all(fit_task.attempt, tasks, out, workers=1)
    recording_task.COMPARISON.write(out, entries)
    return out, entries


@pytest.fixture(scope="module")
def ready(files):
    return nc.fit(MODEL, nc.Experiment.from_files(files / "other_training.nix"), starts=1)


@pytest.fixture
def count_fits(ready, monkeypatch):
    """Count how often a fit is begun, and return a prepared result."""
    calls = []

    def begin(model, data, **options):
        calls.append(model)
        return dataclasses.replace(ready, n_spikes=data.n_spikes)

    monkeypatch.setattr(recording_task, "fit", begin)
    monkeypatch.setattr(
        fit_task, "cross_validate", lambda *a, **k: CrossValidation(1.0, (1.0, 1.0))
    )
    return calls


def command(folder, out, *more):
    return ("fit", folder / "cell_training.nix", "--model", folder / "mine.toml", "-o", out, *more)


def test_a_finished_fit_is_reused_only_for_the_same_data_model_options_and_version(
    files, tmp_path, neurocode, count_fits, monkeypatch
):
    work, out = tmp_path / "work", tmp_path / "out"
    shutil.copytree(files, work)

    def again(*more):
        """Return whether a fit was reused and whether the command said so."""
        before = len(count_fits)
        code, printed, error = neurocode(*command(work, out, *more))
        assert code == 0, error
        reused = len(count_fits) == before
        assert (
            "reused: cell_training/mine (same data, model, options and version"
            in " ".join(printed.split())
        ) == reused
        return reused

    assert not again()
    first, written = (
        json.loads((out / "result.json").read_text())["results"][0],
        (out / "result.json").stat().st_mtime_ns,
    )
    assert again() and (out / "result.json").stat().st_mtime_ns == written

    text = (work / "mine.toml").read_text()
    (work / "mine.toml").write_text(text + "\n# a comment\n")
    assert again()
    (work / "mine.toml").write_text(text.replace("v = V_r", "v = V_r + 0*mV"))
    assert not again() and again()

    shutil.copy(work / "other_training.nix", work / "cell_training.nix")
    assert not again() and again()
    assert (
        json.loads((out / "result.json").read_text())["results"][0]["n_spikes"] != first["n_spikes"]
    )

    for option in (
        ("--prior-width", 2),
        ("--seed", 1),
        ("--dead-time", 2.5),
        ("--current-offset", "1 pA"),
    ):
        assert not again(*option) and again(*option)
    monkeypatch.setattr(inputs, "version", lambda name: "0.1.1")
    assert not again(*option) and again(*option)


def test_a_failing_recording_stops_no_other_and_finished_fits_stay(
    files, tmp_path, neurocode, count_fits
):
    work, out = tmp_path / "work", tmp_path / "out"
    shutil.copytree(files, work)
    (work / "broken_training.nix").write_bytes(b"no recording")
    MODEL.with_fixed("a_eta_1").save(work / "other.toml")
    models = ("--model", work / "mine.toml", "--model", work / "other.toml")
    arguments = (
        "fit",
        work / "cell_training.nix",
        work / "broken_training.nix",
        *models,
        "-o",
        out,
    )
    code, printed, _ = neurocode(*arguments)
    assert (
        code == 1
        and len(count_fits) == 2
        and "broken_training, mine: " in " ".join(printed.split())
    )
    assert max(len(line) for line in printed.splitlines()) <= 80
    results = json.loads((out / "result.json").read_text())["results"]
    assert [("error" in table) for table in results] == [False, False, True, True]
    frame = pd.read_csv(out / "comparison.csv")
    assert sorted(frame[frame["recording"] == "cell_training"]["model"]) == ["mine", "other"]
    made = {path: path.stat().st_mtime_ns for path in out.glob("cell_training/*/result.json")}
    assert len(made) == 2
    (out / "notes.txt").write_text("mine")
    code, printed, _ = neurocode(*arguments)
    assert code == 1 and len(count_fits) == 2 and printed.count("reused: cell_training/") == 2
    assert {path: path.stat().st_mtime_ns for path in made} == made and (
        out / "notes.txt"
    ).read_text() == "mine"


def test_data_that_change_while_a_command_runs_are_not_fitted(files, tmp_path, count_fits):
    work = tmp_path / "work"
    shutil.copytree(files, work)
    (task,) = recording_task.tasks_of(
        recording_task.recordings_of([work / "cell_training.nix"]),
        [str(work / "mine.toml")],
        **OPTIONS,
    )
    shutil.copy(work / "other_training.nix", work / "cell_training.nix")
    outcome = fit_task.attempt(task, tmp_path / "out")
    assert "changed while the command ran; run it again" in outcome["error"] and not count_fits


def test_the_summary_links_to_every_fit_and_defines_its_columns(two):
    out, _ = two
    page = (out / "report.html").read_text()
    for name in ("mine", "poor"):
        assert f'<a href="cell_training/{name}/report.html">{name}</a>' in page
        assert (out / "cell_training" / name / "report.html").is_file()
    frame = pd.read_csv(out / "comparison.csv")
    assert list(frame["rank"]) == [1, 2] and frame["cross_validated_bits"].is_monotonic_decreasing
    for column in frame.dropna(axis="columns", how="all").columns[2:]:
        assert f"<dt>{column}</dt>" in page, column
    assert json.loads((out / "provenance.json").read_text())["settings"] == {
        "fits": ["cell_training/mine", "cell_training/poor"]
    }


def test_the_page_of_a_fit_explains_itself_and_counts_as_the_terminal_does(two, capsys):
    from neurocode.cli.fit import print_entry

    out, entries = two
    page = (out / "cell_training" / "mine" / "report.html").read_text()
    for term in (
        "<dt>Md*</dt>",
        "<dt>recorded</dt>",
        "<dt>prior_ratio</dt>",
        "<dt>low_95</dt>",
        "Made by <code>",
    ):
        assert term in page
    print_entry(entries[0])
    printed = " ".join(capsys.readouterr().out.split())
    spikes = nc.Experiment.from_files(
        json.loads((out / "cell_training/mine/provenance.json").read_text())["settings"]["training"]
    )
    times = spikes.repeats[0].spike_times
    counts = (
        f"{len(times)} training spikes, of which {np.sum(times >= 0.5)} count (the first 500 "
        f"ms of a sweep do not)"
    )
    assert counts in printed and counts in page
    assert f"{entries[0]['cross_validation']['bits_per_spike']:.3f} cross-validated" in printed
    assert "identified" in pd.read_csv(out / "cell_training" / "mine" / "parameters.csv").columns


def test_a_fit_writes_everything_into_a_page_that_stands_alone(two):
    out, entries = two
    folder = out / "cell_training" / "mine"
    assert {path.name for path in folder.iterdir()} == {
        "result.json",
        "provenance.json",
        "parameters.csv",
        "scores.csv",
        "predicted_spikes.nwb",
        "predicted_spikes.csv",
        "fit.pdf",
        "fit.png",
        "report.html",
        "model.toml",
    }
    assert json.loads((folder / "provenance.json").read_text())["files"] == sorted(
        path.name for path in folder.iterdir()
    )
    assert {
        "parameters",
        "converged",
        "message",
        "n_spikes",
        "dt",
        "log_likelihood",
        "bic",
        "bits_per_spike",
        "md_star",
        "md_star_ceiling",
        "reliability",
        "gamma",
        "ks",
        "psth_correlation",
        "seconds",
        "reservations",
        "cross_validation",
    } <= set(entries[0])
    page = (folder / "report.html").read_text()
    assert re.findall(r' src="([^,"]*)', page) == ["data:image/png;base64"]
    assert re.findall(r' href="([^"]*)"', page) == ["data:,"] and "<script" not in page


def test_checks_that_a_fit_fails_are_printed_and_written(two, capsys):
    from neurocode.cli.fit import print_entry

    out, entries = two
    entry = {
        **entries[0],
        "reservations": ["The model fires at 9 Hz [sic] where the cell fired at 4 Hz."],
    }
    print_entry(entry)
    assert "careful: The model fires at 9 Hz [sic]" in " ".join(capsys.readouterr().out.split())
    for entry in entries:
        page = (out / entry["folder"] / "report.html").read_text()
        assert ("What speaks against this fit" in page) == bool(entry["reservations"])
        for sentence in entry["reservations"]:
            assert sentence in page.replace("&#x27;", "'")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (
            ["{f}/cell_training.nix", "--model", "{f}/mine.toml", "--model", "{f}/deep/mine.toml"],
            2,
            "a folder 'mine'",
        ),
        (
            ["{f}/cell_training.nix", "--model", "gif", "--model", "{f}/gif.toml"],
            2,
            "a folder 'gif'",
        ),
        (
            ["{f}/cell_training.nix", "--model", "gif", "--test", "{f}/cell_training.nix"],
            1,
            "the test is the training",
        ),
        (
            ["{f}/cell_training.nix", "--model", "gif", "--test", "{f}/copy.nix"],
            1,
            "copy.nix: the test is the training recording",
        ),
        (["{f}/deep", "--model", "gif"], 1, "deep: the folder holds no recording"),
        (
            ["{f}/cell_training.nix", "--model", "gif", "--test-current", "{f}/copy.nix"],
            1,
            "expected the voltage of that test too",
        ),
        (
            ["{f}/*_training.nix", "--model", "gif", "--test", "{f}/copy.nix"],
            1,
            "There are 1 test recordings for 2 training",
        ),
        (
            ["{f}/cell_training.nix", "--model", "gif", "--electrode", "{f}"],
            1,
            "this is a folder, expected a file",
        ),
        (["{f}/cell_training.nix", "--model", "gif", "--seed", "-1"], 2, "--seed"),
        (["{f}/cell_training.nix", "--model", "gif", "--starts", "0"], 2, "--starts"),
        (["{f}/cell_training.nix", "--model", "gif", "--prior-width", "nan"], 2, "--prior-width"),
        (
            ["{f}/cell_training.nix", "--model", "gif", "--voltage", "-1"],
            2,
            "--voltage takes auto, no, or a positive number",
        ),
    ],
)
def test_bad_use_is_one_sentence_before_any_fit(
    files, tmp_path, neurocode, monkeypatch, arguments, code, says
):
    for name in ("deep/mine.toml", "gif.toml"):
        (files / name).parent.mkdir(exist_ok=True)
        MODEL.save(files / name)
    shutil.copy(files / "cell_training.nix", files / "copy.nix")
    options = [text.format(f=files) for text in arguments]
    exit_code, _, error = neurocode("fit", *options, "-o", tmp_path / "out")
    assert exit_code == code and says in " ".join(error.split()) and "Traceback" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("models", [["mine.toml"], ["mine.toml", "poor.toml"]])
def test_a_folder_that_cannot_be_written_is_refused_before_the_fit(
    files, tmp_path, neurocode, monkeypatch, models
):
    monkeypatch.setattr(
        recording_task, "fit", lambda *a, **k: pytest.fail("fitted before the folder was looked at")
    )
    MODEL.with_fixed("a_eta_1", "a_gamma_1").save(files / "poor.toml")
    (tmp_path / "file").write_text("mine")
    chosen = [part for name in models for part in ("--model", files / name)]
    for out, says in (
        ("file", "this is a file"),
        ("file/out", "is a file, expected a folder"),
        ("/proc/none/out", "nothing can be"),
    ):
        code, _, error = neurocode(
            "fit", files / "cell_training.nix", *chosen, "-o", tmp_path / out
        )
        assert code == 1 and says in error and "Traceback" not in error
    assert (tmp_path / "file").read_text() == "mine"


def test_cells_of_a_table_are_text_and_links_lead_beside_the_page():
    frame = pd.DataFrame(
        {"unit": ["<b>a</b>", "b c"], "value": [1.23456, None], "flag": [True, False]}
    )
    html = table(frame, {"unit": ["x y/report.html", None]})
    assert '<a href="x%20y/report.html">&lt;b&gt;a&lt;/b&gt;</a>' in html and "<td>b c</td>" in html
    assert '<td class="number">1.235</td>' in html and '<td class="number"></td>' in html


def test_a_simulation_looks_at_its_folder_first(tmp_path, neurocode, monkeypatch):
    monkeypatch.setattr(
        "neurocode.simulation.simulate",
        lambda *a, **k: pytest.fail("simulated before the folder was looked at"),
    )
    code, _, error = neurocode(
        "simulate", "--model", "gif", "--step", "1 pA", "--duration", 1, "-o", "/proc/none/out"
    )
    assert code == 1 and "nothing can be written in /proc" in error


def test_sweeps_and_files_of_one_channel_are_handed_to_the_reader(files, monkeypatch):
    (task,) = recording_task.tasks_of(
        recording_task.recordings_of([files / "cell_test.nix"]),
        [str(files / "mine.toml")],
        **OPTIONS,
        sweeps="0",
        test_sweeps="2",
    )
    data, whole = task.data(), nc.Experiment.from_files(files / "cell_test.nix")
    assert [repeat.number for repeat in data.repeats] == [0] and [
        repeat.number for repeat in data.test.repeats
    ] == [2]
    np.testing.assert_array_equal(data.test.repeats[0].spike_times, whole.repeats[2].spike_times)

    received = {}
    monkeypatch.setattr(
        recording_task.Experiment,
        "from_files",
        lambda *paths, **options: received.update(paths=paths, **options),
    )
    kinds = {"test": "v_test.ibw", "current": "i.ibw", "test_current": "i_test.ibw"}
    (recording,) = recording_task.recordings_of(
        [files / "v.ibw"], **{kind: [files / name] for kind, name in kinds.items()}
    )
    (task,) = recording_task.tasks_of(
        [recording], [str(files / "mine.toml")], **OPTIONS, t_start=0.5, bias_current="add"
    )
    task.data()
    assert received["paths"] == tuple(
        (str(files / v), str(files / i))
        for v, i in (("v.ibw", "i.ibw"), ("v_test.ibw", "i_test.ibw"))
    )
    assert (
        received["t_start"],
        received["bias_current"],
        received["sweeps"],
        received["dead_time"],
    ) == (
        0.5,
        "add",
        None,
        3.0,
    )
