"""``neurocode fit-spikes`` fits every unit of a file; it can be resumed, and a unit that fails does
not stop the others."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest
import scipy.io

import neurocode as nc


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("spikes")
    times = np.cumsum(0.005 + np.random.default_rng(1).gamma(4.0, 0.01, 120))
    cells = np.empty(2, dtype=object)
    cells[:] = [times, np.array([0.1, 0.2, 0.3])]
    scipy.io.savemat(folder / "units.mat", {"unit_t": cells})
    command = ["fit-spikes", folder / "units.mat", "--variable", "unit_t", "--axes", "unit"]
    return folder, [
        *command,
        "--model",
        "lif-diffusive",
        "--model",
        "qif-diffusive",
        "-o",
        folder / "out",
    ]


@pytest.mark.long
def test_every_unit_is_fitted_ranked_and_reported_and_not_fitted_twice(study, neurocode):
    folder, command = study
    code, printed, error = neurocode(*command)
    assert code == 0, error
    assert max(
        len(line) for line in printed.splitlines()
    ) <= 80 and "1, lif-diffusive: The data hold 2" in " ".join(printed.split())
    table = pd.read_csv(folder / "out" / "units.csv")
    assert len(table) == 4 and table["survives"].notna().sum() == 2
    good = table[table["bic"].notna()]
    for _, unit in good.groupby("unit"):
        assert (
            list(unit["rank"]) == [1.0, 2.0]
            and unit["cross_validated_bits"].is_monotonic_decreasing
        )
    assert set(good["rank"]) == {1.0, 2.0} and good["converged"].astype(bool).all()
    assert (
        table[table["bic"].isna()]["verdict"]
        .str.contains("2 interspike intervals, at least 40")
        .all()
    )
    results = json.loads((folder / "out" / "result.json").read_text())["results"]
    assert (
        results[0]["parameters"]["mu"]["unit"] == "mV/ms"
        and results[0]["parameters"]["mu"]["standard_error"] > 0
    )
    assert results[0]["parameters"]["V_T"]["fixed"]
    written = {path: path.stat().st_mtime_ns for path in (folder / "out").glob("*/*/*/fit.pdf")}
    assert len(written) == 2 and (folder / "out" / "report.html").stat().st_size > 1000
    page = (folder / "out" / "report.html").read_text()
    links = re.findall(r'<a href="([^"]*)">', page)
    assert len(links) == 2 and all((folder / "out" / link).is_file() for link in links)
    for column in ("rescaled_correlation", "ks_band", "survives", "cv_recorded"):
        assert f"<dt>{column}</dt>" in page
    code, printed, _ = neurocode(*command)
    assert code == 0 and printed.count("reused: units/") == 2
    assert {path: path.stat().st_mtime_ns for path in written} == written


@pytest.mark.long
def test_a_silent_end_is_said_and_may_be_left_out(study, neurocode):
    folder, _ = study
    times = np.cumsum(np.random.default_rng(2).gamma(8.0, 0.005, 60))
    np.save(folder / "steady.npy", times)
    command = [
        "fit-spikes",
        folder / "steady.npy",
        "--model",
        "lif-diffusive",
        "--t-stop",
        4,
        "-o",
        folder / "steady",
    ]
    silence, longest = 4 - times[-1], np.max(np.diff(times))
    sentence = (
        f"the train is silent for its last {silence:.4g} s, while its longest interval "
        f"lasts {longest:.4g} s"
    )
    neurocode(*command)
    (verdict,) = pd.read_csv(folder / "steady" / "units.csv")["verdict"]
    assert sentence in verdict and "(--end-at-last-spike, or spike times as an array)" in verdict
    code, printed, _ = neurocode(*command, "--end-at-last-spike")
    assert code == 0 and "reused" not in printed
    entry = json.loads((folder / "steady" / "result.json").read_text())["results"][0]
    assert entry["n_spikes"] == 59 and not any("silent" in text for text in entry["verdicts"])
    assert entry["training_rate"]["value"] == pytest.approx(59 / (times[-1] - times[0]))


def test_bad_use_and_bad_files_are_named(study, neurocode):
    folder, command = study
    (folder / "deep").mkdir()
    nc.models.lif_diffusive().save(folder / "deep" / "lif-diffusive.toml")
    (folder / "broken.mat").write_bytes(b"no data")
    for arguments, expected, says in (
        ([*command, "--test", folder / "units.mat"], 2, "No such option: --test"),
        (
            [*command, "--model", "gif"],
            2,
            "Model 'gif' has no xi, expected a neuron driven by white noise",
        ),
        (
            [*command[:-6], "--model", "lif-difusive", "-o", folder / "other"],
            2,
            "no model 'lif-difusive'",
        ),
        (
            [*command, "--model", folder / "deep" / "lif-diffusive.toml"],
            2,
            "both write into a folder 'lif-diffusive'",
        ),
        (["fit", folder / "broken.mat", "--spikes-only", "-o", folder / "other"], 1, "broken.mat"),
        (
            ["fit-spikes", folder / "deep", "-o", folder / "other"],
            1,
            "deep: the folder holds no recording; expected",
        ),
        (
            [*command[:-1], folder / "units.mat"],
            1,
            "this is a file, expected a folder to write into",
        ),
    ):
        code, _, error = neurocode(*arguments)
        assert code == expected and says in " ".join(error.split()) and "Traceback" not in error
    assert not (folder / "other").exists()
