"""The command line in this process: as quick as what it calls."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from neurocode.cli import main


@pytest.fixture
def neurocode(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; gives its exit code and what it printed, on both streams."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["neurocode", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
