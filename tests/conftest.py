"""What all tests share: recorded data, programs that were compiled before, and the command line.

Recorded data are found through NEUROCODE_DATA; tests that need them are skipped with a reason where they are absent.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# The processes that tests run in, and those that tests start, compile each program once between them. JAX reads these when it is
# first imported, which happens after this file.
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".cache" / "jax"))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "0")


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    folder = os.environ.get("NEUROCODE_DATA", "")
    if not Path(folder).is_dir() or not folder:
        pytest.skip("needs recorded data: set NEUROCODE_DATA to their folder")
    return Path(folder)


@pytest.fixture
def neurocode(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process; gives its exit code and what it printed, on both streams."""
    from neurocode.cli import main

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
