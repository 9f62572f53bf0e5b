"""No import runs upward, and none runs in a circle; the layers stand in pyproject.toml."""

from __future__ import annotations

import graphlib
import subprocess
import sys
from pathlib import Path

import grimp

LINT = (
    "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
)


def test_imports_run_downwards():
    """The linter runs in a separate process because it takes over the output streams."""
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_imports_run_in_a_circle():
    """Imports between modules, including those inside functions, and imports between folders."""
    graph = grimp.build_graph("neurocode", exclude_type_checking_imports=True, cache_dir=None)
    modules = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    list(graphlib.TopologicalSorter(modules).static_order())
    folders: dict[str, set[str]] = {}
    for module, imported in modules.items():
        for folder, other in ((folder_of(module), folder_of(other)) for other in imported):
            if folder != other and other != "neurocode":
                folders.setdefault(folder, set()).add(other)
    list(graphlib.TopologicalSorter(folders).static_order())


def folder_of(module: str) -> str:
    return ".".join(module.split(".")[:2])
