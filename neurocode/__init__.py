"""neurocode: one stochastic neuron model, simulated, fitted, trained and characterised from one
text.

Public names are loaded when first used, so that ``import neurocode`` and ``neurocode --help`` are
quick.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.2.0"

_NAMES = {
    "models": "neurocode.models:",
    "simulation": "neurocode.simulation:",
    "simulate": "neurocode.simulation:simulate",
    "NeuronModel": "neurocode.models:NeuronModel",
    "terms": "neurocode.terms:",
    "plotting": "neurocode.plotting:",
    "studies": "neurocode.studies:",
    "recordings": "neurocode.recordings:",
    "read": "neurocode.recordings:read",
    "write": "neurocode.recordings:write",
    "Experiment": "neurocode.recordings:Experiment",
    "statistics": "neurocode.statistics:",
    "complexity": "neurocode.statistics.complexity:",
    "cite": "neurocode.citing:cite",
    "compare": "neurocode.statistics.compare:compare",
    "describe": "neurocode.statistics.describe:describe",
    "inference": "neurocode.inference:",
    "fitting": "neurocode.inference:",
    "fit": "neurocode.inference:fit",
    "learning": "neurocode.learning:",
    "tasks": "neurocode.tasks:",
    "first_passage": "neurocode.inference.passage:",
    "fit_spike_times": "neurocode.inference:fit",
    "PopulationExperiment": "neurocode.recordings:PopulationExperiment",
    "fit_population": "neurocode.inference.population:fit_population",
    "evaluate_population": "neurocode.inference.population:evaluate_population",
    "evaluate": "neurocode.inference:evaluate",
    "networks": "neurocode.networks:",
    "from_brian": "neurocode.networks:from_brian",
    "jax_function": "neurocode.networks:jax_function",
    "FitResult": "neurocode.inference:FitResult",
    "Scores": "neurocode.inference:Scores",
}

__all__ = [*_NAMES, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'neurocode' has no attribute '{name}'")
    module, _, attribute = _NAMES[name].partition(":")
    loaded = importlib.import_module(module)
    return getattr(loaded, attribute) if attribute else loaded


def __dir__() -> list[str]:
    return sorted(__all__)
