"""The command line: exit codes, one-sentence errors, no half-written files, and a self-contained
page."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import pandas as pd
import pytest


def process(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "neurocode", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.sources, self.references, self.scripts = [], [], 0

    def handle_starttag(self, tag, attrs):
        table = dict(attrs)
        self.scripts += tag == "script"
        if "src" in table:
            self.sources.append(table["src"])
        if "href" in table:
            self.references.append(table["href"])


def assert_stands_alone(path):
    page = Links()
    page.feed(path.read_text())
    assert page.sources and all(
        source.startswith("data:image/png;base64,") for source in page.sources
    )
    assert all(reference.startswith("data:") for reference in page.references) and page.scripts == 0


@pytest.fixture(scope="module")
def fitted(recorded_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fit") / "out"
    raphe = recorded_data / "raphe"
    run = process(
        "fit",
        raphe / "DRN164_5ht_training.abf",
        "--test",
        raphe / "DRN164_5ht_test.abf",
        "--model",
        "gif",
        "--starts",
        1,
        "-o",
        folder,
    )
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.long
def test_fit_of_a_real_cell_writes_everything(fitted):
    names = {path.name for path in fitted.iterdir()}
    assert names >= {
        "result.json",
        "provenance.json",
        "parameters.csv",
        "scores.csv",
        "predicted_spikes.nwb",
        "fit.pdf",
        "fit.png",
        "report.html",
        "model.toml",
    }
    (entry,) = json.loads((fitted / "result.json").read_text())["results"]
    expected = {
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
    }
    assert expected <= set(entry)
    keys = {"value", "unit", "standard_error", "interval_95", "fixed", "identified", "prior_ratio"}
    assert set(entry["parameters"]["V_T"]) == keys
    assert entry["md_star"]["8ms"] > 0.65 and entry["bits_per_spike"]["test"] > 1.5
    assert len(pd.read_csv(fitted / "scores.csv")) > 8


@pytest.mark.long
def test_report_stands_alone(fitted):
    assert_stands_alone(fitted / "report.html")


@pytest.mark.long
def test_report_opens_in_a_browser_without_a_console_error(fitted, tmp_path):
    chromium = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    if chromium is None:
        pytest.skip("needs Chromium")
    run = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-sync",
            f"--user-data-dir={tmp_path}",
            "--enable-logging=stderr",
            "--dump-dom",
            (fitted / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Held-out scores" in run.stdout
    assert "CONSOLE" not in run.stderr


def test_simulate_is_reproducible(tmp_path, neurocode):
    tables = []
    for name in ("a", "b"):
        arguments = (
            "--model",
            "gif",
            "--noise",
            "100 pA",
            "80 pA",
            "--duration",
            1,
            "--trials",
            3,
            "--seed",
            2,
            "--engine",
            "jax",
        )
        code, _, error = neurocode("simulate", *arguments, "-o", tmp_path / name)
        assert code == 0, error
        tables.append((tmp_path / name / "spikes.csv").read_bytes())
    assert tables[0] == tables[1] and len(tables[0].splitlines()) > 5
    assert_stands_alone(tmp_path / "a" / "report.html")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["fit", "absent.abf", "--model", "gif"], 1, "no such file"),
        (["fit", "a.abf", "b.abf", "--test", "c.abf"], 1, "1 test recordings for 2"),
        (["fit", "absent.abf", "--model", "nothing"], 2, "no model 'nothing'"),
        (["fit", "absent.abf", "--model", "absent.toml"], 2, "no such model file"),
        (["simulate", "--model", "lif"], 2, "--duration"),
        (["simulate", "--step", "1 mV", "--duration", "1"], 1, "The step"),
        (
            ["simulate", "--step", "1 pA", "--noise", "1 pA", "1 pA", "--duration", "1"],
            2,
            "exclude",
        ),
        (["data", "fetch", "moon"], 1, "no data set"),
        (["fly"], 2, "fly"),
    ],
)
def test_faults_are_one_sentence_with_a_code_and_write_nothing(
    tmp_path, neurocode, arguments, code, says
):
    extra = [] if arguments[0] in ("data", "fly") else ["-o", tmp_path / "out"]
    exit_code, _, error = neurocode(*arguments, *extra)
    assert exit_code == code and says in error and "Traceback" not in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command", [[], ["demo"], ["fit"], ["simulate"], ["data"], ["data", "fetch"]]
)
def test_help_is_everywhere(neurocode, command):
    code, printed, _ = neurocode(*command, "--help")
    assert code == 0 and "Usage" in printed


def test_the_module_runs_in_a_process_of_its_own():
    run = process("fly")
    assert run.returncode == 2 and "fly" in run.stderr and "Traceback" not in run.stderr
