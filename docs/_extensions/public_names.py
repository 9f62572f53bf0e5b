"""Writes the pages of the reference before Sphinx reads them: one page per public module, one entry per public name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx

#: Public modules, and what a reader finds there.
MODULES = {
    "neurocode": "What most sessions need",
    "neurocode.models": "Neuron models as equations",
    "neurocode.recordings": "Reading and writing recordings",
    "neurocode.simulation": "Simulation in Brian2, JAX and Numba",
    "neurocode.simulation.stimuli": "Stimuli",
    "neurocode.inference": "Fitting models to spikes",
    "neurocode.inference.passage": "First passages of noise through a threshold",
    "neurocode.statistics": "Statistics of spike trains, and complexity",
    "neurocode.plotting": "Figures",
    "neurocode.tasks": "Tasks for networks",
    "neurocode.learning": "Training networks",
    "neurocode.learning.architectures": "Published networks",
    "neurocode.learning.perturbations": "Attacks and disturbances",
    "neurocode.learning.rules": "Learning rules other than gradients",
    "neurocode.studies": "Studies: rows, claims and verdicts",
    "neurocode.errors": "Errors",
}


def public_names(module: ModuleType) -> list[str]:
    """Functions and classes that a module makes public: those of ``__all__``, or those it defines itself."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    return [name for name in names if not name.startswith("_") and callable(getattr(module, name))]


def page_of(name: str, title: str) -> str:
    """Page of a module: its docstring and a table of its names, each linked to a page of its own."""
    module = importlib.import_module(name)
    heading = f"{title}\n{'=' * len(title)}"
    table = "\n".join(f"   {entry}" for entry in sorted(public_names(module), key=str.lower))
    return f"{heading}\n\n.. currentmodule:: {name}\n\n.. automodule:: {name}\n   :no-members:\n\n" + (
        f".. autosummary::\n   :toctree: names\n   :nosignatures:\n\n{table}\n"
    )


def write_pages(app: Sphinx) -> None:
    """Write the pages of all public modules into ``reference``; a page that would not change is left alone."""
    folder = Path(app.srcdir) / "reference"
    for name, title in MODULES.items():
        path, text = folder / f"{name}.rst", page_of(name, title)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, ahead of autosummary."""
    app.connect("builder-inited", write_pages, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
