"""Folders are replaced as a whole: a kill at any moment leaves the old folder or the new one, never
a mixture."""

from __future__ import annotations

import os
import threading

import pytest

from neurocode.errors import DataError
from neurocode.locks import in_turn
from neurocode.whole_files import recover_folder, replacing, replacing_folder, require_replaceable


class Killed(BaseException):
    """Raised in place of the end of the process: nothing runs after it."""


def nothing(folder):
    return ()


def fill(folder, **files):
    for name, text in files.items():
        (folder / name).write_text(text)


def content(folder):
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_the_new_folder_takes_the_place_of_the_old_one_and_other_files_stay(tmp_path):
    folder = tmp_path / "out"
    with replacing_folder(folder, nothing) as scratch:
        fill(scratch, settings="width 3", numbers="1 2 3", figure="old")
    assert content(folder) == {"settings": "width 3", "numbers": "1 2 3", "figure": "old"}
    fill(folder, notes="mine")
    (folder / "below").mkdir()
    fill(folder / "below", deep="kept")
    with replacing_folder(folder, lambda old: ["settings", "numbers", "figure"]) as scratch:
        assert content(scratch) == {}
        fill(scratch, settings="width 0.01", numbers="4 5 6")
        assert content(folder)["settings"] == "width 3"
    assert content(folder) == {"settings": "width 0.01", "numbers": "4 5 6", "notes": "mine"}
    assert content(folder / "below") == {"deep": "kept"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_error_inside_leaves_the_old_folder_and_no_trace(tmp_path):
    folder = tmp_path / "new" / "out"
    with pytest.raises(ValueError, match="no"), replacing_folder(folder, nothing) as scratch:
        fill(scratch, half="written")
        raise ValueError("no")
    assert list(tmp_path.iterdir()) == []
    with replacing_folder(folder, nothing) as scratch:
        fill(scratch, numbers="1")
    with pytest.raises(ValueError, match="no"), replacing_folder(folder, nothing) as scratch:
        fill(scratch, numbers="2")
        raise ValueError("no")
    assert content(folder) == {"numbers": "1"} and [
        path.name for path in folder.parent.iterdir()
    ] == ["out"]


@pytest.mark.parametrize("moment", range(4))
def test_a_kill_at_any_rename_leaves_one_of_the_two_folders(tmp_path, monkeypatch, moment):
    """Renames: the old folder aside, the new one in place, two files that are kept; a kill comes
    before one of them."""
    folder = tmp_path / "out"
    with replacing_folder(folder, nothing) as scratch:
        fill(scratch, settings="old", numbers="old", scores="old")
    fill(folder, notes="mine", more="mine")
    count, rename = [0], os.rename

    def killed(source, target):
        if count[0] >= moment:
            raise Killed
        count[0] += 1
        rename(source, target)

    monkeypatch.setattr(os, "rename", killed)
    monkeypatch.setattr("shutil.rmtree", lambda *arguments, **options: None)
    ours = lambda old: ["settings", "numbers", "scores"]  # noqa: E731
    with pytest.raises(Killed), replacing_folder(folder, ours) as scratch:
        fill(scratch, settings="new", numbers="new")
    monkeypatch.undo()
    recover_folder(folder, ours)
    new = (
        {"settings": "new", "numbers": "new"}
        if moment >= 2
        else {"settings": "old", "numbers": "old", "scores": "old"}
    )
    assert content(folder) == {**new, "notes": "mine", "more": "mine"}
    with replacing_folder(folder, ours) as scratch:
        assert content(scratch) == {}
        fill(scratch, settings="last")
    assert content(folder) == {"settings": "last", "notes": "mine", "more": "mine"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failing_rename_puts_the_old_folder_back(tmp_path, monkeypatch):
    folder = tmp_path / "out"
    with replacing_folder(folder, nothing) as scratch:
        fill(scratch, numbers="old")
    rename = os.rename

    def failing(source, target):
        if str(source).endswith(".writing"):
            raise OSError("disk")
        rename(source, target)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="disk"), replacing_folder(folder, nothing) as scratch:
        fill(scratch, numbers="new")
    assert content(folder) == {"numbers": "old"} and [path.name for path in tmp_path.iterdir()] == [
        "out"
    ]


def test_two_processes_do_not_write_one_folder(tmp_path):
    folder = tmp_path / "out"
    with (
        replacing_folder(folder, nothing) as scratch,
        pytest.raises(DataError, match="out: another run is writing into this folder"),
        replacing_folder(folder, nothing),
    ):
        pass
    assert not scratch.exists() and folder.is_dir()
    with replacing_folder(tmp_path / "other", nothing), replacing_folder(folder, nothing):
        pass


def test_two_threads_take_turns(tmp_path):
    """The second enters only once the first has left, and both may be for other paths at once."""
    order, inside, leave = [], threading.Event(), threading.Event()

    def first() -> None:
        with in_turn(tmp_path / "new" / "network"):
            inside.set()
            assert leave.wait(10)
            order.append("first")

    def second() -> None:
        assert inside.wait(10)
        with in_turn(tmp_path / "new" / "network"):
            order.append("second")

    threads = [threading.Thread(target=each) for each in (first, second)]
    for thread in threads:
        thread.start()
    assert inside.wait(10)
    with in_turn(tmp_path / "new" / "another"):
        threads[1].join(0.2)  # time to enter, if it could
        assert order == []
    leave.set()
    for thread in threads:
        thread.join(10)
    assert order == ["first", "second"]


def test_folders_that_cannot_be_replaced_are_named_before_any_work(tmp_path, monkeypatch):
    fill(tmp_path, file="")
    for folder, says in (
        (tmp_path / "file", "file: this is a file, expected a folder to write into"),
        (tmp_path / "file" / "out", "is a file, expected a folder"),
        ("/proc/out", "nothing can be written in /proc"),
        ("/proc", "cannot be replaced as a whole"),
        ("", "cannot be replaced as a whole"),
    ):
        with pytest.raises(DataError, match=says):
            require_replaceable(folder)
    (tmp_path / "inside").mkdir()
    monkeypatch.chdir(tmp_path / "inside")
    for folder in (".", "..", tmp_path, tmp_path / "inside"):
        with pytest.raises(DataError, match="holds the working folder"):
            require_replaceable(folder)
    assert require_replaceable("out") == tmp_path / "inside" / "out"
    assert require_replaceable("../inside/a/b") == tmp_path / "inside" / "a" / "b"
    assert list((tmp_path / "inside").iterdir()) == []


def test_a_file_is_replaced_when_it_is_whole(tmp_path):
    path = tmp_path / "deep" / "table.csv"
    with replacing(path) as scratch:
        scratch.write_text("a,b")
        assert not path.exists()
    with pytest.raises(ValueError, match="no"), replacing(path) as scratch:
        scratch.write_text("c")
        raise ValueError("no")
    assert path.read_text() == "a,b"
