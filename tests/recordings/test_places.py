"""Folders and patterns stand for the recordings in them, in the order of names."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.recordings.places import recording_files


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "sessions"
    (place / "phy").mkdir(parents=True)
    (place / "other").mkdir()
    np.save(place / "phy" / "spike_times.npy", np.array([3]))
    for name in (
        "b.nwb",
        "a.CSV",
        "c.npz",
        "notes.txt",
        "raw.dat",
        "figure.pdf",
        ".hidden.nwb",
        "other/deep.nwb",
    ):
        (place / name).write_text("0.5")
    return place


def names(places, folder):
    return [str(path.relative_to(folder)) for path in recording_files(places)]


def test_a_folder_stands_for_its_recordings_and_a_sorting_for_itself(folder):
    assert names([folder], folder) == ["a.CSV", "b.nwb", "c.npz", "phy"]
    assert names([folder / "phy"], folder) == ["phy"] and names(
        [str(folder / "other")], folder
    ) == ["other/deep.nwb"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.nwb", ["b.nwb"]),
        ("*.txt", ["notes.txt"]),
        ("*", ["a.CSV", "b.nwb", "c.npz", "notes.txt", "phy", "raw.dat"]),
        ("**/*.nwb", ["b.nwb", "other/deep.nwb"]),
        ("[bc].*", ["b.nwb", "c.npz"]),
    ],
)
def test_a_pattern_stands_for_what_it_matches(folder, pattern, expected):
    assert sorted(names([folder / pattern], folder)) == expected


def test_files_stand_for_themselves_also_where_a_name_looks_like_a_pattern(folder):
    (folder / "x[1].csv").write_text("0.5")
    assert names([folder / "x[1].csv", folder / "absent.nwb", folder / "figure.pdf"], folder) == [
        "x[1].csv",
        "absent.nwb",
        "figure.pdf",
    ]


def test_what_stands_for_nothing_is_refused(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    for place, says in (
        (
            tmp_path / "empty",
            "empty: the folder holds no recording; expected a Phy folder or files that end in "
            ".nwb, .abf",
        ),
        (folder / "*.xyz", r"\*.xyz: no file matches; expected recordings that end in .nwb"),
        (folder / "*.pdf", r"\*.pdf: none of the 1 that match can be read"),
    ):
        with pytest.raises(DataError, match=says) as caught:
            recording_files([place])
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
