"""``neurocode fit --spikes-only``: every unit of a file, resumable, one bad unit stopping no other."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import scipy.io

import neurocode as nc


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spikes")
    model = nc.models.lif_diffusive()
    trains = [s.spiketrains[0].magnitude for s in nc.simulate(model, duration=5, trials=2, seed=1, engine="numba").segments]
    cells = np.empty(3, dtype=object)
    cells[:] = [trains[0], trains[1], np.array([0.1, 0.2, 0.3])]
    scipy.io.savemat(folder / "units.mat", {"unit_t": cells})
    command = ["fit", folder / "units.mat", "--spikes-only", "--variable", "unit_t", "--axes", "unit"]
    return folder, [*command, "--model", "lif-diffusive", "--model", "qif-diffusive", "-o", folder / "out"]


def neurocode(command):
    return subprocess.run([sys.executable, "-m", "neurocode", *map(str, command)], capture_output=True, text=True, check=False)


def test_every_unit_is_fitted_ranked_and_reported_and_not_fitted_twice(study):
    folder, command = study
    first = neurocode(command)
    assert first.returncode == 0, first.stderr
    table = pd.read_csv(folder / "out" / "units.csv")
    assert len(table) == 6 and table["survives"].notna().sum() == 4
    good = table[table["bic"].notna()]
    assert set(good["rank"]) == {1.0, 2.0} and good["converged"].astype(bool).all()
    assert table[table["bic"].isna()]["verdict"].str.contains("2 interspike intervals, at least 40").all()
    results = json.loads((folder / "out" / "result.json").read_text())["results"]
    assert results[0]["parameters"]["mu"]["unit"] == "mV/ms" and results[0]["parameters"]["mu"]["standard_error"] > 0
    assert results[0]["parameters"]["V_T"]["fixed"]
    written = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*/*/*/fit.pdf")}
    assert len(written) == 4 and (folder / "out" / "report.html").stat().st_size > 1000
    second = neurocode(command)
    assert second.returncode == 0
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_bad_use_and_bad_files_are_named(study):
    folder, command = study
    both = neurocode([*command, "--test", folder / "units.mat"])
    assert both.returncode == 2 and "--spikes-only takes no --test" in both.stderr
    unknown = neurocode([*command[:-6], "--model", "lif-difusive", "-o", folder / "other"])
    assert unknown.returncode == 2 and "no model 'lif-difusive'" in unknown.stderr
    (folder / "broken.mat").write_bytes(b"no data")
    broken = neurocode(["fit", folder / "broken.mat", "--spikes-only", "-o", folder / "other"])
    assert broken.returncode == 1 and "broken.mat" in broken.stderr
