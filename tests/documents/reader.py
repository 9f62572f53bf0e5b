"""Runs the blocks of a document in a clean folder, as a reader would."""

from __future__ import annotations

import glob
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from neurocode.cli import main
from tests.documents.blocks import Block

COMMAND = re.compile(r"^neurocode ")


def run(block: Block, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a block in the working folder: Python in ``names``, commands one line after another.

    Raises
    ------
    AssertionError
        If a line is neither a comment nor a command of neurocode.
    SystemExit
        With the exit code of a command that fails.
    """
    if block.language == "python":
        exec(compile(block.text, block.where, "exec"), names)
        return
    for line in commands(block):
        monkeypatch.setattr(sys, "argv", [sys.argv[0], *line])
        try:
            main()
        except SystemExit as stop:
            if stop.code:
                raise


def commands(block: Block) -> list[list[str]]:
    """Arguments of each command of a block, patterns of file names replaced by the files they
    match."""
    lines = [shlex.split(line, comments=True) for line in block.text.splitlines()]
    for line in filter(None, lines):
        assert line[0] == "neurocode", (
            f"{block.where}: '{' '.join(line)}' is no command of neurocode; say why it is not run."
        )
    return [
        [name for word in line[1:] for name in (sorted(glob.glob(word)) or [word])]
        for line in lines
        if line
    ]


def is_run(block: Block) -> bool:
    """Whether a block holds Python or commands and no reason not to run it."""
    return not block.reason_not_to_run and block.language in ("python", "", "bash")


def documents(root: Path) -> list[Path]:
    """The README and every page of ``docs``."""
    return [
        root / "README.md",
        *sorted((root / "docs").glob("*.md")),
        *sorted((root / "docs" / "by_task").glob("*.md")),
    ]
