"""What a study declares, how a part of it is run, and where studies are searched for."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import pytest

import neurocode
from neurocode.errors import DataError, ModelError
from neurocode.studies import Study, StudyRun, study_table
from neurocode.studies.study import checkout, load_study, module_of, names_of, results_of

ROOT = Path(__file__).parents[2]


def halved(x):
    if x == 3:
        raise ValueError("three is odd\nand more")
    return {"half": x / 2}


def said(call, *arguments):
    """Return the message of a DataError."""
    with pytest.raises(DataError) as caught:
        call(*arguments)
    return str(caught.value)


def study(**needs):
    parts = dict.fromkeys(("drawn", "traces", "cells"))
    return Study(
        "made",
        ("full", "quick"),
        parts,
        lambda folder: [],
        lambda protocol: needs if protocol == "full" else {},
    )


def test_missing_data_are_named_before_anything_is_run(tmp_path, monkeypatch):
    """The folder, where it was looked for, and what runs without."""
    made = study(traces=("ecg",), cells=("raphe", "ecg"))
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    assert said(made.require_data, "full", ["drawn", "traces"]) == (
        "The study reads the folder ecg of NEUROCODE_DATA, which is not set; without it, run "
        "--part drawn."
    )
    monkeypatch.setenv("NEUROCODE_DATA", str(tmp_path))
    assert said(made.require_data, "full", ["traces", "cells"]) == (
        f"The study reads the folders ecg, raphe of NEUROCODE_DATA, which are not in {tmp_path}; "
        f"without them, run --part drawn."
    )
    (tmp_path / "ecg").mkdir()
    assert said(made.require_data, "full", ["cells"]) == (
        f"The study reads the folder raphe of NEUROCODE_DATA, which is not in {tmp_path}; without "
        f"it, run --part drawn --part traces."
    )
    (tmp_path / "raphe").write_text("a file is no folder of recordings")
    assert "folder raphe" in said(made.require_data, "full", ["cells"])
    everything = study(**dict.fromkeys(("drawn", "traces", "cells"), ("stn",)))
    assert said(everything.require_data, "full", ["cells"]) == (
        f"The study reads the folder stn of NEUROCODE_DATA, which is not in {tmp_path}."
    )


def test_data_that_no_chosen_part_reads_are_not_asked_for(tmp_path, monkeypatch):
    made = study(traces=("ecg",))
    monkeypatch.setenv("NEUROCODE_DATA", str(tmp_path))
    assert made.require_data("full", ["drawn", "cells"]) is None
    assert made.require_data("quick", ["drawn", "traces", "cells"]) is None
    (tmp_path / "ecg").mkdir()
    assert made.require_data("full", ["traces"]) is None
    assert (
        Study("made", ("quick",), {}, lambda folder: []).require_data("quick", ["anything"]) is None
    )


#: Folders that each study reads, in its first and in its quick protocol.
READ = {
    "adaptive-lif": ({"qtdb-ecg", "braille", "raphe"}, set()),
    "raphe-networks": ({"qtdb-ecg", "braille", "raphe"}, set()),
    "surrogate-gradients": ({"qtdb-ecg", "braille"}, set()),
    "noisy-networks": ({"mnist10k", "braille"}, set()),
    "threshold-learning": ({"mnist10k", "braille"}, set()),
    "populations": ({"retina-movies", "aplysia"}, set()),
    "neural-coding": ({"raphe", "grasshopper", "starling", "retina-movies"}, {"grasshopper"}),
    "complexity-classification": ({"stn", "starling", "retina-movies"}, set()),
}


@pytest.mark.parametrize("name", READ)
def test_every_study_says_which_folders_it_reads(name, monkeypatch):
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    study = load_study(name, ROOT)
    for protocol, folders in zip((study.protocols[0], "quick"), READ[name], strict=True):
        needs = study.data(protocol)
        assert {folder for part in needs.values() for folder in part} == folders
        assert set(needs) <= set(study.parts)
        if folders:
            sentence = said(study.require_data, protocol, list(study.parts))
            assert all(folder in sentence for folder in folders) and sentence.count(".") == 1


def test_rows_of_a_part_are_kept_where_the_run_says(tmp_path):
    seen = []
    run = StudyRun(
        "quick",
        tmp_path,
        tmp_path / "networks",
        1,
        None,
        lambda done, total: seen.append((done, total)),
    )
    table = run.rows(halved, [{"x": 4}, {"x": 6}], "halves.parquet")
    assert table["half"].tolist() == [2.0, 3.0] and seen == [(0, 2), (1, 2), (2, 2)]
    pd.testing.assert_frame_equal(study_table(tmp_path / "halves.parquet"), table)


def test_failed_rows_are_counted_and_the_first_is_quoted(tmp_path):
    run = StudyRun("quick", tmp_path, tmp_path, 1, None, lambda done, total: None)
    assert said(run.rows, halved, [{"x": 3}, {"x": 2}, {"x": 5}], "t.parquet") == (
        f"{tmp_path / 't.parquet'}: 1 rows failed and are run again next time; the first: and more"
    )
    assert study_table(tmp_path / "t.parquet")["half"].tolist()[1:] == [1.0, 2.5]


def made_checkout(folder):
    """A checkout of two studies and a figure, of module names that no other checkout has."""
    for kind, path in (
        ("analyses", "made_up/study.py"),
        ("analyses", "no_study/other.py"),
        ("figures", "made_up.py"),
    ):
        (folder / kind / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / kind / path).write_text("STUDY = 'this one'\n")
    return folder


def test_studies_are_folders_that_hold_study(tmp_path):
    place = made_checkout(tmp_path)
    assert names_of("analyses", place, "study") == ["made-up"] and names_of("figures", place) == [
        "made-up"
    ]
    assert names_of("analyses", place, "nothing") == []
    assert results_of("made-up", place) == place / "analyses" / "made_up" / "results"


def test_a_checkout_is_the_place_given_or_the_working_folder_or_that_of_the_source(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert checkout() == Path(neurocode.__file__).resolve().parents[1]
    made_checkout(tmp_path)
    assert checkout() == tmp_path.resolve() and checkout(ROOT) == ROOT.resolve()
    (tmp_path / "bare" / "analyses").mkdir(parents=True)
    with pytest.raises(ModelError, match=r"folders analyses and figures of a checkout"):
        checkout(tmp_path / "bare")


def test_unknown_names_are_refused_with_the_known_ones(tmp_path):
    place = made_checkout(tmp_path)
    with pytest.raises(
        ModelError, match=re.escape("'chess' is not among the figures; known are made-up.")
    ):
        module_of("figures", "chess", place)
    with pytest.raises(
        ModelError, match=re.escape("'chess' is not among the analyses; known are none.")
    ):
        module_of("analyses", "chess", place, "nothing")


def test_a_module_is_that_of_its_checkout():
    before = list(sys.path)
    module = module_of("figures", "noisy-networks", ROOT)
    assert (
        module.__name__ == "figures.noisy_networks"
        and Path(module.__file__) == ROOT / "figures" / "noisy_networks.py"
    )
    assert (
        load_study("noisy-networks", ROOT)
        is module_of("analyses", "noisy-networks", ROOT, "study").STUDY
    )
    assert sys.path == before or sys.path[1:] == before
