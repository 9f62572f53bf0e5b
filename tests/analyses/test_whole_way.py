"""Every study from an empty folder to the end: rows, tables, claims and figures. Here at reduced
size; the tests marked ``long`` use ``--quick``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.learning import Part, Task
from neurocode.studies import StudyRun, write_claims
from neurocode.studies.study import load_study, module_of

ROOT = Path(__file__).parents[2]
#: Rows of every table of the quick protocols, and how many claims they can judge.
ROWS = {
    "adaptive-lif": {
        "ecg": 2,
        "burst_sequences": 2,
        "spring_mass": 6,
        "robustness": 4,
        "neurons": 2,
    },
    "surrogate-gradients": {
        "starts": 1,
        "depth_tuning": 1,
        "depth": 1,
        "sparse_tuning": 1,
        "sparse": 1,
        "comparisons_tuning": 2,
        "comparisons": 2,
    },
    "noisy-networks": {"tuning": 2, "training": 2, "widths": 1, "robustness": 2, "spiking": 2},
    "threshold-learning": {"tuning": 3, "training": 3, "decays": 2, "decisions": 2, "noisy": 2},
    "neural-coding": {"models": 7, "recorded": 1},
    "complexity-classification": {
        "pilot": 1,
        "tuning": 3,
        "training": 3,
        "power": 2,
        "capacity": 1,
    },
}
FIGURES = {
    "adaptive-lif": {"adaptive_lif_stability", "adaptive_lif_training", "adaptive_lif_neurons"},
    "surrogate-gradients": {"surrogate_gradients", "surrogate_gradients_starts"},
    "noisy-networks": {"noisy_networks"},
    "threshold-learning": {"threshold_learning"},
    "neural-coding": {"neural_coding", "neural_coding_statistics"},
    "complexity-classification": {"complexity_classification"},
}


def once(monkeypatch, module, name, kind):
    """Compute rows of one kind only once, because these tests check what becomes of rows, not their
    values."""
    real, kept = getattr(module, name), {}

    def work(*folder, **row):
        if kind(row) not in kept:
            kept[kind(row)] = real(*folder, **row)
        return kept[kind(row)]

    monkeypatch.setattr(module, name, work)
    return kept


def whole_way(name, folder, without=()):
    """Run every part of the quick protocol in order, as the command does, and draw the figures from
    the tables."""
    study = load_study(name, ROOT)
    tables = folder / "tables"
    tables.mkdir()
    for title, part in study.parts.items():
        if title in without:
            continue
        part(StudyRun("quick", tables, folder / "networks", 1, None, lambda done, total: None))
    judged = write_claims(tables, study.claims(tables))
    drawn = module_of("figures", name, ROOT).draw(tables, folder)
    check(name, tables)
    wanted = {figure for figure in FIGURES[name] if figure.rpartition("_")[2] not in without}
    assert {path.stem for path in drawn} == wanted and all(
        path.stat().st_size > 1000 for path in drawn
    )
    return tables, judged


def check(name, tables):
    """Assert that every row occurs once and that none failed."""
    rows = {
        path.stem: pd.read_parquet(path)
        for path in tables.glob("*.parquet")
        if path.stem != "units"
    }
    assert {title: len(table) for title, table in rows.items()} == ROWS[name]
    assert all(table["error"].isna().all() and table["key"].is_unique for table in rows.values())


def made_task(name, steps, channels, outputs, loss, seed=0):
    """A task of random spikes: 60, 20 and 20 sequences."""
    random = np.random.default_rng(seed)
    parts = []
    for n in (60, 20, 20):
        inputs = 5.0 * (random.random((n, steps, channels)) < 0.3).astype(np.float32)
        labels = random.integers(outputs, size=(n, steps) if loss == "per_step" else n).astype(
            np.int32
        )
        parts.append(Part(inputs, labels, np.ones((n, steps), bool)))
    return Task(name, *parts, loss=loss, n_outputs=outputs, dt=1e-3)


@pytest.mark.long
def test_adaptive_lif(tmp_path, monkeypatch):
    """Parts without networks are left to the tests of the command."""
    load_study("adaptive-lif", ROOT)
    from analyses.adaptive_lif import networks, neurons, protocols, study

    real = networks.make_task
    for table in ("ECG", "BURSTS", "SPRINGS"):
        monkeypatch.setitem(getattr(protocols, table), "batch", 20)
    monkeypatch.setitem(protocols.ECG, "neurons", 6)
    monkeypatch.setitem(
        protocols.BURST_SIZES,
        "quick",
        {**protocols.BURST_SIZES["quick"], "samples": 80, "epochs": 1, "neurons": 6},
    )
    monkeypatch.setitem(
        protocols.SPRING_SIZES,
        "quick",
        {**protocols.SPRING_SIZES["quick"], "samples": 80, "epochs": 1, "neurons": 6},
    )
    made = made_task("ecg", 60, 4, 6, "per_step")
    for module in (sys.modules["analyses.adaptive_lif.training"], neurons):
        monkeypatch.setattr(
            module, "make_task", lambda row: made if row["task"] == "ecg" else real(row)
        )
    monkeypatch.setattr(neurons, "SURROGATES", 20)
    monkeypatch.setattr(neurons, "UNTRAINED", 10)
    once(monkeypatch, study, "training_row", lambda row: row["task"])
    once(monkeypatch, study, "robustness_row", lambda row: row["task"] == "ecg")
    once(monkeypatch, neurons, "neurons_row", lambda row: row["cell"])
    tables, judged = whole_way("adaptive-lif", tmp_path, without=("stability", "wavelets"))
    units = pd.read_csv(tables / "neurons.csv")
    assert units.groupby(["cell", "seed"]).size().to_dict() == {("LIF", 0): 6, ("SE", 0): 6}
    assert len(pd.read_csv(tables / "untrained.csv")) == 10
    assert judged["verdict"].isin(["confirmed", "not confirmed", "depends", "not comparable"]).all()
    shares = judged["claim"][judged["claim"].str.startswith("share of trained")]
    assert [text.split()[3] for text in shares] == ["LIF", "SE", "SE"]
    assert not judged["claim"].str.contains("raphe").any()


@pytest.mark.long
def test_surrogate_gradients(tmp_path, monkeypatch):
    """If the parts are run a second time, every row is found in its table."""
    load_study("surrogate-gradients", ROOT)
    from analyses.surrogate_gradients import study

    kept = {
        name: once(monkeypatch, study, name, lambda row: (row["arm"], row["depth"]))
        for name in ("tuning_row", "training_row", "last_tuning_row", "last_row", "start_row")
    }
    tables, judged = whole_way("surrogate-gradients", tmp_path)
    assert {name: len(rows) for name, rows in kept.items()} == {
        "tuning_row": 3,
        "training_row": 3,
        "last_tuning_row": 1,
        "last_row": 1,
        "start_row": 1,
    }
    row = pd.read_parquet(tables / "comparisons.parquet").iloc[0]
    assert 0.5 < row["initial_spikes"] < 2 and 0 <= row["test_score"] <= 1
    assert set(judged["verdict"]) == {"not comparable"}, "one seed settles nothing"
    for rows in kept.values():
        rows.clear()
    for part in study.STUDY.parts.values():
        part(StudyRun("quick", tables, tmp_path, 1, None, lambda done, total: None))
    assert not any(kept.values())


@pytest.mark.long
def test_noisy_networks(tmp_path, monkeypatch):
    load_study("noisy-networks", ROOT)
    from analyses.noisy_networks import networks, protocols, robustness, study, training

    real = protocols.row
    monkeypatch.setattr(
        protocols,
        "row",
        lambda *args, **settings: {
            **real(*args, **settings),
            "batch": 20,
            "sequences": 40,
            "epochs": 1,
        },
    )
    monkeypatch.setattr(robustness, "PASSES", 20)
    monkeypatch.setattr(robustness, "SIZES", (0.2,))
    monkeypatch.setattr(robustness, "NOISES", (1.0,))
    monkeypatch.setattr(robustness, "FLIPS", (0.1,))
    monkeypatch.setattr(training, "REPEATS", 3)
    monkeypatch.setitem(networks.SIZES, "digits", (8, False))
    once(monkeypatch, study, "training_row", lambda row: row["kind"])
    once(monkeypatch, study, "robustness_row", lambda row: None)
    once(monkeypatch, study, "spiking_row", lambda row: None)
    tables, judged = whole_way("noisy-networks", tmp_path)
    of_runs = judged[~judged["claim"].str.contains("data absent")]
    assert len(of_runs) >= 2 and set(of_runs["verdict"]) == {"not comparable"}
    assert pd.read_parquet(tables / "widths.parquet")["width"].tolist() == [0.1]


@pytest.mark.long
def test_threshold_learning(tmp_path, monkeypatch):
    load_study("threshold-learning", ROOT)
    from analyses.threshold_learning import networks, protocols, study, training

    real = protocols.row
    monkeypatch.setattr(
        protocols,
        "row",
        lambda *args, **settings: {**real(*args, **settings), "sequences": 60, "epochs": 1},
    )
    monkeypatch.setattr(networks, "VOTERS", 2)
    monkeypatch.setattr(training, "TESTED", 20)
    monkeypatch.setitem(networks.SIZES, "digits", (8, False))
    once(monkeypatch, study, "training_row", lambda row: row["joint"])
    tables, judged = whole_way("threshold-learning", tmp_path)
    of_runs = judged[~judged["claim"].str.contains("data absent")]
    assert set(of_runs["verdict"]) == {"not comparable"} and set(of_runs["seeds"]) == {1}
    rows = pd.read_parquet(tables / "decisions.parquet")
    assert rows["joint"].tolist() == [False, True]
    assert (rows[["threshold_spread", "nanojoule", "rate_hidden"]] > 0).all(axis=None)
    assert rows[["rate_hidden", "noise", "salt", "flips", "test_score"]].max(axis=None) <= 1
    assert len(of_runs) == 6 and not of_runs["claim"].str.contains("without normalisation").any()


@pytest.mark.long
def test_complexity_classification(tmp_path, monkeypatch):
    load_study("complexity-classification", ROOT)
    from analyses.complexity_classification import data, protocols

    real = protocols.cell
    monkeypatch.setattr(protocols, "cell", lambda *args: {**real(*args), "sequences": 60})
    monkeypatch.setattr(protocols, "SIZES", (4,))
    monkeypatch.setattr(data, "STEPS", 60)
    monkeypatch.setattr(data, "SAMPLES", 400)
    tables, judged = whole_way("complexity-classification", tmp_path)
    training = pd.read_parquet(tables / "training.parquet")
    assert set(training["rule"]) == {"gradient", "teacher"} and (
        training[["joules", "milliseconds"]] > 0
    ).all(axis=None)
    assert (
        training[[name for name in training if name.startswith("test_")]]
        .stack()
        .between(0, 1)
        .all()
    )
    assert pd.read_csv(tables / "settings.csv")["left_out"].sum() == 0
    assert 0 < pd.read_parquet(tables / "capacity.parquet")["used"].item() <= 50
    assert (
        set(judged["verdict"]) == {"not comparable"}
        and set(judged["seeds"]) <= {0, 1}
        and len(judged) >= 4
    )


@pytest.mark.long
def test_neural_coding(tmp_path, monkeypatch):
    load_study("neural-coding", ROOT)
    from analyses.neural_coding import fitting, models, protocols, recordings, study

    random = np.random.default_rng(0)
    steps = 400
    envelope = np.repeat(random.random(steps // 20), 20)[:, None]
    features = recordings.standardised(recordings.filtered(envelope, 2e-3), envelope)
    spikes = random.random((1, steps, 1)) < 0.1 * envelope
    spans = [
        recordings.Span(features, spikes, *edges) for edges in ((0, 200), (200, 260), (260, steps))
    ]
    made = recordings.Recording(
        "grasshopper", "made", 2e-3, False, spans[:1], spans[1:2], spans[2], None
    )
    monkeypatch.setitem(recordings.READERS, "grasshopper", lambda name: made)
    monkeypatch.setattr(protocols, "names", lambda dataset: ["made for the whole way"])
    monkeypatch.setattr(protocols, "QUICK_UPDATES", 1)
    monkeypatch.setattr(models, "HIDDEN_SINGLE", 4)
    monkeypatch.setattr(fitting, "PASSES", 2)
    once(monkeypatch, study, "coding_row", lambda row: row["model"] == "deterministic")
    tables, judged = whole_way("neural-coding", tmp_path)
    assert set(judged["verdict"]) == {"not comparable"} and set(judged["dataset"]) == {
        "grasshopper"
    }, "one recording settles nothing"
    pairs = pd.read_csv(tables / "pairs.csv")
    assert set(pairs["cells"]) == {1} and set(pairs["rival"]) == {
        "output",
        "glm",
        "gif",
        "recurrent-output",
        "internal",
    }
    reasons = (
        pd.read_csv(tables / "summary.csv").query("statistic == 'all'").set_index("model")["note"]
    )
    assert (
        set(reasons.index) == {"coupled", "psth", "igif", "igif-ia"}
        and reasons.str.startswith("not defined: ").all()
    )


NEEDS = {
    "adaptive-lif": "qtdb-ecg",
    "surrogate-gradients": None,
    "noisy-networks": None,
    "threshold-learning": None,
    "neural-coding": "grasshopper",
    "complexity-classification": None,
}


@pytest.mark.long
@pytest.mark.parametrize("name", NEEDS)
def test_the_quick_protocol_as_a_command(name, tmp_path, request):
    """``neurocode study NAME --quick`` and ``neurocode figures NAME`` in a folder that holds
    nothing but the scripts."""
    if NEEDS[name]:
        request.getfixturevalue("recorded_data")
    for kind in ("analyses", "figures"):
        (tmp_path / kind).symlink_to(ROOT / kind)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }

    def command(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "neurocode", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]

    command("study", name, "--quick")
    tables = tmp_path / "out" / name / "quick"
    check(name, tables)
    assert "verdict" in pd.read_csv(tables / "claims.csv").columns
    command("figures", name, "--tables", tables, "-o", tmp_path / "drawn")
    assert {path.stem for path in (tmp_path / "drawn").iterdir()} == FIGURES[name]
