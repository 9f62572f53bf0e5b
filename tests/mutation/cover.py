"""Which tests run which lines, and how long each takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage

DURATIONS = "MUTATION_DURATIONS"
#: Tests of what is read when a module is imported, which no measurement ascribes to a test.
IMPORTS = "tests/test_stated_defaults.py"


class Durations:
    """Plugin of pytest that writes the seconds of each test into the file named by
    :data:`DURATIONS`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def pytest_runtest_logreport(self, report) -> None:
        """Add the seconds of one phase."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def pytest_sessionfinish(self, session) -> None:
        """Write the file, but only in the process that distributes the tests."""
        if not hasattr(session.config, "workerinput"):
            Path(os.environ[DURATIONS]).write_text(json.dumps(self.seconds), encoding="utf-8")


def pytest_configure(config) -> None:
    """Register the plugin if this module is named with ``-p``."""
    config.pluginmanager.register(Durations())


@dataclass(frozen=True)
class Coverage:
    """Tests by line.

    Attributes
    ----------
    tests : mapping of str to mapping of int to set of str
        By path and line, the tests that ran it.
    seconds : mapping of str to float
        By test.
    """

    tests: Mapping[str, Mapping[int, set[str]]]
    seconds: Mapping[str, float]

    def plan(self, path: str, line: int) -> list[str]:
        """Tests that may notice a fault in a line: those that ran it, the quickest first, then the
        rest of their files.

        Compiled loops and programs that were traced before hide lines from the measurement, and the
        import of a module runs lines before any test; then every file of tests that ran some line
        of the same source file is taken, and the test of defaults.
        """
        by_line = self.tests.get(path, {})
        direct = by_line.get(line, set())
        near = direct or set().union(*by_line.values())
        files = {test.partition("::")[0] for test in near} | (set() if direct else {IMPORTS})
        others = {test for test in self.seconds if test.partition("::")[0] in files} - direct
        return [*sorted(direct, key=self._cost), *sorted(others, key=self._cost)]

    def _cost(self, test: str) -> tuple[float, str]:
        return self.seconds.get(test, 0.0), test


def measure(root: Path, folder: Path, workers: int, tests: Sequence[str]) -> Coverage:
    """Run the quick tests of a checkout once and say which lines each ran; a measurement in
    ``folder`` is read back.

    Parameters
    ----------
    root, folder : pathlib.Path
    workers : int
        Processes side by side.
    tests : sequence of str
        Files and folders; all tests where empty.
    """
    data, seconds = folder / "coverage.sqlite", folder / "seconds.json"
    if not (data.exists() and seconds.exists()):
        paths = {DURATIONS: str(seconds), "COVERAGE_FILE": str(data), "PYTHONPATH": str(root)}
        environment = {**os.environ, **paths, "COVERAGE_CORE": "ctrace"}
        options = [
            "-n",
            str(workers),
            "-p",
            "tests.mutation.cover",
            "--cov=neurocode",
            "--cov-context=test",
            "--cov-report=",
        ]
        command = [sys.executable, "-m", "pytest", *options, *tests]
        run = subprocess.run(command, cwd=root, env=environment, check=False)
        if run.returncode:
            raise SystemExit("The tests fail without any fault in the code: mend them first.")
    return _read(root, data, json.loads(seconds.read_text(encoding="utf-8")))


def _read(root: Path, path: Path, seconds: Mapping[str, float]) -> Coverage:
    data = coverage.CoverageData(str(path))
    data.read()
    tests = {}
    for file in data.measured_files():
        lines = data.contexts_by_lineno(file)
        names = {
            line: {context.partition("|")[0] for context in contexts} & seconds.keys()
            for line, contexts in lines.items()
        }
        tests[str(Path(file).relative_to(root))] = names
    return Coverage(tests, seconds)
