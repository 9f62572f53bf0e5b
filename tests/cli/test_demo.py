"""``neurocode demo``: the true parameters, and estimates whose intervals contain them."""

from __future__ import annotations

import pytest

from neurocode.cli import demo
from neurocode.inference import CrossValidation


@pytest.mark.long
def test_the_demo_shows_intervals_that_hold_the_truth(tmp_path, neurocode):
    """For the seed of the demo all six parameters lie within their 95 % intervals, and each
    interval is narrow enough to determine the sign."""
    code, printed, error = neurocode("demo", "-o", tmp_path / "demo")
    assert code == 0, error
    table = [line.split() for line in printed.splitlines()]
    rows = {
        row[0]: [float(cell) for cell in row[2:]]
        for row in table
        if row and row[0] in demo.unfitted_model().free
    }
    assert set(rows) == set(demo.unfitted_model().free)
    for name, (truth, estimate, low, high) in rows.items():
        assert low <= truth <= high and low < estimate < high, name
        assert low * high > 0, name
    assert "converged" in printed and "cross-validated" in printed and "careful" not in printed


@pytest.mark.long
def test_the_demo_in_short(tmp_path, neurocode, monkeypatch):
    """With ten seconds of training and a prepared cross-validation: what is printed, and in which
    folder."""
    monkeypatch.setattr(demo, "TRAINING_SECONDS", 8.0)
    monkeypatch.setattr(demo, "TEST_SECONDS", 2.0)
    monkeypatch.setattr(demo, "TEST_REPEATS", 3)
    monkeypatch.setattr(demo, "DT", 1e-3)
    monkeypatch.setattr(demo, "engine_difference", lambda: 1e-14)
    monkeypatch.setattr(
        "neurocode.inference.cross_validate", lambda *a, **k: CrossValidation(1.25, (1.0, 1.5))
    )
    code, printed, error = neurocode("demo", "-o", tmp_path / "demo", "--seed", 2)
    assert code == 0, error
    assert "1.250 cross-validated" in printed and "truth  estimate" in printed
    assert max(len(line) for line in printed.splitlines()) <= 80
    page = (tmp_path / "demo" / "report.html").read_text()
    counts = " ".join(printed.split()).split(" s training: ")[1]
    assert (
        counts.split(";")[0] in page
        and "<dt>truth</dt>" in page
        and (tmp_path / "demo" / "result.json").is_file()
    )
