"""Public data sets: listed, found, copied, downloaded, and checked against their published
files."""

from __future__ import annotations

import hashlib
import http.server
import re
import threading
from functools import partial

import pytest
from typer.testing import CliRunner

from neurocode.cli import app
from neurocode.errors import DataError
from neurocode.recordings import datasets

CONTENT = "0.5\n"
CHECKSUM = hashlib.sha256(CONTENT.encode()).hexdigest()


@pytest.fixture
def moon(tmp_path, monkeypatch):
    """Return a data set of two files, the first of which is in the folder of NEUROCODE_DATA."""
    server = http.server.ThreadingHTTPServer(
        ("localhost", 0), partial(Quiet, directory=str(tmp_path / "served"))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "served" / "deep").mkdir(parents=True)
    (tmp_path / "served" / "deep" / "b.txt").write_text(CONTENT)
    (tmp_path / "all" / "moon").mkdir(parents=True)
    (tmp_path / "all" / "moon" / "a.txt").write_text(CONTENT)
    entries = {
        "a.txt": ("a.txt", CHECKSUM),
        "b.txt": ("deep/b.txt", CHECKSUM),
        "c.txt": ("c.txt", CHECKSUM),
    }
    entry = datasets.Dataset(
        "moon",
        "Of the [/bold] moon",
        "x",
        "MIT",
        f"http://localhost:{server.server_port}/",
        entries,
    )
    monkeypatch.setattr(datasets, "available", lambda: {"moon": entry})
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, str(tmp_path / "all"))
    yield tmp_path
    server.shutdown()
    server.server_close()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def refused(match, *arguments, **options):
    with pytest.raises(DataError, match=match):
        datasets.fetch(*arguments, **options)


def test_a_file_at_hand_is_used_or_copied_where_it_is_asked_for(moon):
    """If NEUROCODE_DATA is set, the next command of the README still finds ``data/``."""
    local = moon / "all" / "moon" / "a.txt"
    assert datasets.fetch("moon", "a.txt") == local
    runner = CliRunner()
    for _ in range(2):
        run = runner.invoke(
            app, ["data", "fetch", "moon", "--file", "a.txt", "-o", str(moon / "data")]
        )
        assert run.exit_code == 0 and "".join(run.output.split()) == str(moon / "data" / "a.txt")
    assert (moon / "data" / "a.txt").read_text() == CONTENT
    assert (
        datasets.fetch("moon", "a.txt", folder=local.parent) == local
        and local.read_text() == CONTENT
    )
    listed = runner.invoke(app, ["data", "list"]).output
    assert (
        "moon: Of the [/bold] moon (MIT; x)" in listed
        and "a.txt  in" in listed
        and "b.txt  in" not in listed
    )


def test_a_file_elsewhere_is_downloaded_and_checked(moon):
    assert datasets.fetch("moon", "b.txt", folder=moon / "data").read_text() == CONTENT
    (moon / "served" / "deep" / "b.txt").write_text("other")
    refused(
        "b.txt of 'moon' could not be downloaded from http",
        "moon",
        "b.txt",
        folder=moon / "elsewhere",
    )
    refused(
        "c.txt of 'moon' could not be downloaded from http", "moon", "c.txt", folder=moon / "data"
    )


def test_a_changed_file_is_refused(moon):
    local = moon / "all" / "moon" / "a.txt"
    local.write_text("other")
    refused("a.txt: the checksum is not that of the published file", "moon", "a.txt")


def test_a_folder_that_cannot_be_made_is_named(moon):
    (moon / "file").touch()
    for name in ("a.txt", "b.txt"):
        refused(
            re.escape(f"{moon / 'file'}: the folder cannot be made (File exists)."),
            "moon",
            name,
            folder=moon / "file",
        )
        refused(
            re.escape("the folder cannot be made (Not a directory)."),
            "moon",
            name,
            folder=moon / "file" / "deep",
        )


def test_unknown_names_are_refused_with_the_known_ones(moon):
    refused("The data set 'moon' has no file 'd.txt'; it has a.txt, b.txt, c.txt", "moon", "d.txt")
    refused("There is no data set 'sun'; known are moon", "sun", "a.txt")


@pytest.mark.parametrize(("value", "exists"), [("", False), ("absent", False), (".", True)])
def test_the_folder_of_data_is_one_that_exists(monkeypatch, tmp_path, value, exists):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(datasets.FOLDER_VARIABLE, value)
    assert (datasets.local_folder() is not None) is exists
    monkeypatch.delenv(datasets.FOLDER_VARIABLE)
    assert datasets.local_folder() is None


def test_the_list_names_every_file_with_a_checksum():
    raphe = datasets.available()["raphe"]
    assert (
        raphe.name == "raphe"
        and raphe.license == "MIT"
        and raphe.base_url.endswith("/data/eighth_set/")
    )
    path, checksum = raphe.files["DRN156_5ht_aec.abf"]
    assert path == "DRN156_5HT/DRN156_5ht_aec.abf" and checksum.startswith("36c0a57c88ba28f4")
    assert all(
        len(checksum) == 64
        for entry in datasets.available().values()
        for _, checksum in entry.files.values()
    )
