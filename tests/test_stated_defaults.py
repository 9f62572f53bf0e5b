"""Defaults are part of what a call means: a changed one changes the numbers of everybody who leaves it out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from pathlib import Path

import neurocode

#: By function or class, as they are documented and as tables in docs were made; change them here with the version.
STATED = tomllib.loads((Path(__file__).parent / "defaults.toml").read_text(encoding="utf-8"))


def defaults() -> dict[str, dict[str, object]]:
    """Of every function and class without an underscore: numbers, texts, truth values and tuples of them."""
    stated = {}
    for found in pkgutil.walk_packages(neurocode.__path__, "neurocode."):
        if found.name.endswith("__main__") or found.name.startswith("neurocode.cli"):
            continue
        module = importlib.import_module(found.name)
        for name, member in vars(module).items():
            if name.startswith("_") or not callable(member) or getattr(member, "__module__", None) != module.__name__:
                continue
            values = _values_of(member)
            if values:
                stated[f"{module.__name__}.{name}"] = values
    return stated


def _values_of(member: object) -> dict[str, object]:
    try:
        parameters = inspect.signature(member).parameters.values()
    except (TypeError, ValueError):
        return {}
    kept = {each.name: each.default for each in parameters if isinstance(each.default, (bool, int, float, str, tuple))}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()}


def test_defaults_are_those_that_are_stated():
    assert defaults() == {f"neurocode.{name}": values for name, values in STATED.items()}
