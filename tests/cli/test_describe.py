"""``neurocode describe`` from files to a page."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from neurocode.cli import app


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three cells as text with a line a trial: Poisson, regular, and one that never spikes."""
    path = tmp_path_factory.mktemp("cells")
    random = np.random.default_rng(1)
    poisson = [np.sort(random.uniform(0, 5000, 100)) for _ in range(6)]
    regular = [np.arange(20, 5000, 50) + random.normal(0, 2, 100) for _ in range(6)]
    for name, trials in {"poisson": poisson, "regular": regular, "silent": [[]] * 6}.items():
        (path / f"{name}.txt").write_text("\n".join(" ".join(f"{t:.3f}" for t in trial) for trial in trials) + "\n")
    return path


def run(folder, output, *more):
    files = [str(folder / f"{name}.txt") for name in ("poisson", "regular", "silent")]
    return CliRunner().invoke(
        app, ["describe", *files, "--axes", "trial", "--time-unit", "ms", "--t-stop", "5000", "-o", str(output), *more]
    )


def test_a_description_writes_table_figure_and_page(folder, tmp_path):
    result = run(folder, tmp_path / "out", "--surrogates", "49")
    assert result.exit_code == 0, result.output
    table = pd.read_csv(tmp_path / "out" / "units.csv", index_col="unit")
    poisson, regular, silent = table.iloc[0], table.iloc[1], table.iloc[2]
    assert regular["cv"] < 0.2 and regular["lz_ratio"] < 0.9 and regular["fano_factor"] == 0
    assert 0.7 < poisson["cv"] < 1.3 and poisson["lz_p"] > 0.01 and poisson["reason"] != poisson["reason"]
    assert silent["reason"] == "no spike" and np.isnan(silent["cv"])
    assert json.loads((tmp_path / "out" / "result.json").read_text())["units"]["rate"] == "Hz"
    assert {"units.pdf", "units.png", "report.html", "provenance.json"} <= {p.name for p in (tmp_path / "out").iterdir()}
    page = (tmp_path / "out" / "report.html").read_text()
    assert "http" not in page and "note: " in result.output


def test_the_same_seed_gives_the_same_table(folder, tmp_path):
    for name in ("first", "second"):
        run(folder, tmp_path / name, "--surrogates", "19")
    assert (tmp_path / "first" / "units.csv").read_bytes() == (tmp_path / "second" / "units.csv").read_bytes()


def test_two_workers_give_the_table_of_one(folder, tmp_path):
    """Byte for byte; p-values are adjusted for the units of all files, and a damaged one is named."""
    for name, workers in (("one", "1"), ("two", "2")):
        assert run(folder, tmp_path / name, "--surrogates", "19", "--workers", workers).exit_code == 0
    assert (tmp_path / "one" / "units.csv").read_bytes() == (tmp_path / "two" / "units.csv").read_bytes()
    table = pd.read_csv(tmp_path / "one" / "units.csv", index_col="unit")
    assert table["lz_q"].iloc[1] == pytest.approx(min(1.0, 2 * table["lz_p"].iloc[:2].min()))
    (tmp_path / "bad.nwb").write_bytes(b"nothing")
    result = CliRunner().invoke(app, ["describe", str(tmp_path / "bad.nwb"), "-o", str(tmp_path / "out"), "--jobs", "2"])
    assert result.exit_code == 1 and "bad.nwb" in str(result.exception or "") + result.output
