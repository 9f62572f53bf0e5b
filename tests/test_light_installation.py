"""Which libraries are imported and installed, and the messages if one is missing."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import neurocode as nc
from neurocode.cli import output
from neurocode.extras import LIBRARIES, missing
from tests import core_only

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: What takes time to import, and is not needed to say what a command takes.
HEAVY = {
    "brian2",
    "elephant",
    "equinox",
    "jax",
    "matplotlib",
    "neo",
    "numba",
    "numpy",
    "pandas",
    "quantities",
    "scipy",
    "sklearn",
}

IMPORT = """
import sys, time
before = time.process_time()
import neurocode
seconds = time.process_time() - before
print(seconds, *{name.partition(".")[0] for name in sys.modules})
"""
COMMAND = """
import sys
from neurocode.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def in_a_process(
    script: str, *arguments: object, folder: Path | None = None
) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def libraries_of(requirements: list[str]) -> set[str]:
    return {re.match(r"[\w.-]+", text).group() for text in requirements}


def test_the_package_is_imported_in_a_tenth_of_a_second_of_computing():
    """Time of the processor over that of an interpreter that is up: other work on the machine does
    not count."""
    done = in_a_process(IMPORT)
    seconds, *modules = done.stdout.split()
    assert float(seconds) <= 0.1
    assert not HEAVY & {*modules} and "neurocode" in modules


def test_every_public_name_is_there():
    for name in nc.__all__:
        assert getattr(nc, name) is not None, name
    assert (
        nc.plotting.__name__ == "neurocode.plotting" and nc.studies.__name__ == "neurocode.studies"
    )
    assert nc.complexity is nc.statistics.complexity and {*nc.__all__} == {*dir(nc)}
    with pytest.raises(AttributeError, match="'neurocode' has no attribute 'simulation_of'"):
        _ = nc.simulation_of


@pytest.mark.parametrize(
    "arguments", [["--help"], ["describe", "--help"], ["study", "--help"], ["fit", "--help"]]
)
def test_help_imports_nothing_that_computes(arguments):
    done = in_a_process(COMMAND, *arguments)
    assert done.returncode == 0 and "Usage" in done.stdout
    assert not HEAVY & {*done.stderr.split()}


@pytest.mark.long
def test_spike_times_are_described_without_what_simulates(tmp_path):
    (tmp_path / "cell.csv").write_text(
        "time\n" + "\n".join(f"{0.1 * k + 0.01 * (k % 3):g}" for k in range(40)) + "\n"
    )
    done = in_a_process(
        COMMAND, "describe", "cell.csv", "-o", "out", "--surrogates", 0, folder=tmp_path
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stderr.split()
    of_extras = {*LIBRARIES} - {"pyarrow"}  # pandas imports it where it finds it
    assert not {"brian2", "jax", "equinox", *of_extras} & {*loaded} and "pandas" in loaded
    assert "1 unit, 40 spikes" in done.stdout and (tmp_path / "out" / "report.html").is_file()


def test_each_library_stands_in_the_extra_that_its_sentence_names():
    extras = {
        name: libraries_of(requirements)
        for name, requirements in PROJECT["optional-dependencies"].items()
    }
    for library, (extra, _) in LIBRARIES.items():
        assert library in extras[extra]
    core = libraries_of(PROJECT["dependencies"])
    assert not core & {*LIBRARIES} and len(core) == 15
    lighter = {"files", "parquet", "cluster", "learning"}
    assert set().union(*(extras[name] for name in lighter)) == {*LIBRARIES}
    every = f"neurocode[{','.join(sorted(lighter))}]"
    assert PROJECT["optional-dependencies"]["all"] == [every]
    assert all(
        "neurocode[all]" in PROJECT["optional-dependencies"][name] for name in ("bench", "test")
    )


def test_no_library_is_required_twice():
    """Except for versions of Python that need a different one."""
    for requirements in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()):
        names = [re.match(r"[\w.-]+", text).group() for text in requirements if ";" not in text]
        assert len(names) == len({*names})


def test_what_is_imported_is_required():
    """Every library that the package imports is in the core or, by name, in an extra."""
    imported = set()
    for file in (ROOT / "neurocode").rglob("*.py"):
        imported |= {
            *re.findall(
                r"^\s*(?:import|from) (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE
            )
        }
    distributions = importlib.metadata.packages_distributions()
    others = {
        distributions[name][0].lower().replace("_", "-")
        for name in imported
        if name in distributions
    }
    core = libraries_of(PROJECT["dependencies"])
    assert others - {"neurocode"} - {*LIBRARIES} == core


@pytest.fixture(scope="module")
def report(tmp_path_factory) -> dict[str, str]:
    """Return the report of a process that finds none of the libraries of the extras."""
    folder = tmp_path_factory.mktemp("core")
    done = in_a_process("from tests.core_only import main; main()", folder, folder=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("action", core_only.NEEDS)
def test_what_is_missing_is_said_with_the_command_that_installs_it(report, action):
    library = core_only.NEEDS[action]
    extra, purpose = LIBRARIES[library]
    assert (
        report[action]
        == f'{library}, which {purpose}, is not installed: pip install "neurocode[{extra}]".'
    )


def test_everything_is_imported_and_the_rest_works_without_the_extras(report):
    assert report["modules"] == report["imported"] > 100
    for action in core_only.WORKS:
        assert report[action] == "done", action


def test_commands_say_in_one_sentence_what_is_missing(report):
    assert report["describe session.nwb"] == (
        "1 neurocode: pynwb, which reads and writes NWB files, is not installed: pip install "
        '"neurocode[files]".'
    )
    assert report["--help"].startswith("0 ") and "Usage" in report["--help"]
    assert report["simulate"].startswith("0 ")
    assert f"Spikes are written only as CSV: {missing('pynwb')}" in report["simulate"]
    written = [
        "model.toml",
        "provenance.json",
        "report.html",
        "result.json",
        "simulation.pdf",
        "simulation.png",
        "spikes.csv",
    ]
    assert report["files of simulate"].split() == written


def test_provenance_says_the_versions_of_what_is_installed(tmp_path, monkeypatch):
    monkeypatch.setattr(output, "PACKAGES", ("numpy", "a-library-that-nobody-wrote"))
    versions = json.loads(output.write_provenance(tmp_path, {}).read_text())["versions"]
    assert versions == {"numpy": importlib.metadata.version("numpy")}
