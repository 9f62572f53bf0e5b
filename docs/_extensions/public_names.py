"""Writes the pages of the reference before Sphinx looks for pages: one per public module, with an
entry for every public name."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.config import Config

#: Public modules, and what a reader finds there. A name that is in several modules is documented in
#: the first of them.
MODULES = {
    "neurocode.models": "Neuron models as equations",
    "neurocode.terms": "Terms that extend models",
    "neurocode.recordings": "Reading and writing recordings",
    "neurocode.simulation": "Simulation in Brian2, JAX and Numba",
    "neurocode.simulation.stimuli": "Stimuli",
    "neurocode.inference": "Fitting models to spikes",
    "neurocode.inference.passage": "First passages of noise through a threshold",
    "neurocode.inference.population": "Populations that were recorded together",
    "neurocode.statistics": "Statistics of spike trains, and complexity",
    "neurocode.plotting": "Figures",
    "neurocode.tasks": "Tasks for networks",
    "neurocode.learning": "Training networks",
    "neurocode.learning.architectures": "Published networks",
    "neurocode.learning.perturbations": "Attacks and disturbances",
    "neurocode.learning.rules": "Learning rules other than gradients",
    "neurocode.studies": "Studies: rows, claims and verdicts",
    "neurocode.errors": "Errors",
    "neurocode": "What most sessions need",
}


def public_names(module: ModuleType) -> list[str]:
    """Functions and classes that a module makes public: those of ``__all__``, or those it defines
    itself."""
    names = getattr(module, "__all__", None)
    if names is None:
        names = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__
        ]
    return sorted(
        (name for name in names if not name.startswith("_") and callable(getattr(module, name))),
        key=str.lower,
    )


def pages() -> dict[str, str]:
    """Return the text of the page of every module, by the name of the module."""
    documented: dict[int, str] = {}
    texts = {}
    for module_name, title in MODULES.items():
        module = importlib.import_module(module_name)
        first, documented_elsewhere = [], []
        for name in public_names(module):
            value = getattr(module, name)
            if id(value) in documented:
                documented_elsewhere.append(documented[id(value)])
            else:
                documented[id(value)] = f"{module_name}.{name}"
                first.append(name)
        texts[module_name] = _page(
            module_name, title, first, list(dict.fromkeys(documented_elsewhere))
        )
    return texts


def _page(module: str, title: str, first: list[str], documented_elsewhere: list[str]) -> str:
    parts = [f"{title}\n{'=' * len(title)}", f".. automodule:: {module}\n   :no-members:"]
    if documented_elsewhere:
        parts.append("\n".join(f"* :py:obj:`{name}`" for name in documented_elsewhere))
    if first:
        entries = "\n".join(f"   {name}" for name in first)
        parts.append(
            f".. currentmodule:: {module}\n\n.. autosummary::\n   :toctree: names\n   "
            f":nosignatures:\n\n{entries}"
        )
    return "\n\n".join(parts) + "\n"


def write_pages(app: Sphinx, config: Config) -> None:
    """Write the pages into ``reference``, except those that would not change."""
    for name, text in pages().items():
        path = Path(app.srcdir) / "reference" / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, before it looks for pages."""
    app.connect("config-inited", write_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
