"""``make fuzz`` in small: twenty damaged files of every format, and tests of how it watches its
child processes."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
from fuzz_files import FORMATS, Case, Outcome, Worker, damaged, judge, make, read_every_way, table
from seed_files import write_seeds

from neurocode.errors import DataError


@pytest.fixture(scope="module")
def seeds(tmp_path_factory):
    return write_seeds(tmp_path_factory.mktemp("seeds"), None)


@pytest.mark.parametrize("name", FORMATS)
def test_whole_files_are_data(seeds, name):
    for path in seeds[name]:
        assert judge(path) == ("data", "")


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_files_are_data_or_a_sentence(seeds, tmp_path, name):
    cases = [Case(name, number, tuple(seeds[name])) for number in range(20)]
    outcomes = [judge(make(case, tmp_path)) for case in cases]
    assert [text for kind, text in outcomes if kind == "fault"] == []
    assert {kind for kind, _ in outcomes} <= {"data", "sentence"} and len(outcomes) == 20


def test_a_case_is_made_again_from_its_number(seeds, tmp_path):
    first, again, other = (
        make(Case("npy", number, tuple(seeds["npy"])), tmp_path).read_bytes()
        for number in (3, 3, 4)
    )
    assert first == again != other


def test_damage_never_lengthens_a_file():
    content = bytes(200)
    for seed in range(50):
        changed = damaged(content, np.random.default_rng(seed))
        assert 0 < len(changed) <= 200


def hang(path):
    time.sleep(60)


def crash(path):
    os._exit(7)


def fill_memory(path):
    np.ones(2**28)


def raise_other(path):
    raise KeyError("spikes")


def say_two_lines(path):
    raise DataError(f"{path}: one\ntwo.")


def say_nothing_of_the_file(path):
    raise DataError("Something is wrong.")


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (hang, "hang: more than 0.3 s"),
        (crash, "crash: exit code 7"),
        (fill_memory, "MemoryError: "),
        (raise_other, "KeyError: 'spikes'"),
        (say_two_lines, "no sentence: "),
        (say_nothing_of_the_file, "no sentence: "),
    ],
)
def test_hangs_crashes_and_other_errors_are_faults(seeds, read, text):
    worker = Worker(read, seconds=0.3 if read is hang else 5.0, memory=2**30)
    case = Case("npy", 0, tuple(seeds["npy"]))
    for _ in range(2):
        outcome = worker.outcome(case)
        assert outcome.kind == "fault" and outcome.text.startswith(text)
    worker.stop()


def test_a_child_judges_as_its_parent_does(seeds):
    worker = Worker(read_every_way)
    for number in range(5):
        case = Case("csv", number, tuple(seeds["csv"]))
        assert worker.outcome(case).kind in ("data", "sentence")
    worker.stop()


def test_the_table_counts_outcomes():
    cases = [Case(name, 0, ()) for name in ("abf", "abf", "csv")]
    rows = table(
        [
            Outcome(case, kind, "")
            for case, kind in zip(cases, ("data", "fault", "sentence"), strict=True)
        ]
    ).splitlines()
    assert [row.split() for row in rows] == [
        ["format", "cases", "data", "sentence", "fault"],
        ["abf", "2", "1", "0", "1"],
        ["csv", "1", "0", "1", "0"],
    ]
