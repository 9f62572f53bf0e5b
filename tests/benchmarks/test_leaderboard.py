"""Rows of the leaderboard, the table that they are merged into, and the page made from it."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from benchmarks import lz, timings
from benchmarks.leaderboard import (
    BenchmarkTask,
    Request,
    Row,
    load_task,
    merged,
    published,
    read_table,
    task_names,
    timing_rows,
    write_table,
)
from benchmarks.leaderboard import machine as machines
from benchmarks.leaderboard.page import EMPTY, markdown_of
from benchmarks.leaderboard.table import COLUMNS, table_of
from benchmarks.leaderboard.tasks import raphe
from benchmarks.timings import Timing
from neurocode.errors import DataError, ModelError

HERE = {
    "protocol": "full",
    "machine": "a machine, 2 cores",
    "neurocode": "0.2.0",
    "python": "3.13.1",
    "libraries": "numpy 2.3.5",
    "date": "2026-11-27",
}


def table(task: str, ours: float = 1.0, machine: str = "here", **more) -> pd.DataFrame:
    row = Row("a case", "time", "s", "lower", ours, "antropy", 3.0, **more)
    return table_of(task, [row], {**HERE, "machine": machine})


def test_a_ratio_above_one_is_better_for_us_whichever_way_is_better():
    """2 s against 6 s: three times faster. 90 % against 60 %: one and a half times as accurate."""
    assert Row("c", "time", "s", "lower", 2.0, "p", 6.0).ratio == 3.0
    assert Row("c", "time", "s", "lower", 6.0, "p", 2.0).ratio == pytest.approx(1 / 3)
    assert Row("c", "accuracy", "%", "higher", 90.0, "p", 60.0).ratio == pytest.approx(1.5)
    assert Row("c", "accuracy", "%", "higher", 60.0, "p", 90.0).ratio == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("ours", "theirs"), [(-0.4, 2.0), (2.0, -0.4), (0.0, 1.0), (2.0, math.nan)]
)
@pytest.mark.parametrize("better", ["lower", "higher"])
def test_values_that_are_not_positive_have_no_ratio(ours, theirs, better):
    assert math.isnan(Row("c", "bits per spike", "bits", better, ours, "p", theirs).ratio)


def test_a_published_value_carries_its_source_and_is_marked():
    ours = Row("c", "accuracy", "%", "higher", 88.0, note="one seed")
    beside = published(ours, "SE", 80.0, "a paper 2025, its table 2", "other cells")
    assert (ours.kind, beside.kind) == ("no peer", "published")
    assert Row("c", "time", "s", "lower", 1.0, "antropy", 2.0).kind == "same run"
    assert beside.ratio == pytest.approx(1.1) and beside.ours == 88.0
    assert (beside.note, published(ours, "SE", 80.0, "a paper").note) == ("other cells", "one seed")


def test_rows_that_could_be_read_in_two_ways_are_refused():
    with pytest.raises(ValueError, match="'more' is better, expected lower or higher"):
        Row("c", "accuracy", "%", "more", 1.0)
    with pytest.raises(ValueError, match="published value without the name of a peer"):
        Row("c", "accuracy", "%", "higher", 1.0, source="a paper")


def test_timings_become_rows_with_their_notes():
    (row,) = timing_rows([Timing("gif", "Nevergrad on Brian2", 300.0, 15.0, "stopped early")])
    assert (row.ours, row.peer_value, row.ratio, row.better) == (15.0, 300.0, 20.0, "lower")
    assert (row.unit, row.kind, row.note) == ("s", "same run", "stopped early")


def test_versions_of_peers_are_those_that_ran():
    """If the value of a library is only quoted from a paper, no version is given."""
    ran = Row("c", "time", "s", "lower", 1.0, "LSTM (Equinox)", 2.0)
    read = published(ran, "LSTM (Equinox)", 3.0, "a paper")
    versions = table_of("a-task", [ran, read], HERE)["peer_version"].tolist()
    assert versions[0].startswith("equinox 0.") and versions[1] == ""


def test_new_rows_replace_those_of_the_same_task_and_machine_alone():
    old = pd.concat(
        [
            table("lz76", 1.0),
            table("lz76", 2.0, "elsewhere"),
            table("ecg", 3.0),
            # a case that the new run has not measured goes with the others
            table("lz76", 4.0, note="of another case"),
        ]
    )
    rows = merged(old, table("lz76", 5.0))
    assert list(zip(rows["task"], rows["machine"], rows["ours"], strict=True)) == [
        ("ecg", "here", 3.0),
        ("lz76", "elsewhere", 2.0),
        ("lz76", "here", 5.0),
    ]


def test_a_written_table_is_read_back(tmp_path):
    path = tmp_path / "new" / "leaderboard.csv"
    assert read_table(path).empty and tuple(read_table(path).columns) == COLUMNS
    rows = [Row("DRN164, gif", "Md*(8 ms)", "", "higher", 0.7294567)]
    written = merged(read_table(path), table_of("raphe", rows, {**HERE, "neurocode": "1.0"}))
    write_table(written, path)
    read = read_table(path)
    assert read["ours"].tolist() == [0.729457] and np.isnan(read["ratio"]).all()
    # text that looks like a number stays text, and absent text is empty
    assert read.loc[0, ["unit", "neurocode", "peer"]].tolist() == ["", "1.0", ""]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "", ",".join(COLUMNS) + "\n" + ",".join("x" * 19)])
def test_a_file_that_is_no_leaderboard_is_refused(tmp_path, text):
    path = tmp_path / "leaderboard.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=r"leaderboard\.csv is not a table of a leaderboard"):
        read_table(path)


def test_every_task_says_what_it_takes():
    assert task_names() == [
        "braille",
        "describe",
        "ecg",
        "gif-fit",
        "lz76",
        "population",
        "raphe",
        "training-step",
    ]
    for name in task_names():
        task = load_task(name)
        assert task.title and 0 < task.minutes <= 15
        assert not task.timed or task.peers
    with pytest.raises(ModelError, match=r"'lz' is not among the tasks .* lz76, population"):
        load_task("lz")


def made(**options) -> BenchmarkTask:
    return BenchmarkTask("made", 1.0, lambda request: [], **options)


def test_a_task_without_its_recordings_says_which(monkeypatch, tmp_path):
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    task = made(data=("raphe", "braille"))
    assert task.obstacle() == "the folder raphe of NEUROCODE_DATA is not set."
    monkeypatch.setenv("NEUROCODE_DATA", str(tmp_path))
    (tmp_path / "raphe").mkdir()
    assert task.obstacle() == f"the folder braille of NEUROCODE_DATA is not in {tmp_path}."
    (tmp_path / "braille").mkdir()
    assert task.obstacle() == ""


def test_a_timed_task_needs_one_peer_and_names_those_that_are_missing(monkeypatch):
    monkeypatch.setattr(
        "benchmarks.peers.LIBRARIES", {"first": "a_library_nobody_wrote", "second": "numpy"}
    )
    absent = 'no peer is installed (a_library_nobody_wrote): pip install "neurocode[bench]".'
    assert made(timed=True, peers=("first",)).obstacle() == absent
    assert made(timed=True, peers=("first", "second")).obstacle() == ""
    assert made(peers=("first",)).obstacle() == ""


def test_scripts_say_which_peers_are_missing(monkeypatch, capsys):
    monkeypatch.setattr("benchmarks.peers.LIBRARIES", {"first": "a_library", "second": "numpy"})
    assert timings.present(("first", "second")) == ["second"]
    assert capsys.readouterr().out == (
        'first is left out: a_library is not installed (pip install "neurocode[bench]").\n'
    )


def test_a_missing_peer_of_lz76_leaves_its_rows_out_alone(monkeypatch):
    """Stand-ins return the same counts as neurocode: antropy is timed only up to 1e5 symbols and
    not on many trains."""
    monkeypatch.setattr(lz, "by_lzcomplexity", lambda: lz.nc.complexity.lz76)
    monkeypatch.setattr(lz, "TRAINS", 3)
    rows = load_task("lz76").rows(Request(quick=True, peers=("lzcomplexity",)))
    # four sources: two lengths and the trains
    assert {row.peer for row in rows} == {"lzcomplexity"} and len(rows) == 12
    monkeypatch.setattr(lz, "by_antropy", lambda: lz.nc.complexity.lz76)
    rows_of_both_peers = load_task("lz76").rows(
        Request(quick=True, peers=("lzcomplexity", "antropy"))
    )
    assert [row.peer for row in rows_of_both_peers].count("antropy") == 8 and len(
        rows_of_both_peers
    ) == 20


def test_a_peer_that_counts_otherwise_stops_the_task():
    symbols = np.zeros(8, np.uint8)
    counts = {"neurocode": lambda x: 5, "lzcomplexity": lambda x: 4, "antropy": lambda x: 5}
    lz.require_equal(counts, symbols)
    with pytest.raises(AssertionError, match="'antropy': 4"):
        lz.require_equal({**counts, "antropy": lambda x: 4}, symbols)
    with pytest.raises(AssertionError, match="'lzcomplexity': 3"):
        lz.require_equal({**counts, "lzcomplexity": lambda x: 3}, symbols)


def test_the_median_of_all_raphe_cells_stands_beside_the_published_one():
    """Md* of 0.1, 0.2, 0.7, 0.8, 0.9 has the median 0.7, twice the published 0.35."""
    scores = [(0.9, 1.0), (0.1, -2.0), (0.7, 3.0), (0.2, 4.0), (0.8, 5.0)]
    values = dict(zip(raphe.RAPHE, scores, strict=True))
    rows = raphe.rows_of("gif", values)
    assert [row.kind for row in rows] == 10 * ["no peer"] + ["published"]
    assert (rows[-1].ours, rows[-1].peer, rows[-1].peer_value) == (0.7, "GIF", 0.35)
    assert rows[-1].ratio == pytest.approx(2.0) and "Harkin et al. 2023" in rows[-1].source
    assert (rows[3].case, rows[3].measure, rows[3].ours) == (
        "DRN158, gif",
        "held-out bits per spike",
        -2.0,
    )
    few = raphe.rows_of("gif", {"DRN164": (0.7, 2.0)})
    assert [row.kind for row in few] == ["no peer", "no peer"]


def test_the_machine_is_named_by_its_processor(monkeypatch, tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor\t: 0\nmodel name\t: Some  CPU @ 2 GHz\nmodel name\t: another\n")
    monkeypatch.setattr(machines, "PROCESSORS", file)
    monkeypatch.setattr(machines.os, "cpu_count", lambda: 3)
    monkeypatch.setattr(machines.os, "sysconf", {"SC_PHYS_PAGES": 2**21, "SC_PAGE_SIZE": 4096}.get)
    assert machines.machine() == "Some CPU @ 2 GHz, 3 cores, 8 GiB"
    monkeypatch.setattr(machines, "PROCESSORS", tmp_path / "absent")
    assert machines.processor()


def test_the_page_has_a_section_per_task_and_marks_what_was_published():
    rows = [
        Row("p=0.5|x", "time", "s", "lower", 0.5, "antropy", 2.0),
        published(
            Row("five cells", "Md*(8 ms)", "", "higher", 0.7), "GIF", 0.35, "a paper 2023", "others"
        ),
        Row("DRN164", "bits", "bits", "higher", -0.4),
    ]
    table = table_of("lz76", rows, HERE)
    table["peer_version"] = ["antropy 0.2.3", "", ""]
    text = markdown_of(table)
    assert "## Lempel-Ziv complexity (LZ76)\n\n`neurocode benchmark --task lz76`" in text
    assert "a machine, 2 cores; neurocode 0.2.0, Python 3.13.1, numpy 2.3.5; 2026-11-27" in text
    assert text.splitlines()[-3:] == [
        "| p=0.5\\|x | time | 0.5 s | antropy | 2 s | 4 | same run; antropy 0.2.3 |",
        "| five cells | Md\\*(8 ms) | 0.7 | GIF | 0.35 | 2 | **published**; a paper 2023; others |",
        "| DRN164 | bits | -0.4 bits |  |  |  | no peer |",
    ]
    assert markdown_of(table.iloc[:0]) == EMPTY
    quick = markdown_of(table.assign(protocol="quick"))
    assert "2026-11-27; quick" in quick
