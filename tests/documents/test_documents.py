"""Every command and every snippet of the README and of docs runs as it stands, in a clean
folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pooch
import pytest

from tests.documents.blocks import LONG, RECORDED, Block, blocks_of
from tests.documents.files import write_files
from tests.documents.reader import documents, is_run, run

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = documents(ROOT)


def name_of(document: Path) -> str:
    """Where a document lies in the checkout."""
    return document.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def folder_of_a_reader(tmp_path_factory):
    """Return a folder with a reader's recordings and copies of the folders that the documents
    name."""
    folder = tmp_path_factory.mktemp("reader")
    write_files(folder)
    for name in ("docs", "analyses", "figures"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


@pytest.fixture
def folder(folder_of_a_reader, tmp_path, monkeypatch):
    """Return a clean copy of the folder of a reader."""
    shutil.copytree(folder_of_a_reader, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def recordings_at_hand(folder, recorded_data):
    """Copy the files of the data folder to which documents refer by their bare names."""
    for source in [*(recorded_data / "raphe").glob("*.abf"), recorded_data / "qtdb-ecg"]:
        (folder / source.name).symlink_to(source)


@pytest.fixture
def no_network(monkeypatch):
    def refused(*_, **__):
        raise OSError("no network in tests")

    monkeypatch.setattr(pooch, "retrieve", refused)


def run_all(blocks: list[Block], monkeypatch) -> None:
    names: dict = {"__name__": "__main__"}
    for block in blocks:
        try:
            run(block, names, monkeypatch)
        except (Exception, SystemExit) as error:
            raise AssertionError(f"{block.where} fails: {type(error).__name__}: {error}") from error


def quick(blocks: list[Block]) -> list[Block]:
    return [block for block in blocks if is_run(block) and LONG not in block.notes]


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_quick_blocks_run_without_recorded_data(document, folder, monkeypatch, no_network):
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    run_all(
        [block for block in quick(blocks_of(document)) if RECORDED not in block.notes], monkeypatch
    )


@pytest.mark.parametrize(
    "document",
    [d for d in DOCUMENTS if any(RECORDED in b.notes for b in quick(blocks_of(d)))],
    ids=name_of,
)
def test_quick_blocks_run_with_recorded_data(document, folder, recordings_at_hand, monkeypatch):
    run_all(quick(blocks_of(document)), monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize(
    "document", [d for d in DOCUMENTS if any(LONG in b.notes for b in blocks_of(d))], ids=name_of
)
def test_all_blocks_run(document, folder, recordings_at_hand, monkeypatch):
    run_all([block for block in blocks_of(document) if is_run(block)], monkeypatch)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_blocks_with_recorded_data_say_what_is_missing_without_them(
    document, folder, monkeypatch, no_network, capsys
):
    monkeypatch.delenv("NEUROCODE_DATA", raising=False)
    for block in blocks_of(document):
        if is_run(block) and RECORDED in block.notes and block.language != "python":
            with pytest.raises(SystemExit) as stop:
                run(block, {}, monkeypatch)
            message = capsys.readouterr().err
            assert stop.value.code in (1, 2), block.where
            assert message.startswith("neurocode: ") and len(message.splitlines()) <= 2, (
                f"{block.where}: {message}"
            )


def test_blocks_that_are_not_run_say_why():
    for document in DOCUMENTS:
        for block in blocks_of(document):
            assert is_run(block) or block.language == "toml" or len(block.reason_not_to_run) > 10, (
                block.where
            )


def test_the_reader_notices_a_command_that_fails(folder, monkeypatch):
    absent = Block("here:1", "", "neurocode describe absent.nwb -o out/", ())
    with pytest.raises(AssertionError, match="here:1 fails: SystemExit: 1"):
        run_all([absent], monkeypatch)
    assert "out" not in os.listdir(folder)
