"""Any error of a library becomes a one-sentence error."""

from __future__ import annotations

import logging

import pytest

from neurocode.errors import DataError, ModelError
from neurocode.logs import quiet
from neurocode.recordings.guard import LONGEST_REASON, damage_named, require_file


def said(path, error):
    with pytest.raises(DataError) as caught, damage_named(path, "Neo"):
        raise error
    return str(caught.value)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("too short"), "too short"),
        (KeyError("spikes"), "'spikes'"),
        (MemoryError(), "MemoryError"),
        (RuntimeError("first line.\nsecond line"), "first line"),
        (OSError("\nsecond line"), "OSError"),
        (ValueError("a\x00b\x1b[31m"), "a?b?[31m"),
        (ValueError("x" * 500), "x" * LONGEST_REASON),
    ],
)
def test_the_reason_is_one_printable_line(tmp_path, error, reason):
    assert (
        said(tmp_path / "x.abf", error)
        == f"{tmp_path / 'x.abf'}: the file is damaged or truncated (Neo: {reason})."
    )


def test_what_neurocode_says_stands(tmp_path):
    for error in (DataError("One thing."), ModelError("Another.")):
        with pytest.raises(type(error)) as caught, damage_named(tmp_path, "Neo"):
            raise error
        assert caught.value is error
    with damage_named(tmp_path, "Neo"):
        pass
    with pytest.raises(KeyboardInterrupt), damage_named(tmp_path, "Neo"):
        raise KeyboardInterrupt


def test_a_library_is_quiet_for_a_while(caplog):
    logger = logging.getLogger("a library")
    logger.setLevel(logging.INFO)
    with pytest.raises(ValueError, match="x"), quiet("a library"):
        logger.critical("within")
        raise ValueError("x")
    logger.info("after")
    assert [record.message for record in caplog.records] == [
        "after"
    ] and logger.level == logging.INFO


def test_a_file_is_there_and_holds_something(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "full").write_text("x")
    assert require_file(str(tmp_path / "full")) == tmp_path / "full"
    for name, says in (
        ("", "this is a folder, expected a file."),
        ("absent", "there is no such file."),
        ("empty", "the file is empty."),
    ):
        with pytest.raises(DataError) as caught:
            require_file(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {says}"
