"""Models written as the TOML files that :mod:`neurocode.models.files` reads."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tomli_w

from neurocode.models.parameter import Parameter

if TYPE_CHECKING:
    from neurocode.models.model import NeuronModel


def save(model: NeuronModel, path: str | Path) -> Path:
    """Write a model to a TOML file and return its path."""
    path = Path(path)
    path.write_text(tomli_w.dumps(to_dictionary(model), multiline_strings=True), encoding="utf-8")
    return path


def to_dictionary(model: NeuronModel) -> dict[str, Any]:
    """Return the tables of the TOML file of a model; entries with default values are left out."""
    table: dict[str, Any] = {
        "name": model.name,
        "description": model.description,
        "equations": model.equations,
        "margin": model.margin,
        "reset": model.reset,
        "refractory": model.refractory,
        "integrator": model.integrator,
        "after_reset": list(model.after_reset),
        "initial": dict(model.initial),
        "within_step": model.within_step or None,
    }
    table = {
        key: value
        for key, value in table.items()
        if value not in (None, "", [], {}) or key == "reset"
    }
    if model.noise is not None:
        table["noise"] = {key: value for key, value in vars(model.noise).items() if value}
    table["parameters"] = {
        name: _parameter_table(parameter) for name, parameter in model.parameters.items()
    }
    return table


def _parameter_table(parameter: Parameter) -> dict[str, Any]:
    values = [_quantity_text(float(v), parameter.unit) for v in np.ravel(parameter.value)]
    table: dict[str, Any] = {"value": values if np.ndim(parameter.value) else values[0]}
    if any(math.isfinite(bound) for bound in parameter.bounds):
        table["bounds"] = [_quantity_text(bound, parameter.unit) for bound in parameter.bounds]
    for key in ("fixed", "per_neuron", "description"):
        if getattr(parameter, key):
            table[key] = getattr(parameter, key)
    return table


def _quantity_text(value: float, unit: str) -> str:
    return f"{value!r} {unit}".removesuffix(" 1")
