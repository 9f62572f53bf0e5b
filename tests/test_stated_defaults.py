"""What is stated when modules are imported: defaults, keyword-only arguments, and values that do
not change."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path

import equinox

import neurocode

#: By function or class, as they are documented and as tables in docs were made: a changed one
#: changes the numbers of everybody who leaves it out. A star stands before what is given by its
#: name alone.
STATED = tomllib.loads((Path(__file__).parent / "defaults.toml").read_text(encoding="utf-8"))


def members() -> Iterator[tuple[str, object]]:
    """Functions and classes with their paths, of all modules but those of the command line."""
    for info in pkgutil.walk_packages(neurocode.__path__, "neurocode."):
        if info.name.endswith("__main__") or info.name.startswith("neurocode.cli"):
            continue
        module = importlib.import_module(info.name)
        for name, member in vars(module).items():
            if callable(member) and getattr(member, "__module__", None) == module.__name__:
                yield f"{module.__name__}.{name}", member


def defaults() -> dict[str, dict[str, object]]:
    """Of every function, class and method without an underscore: numbers, texts, truth values and
    tuples of them."""
    stated = {}
    for path, member in members():
        methods = vars(member).items() if isinstance(member, type) else ()
        for called, part in (
            (path, member),
            *((f"{path}.{name}", method) for name, method in methods),
        ):
            if not called.rpartition(".")[2].startswith("_") and (values := _values_of(part)):
                stated[called] = values
    return stated


def _values_of(member: object) -> dict[str, object]:
    try:
        parameters = inspect.signature(member).parameters.values()
    except (TypeError, ValueError):
        return {}
    plain = [
        parameter
        for parameter in parameters
        if isinstance(parameter.default, (bool, int, float, str, tuple))
    ]
    kept = {
        "*" * (parameter.kind is parameter.KEYWORD_ONLY) + parameter.name: parameter.default
        for parameter in plain
    }
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in kept.items()
    }


def test_defaults_are_those_that_are_stated():
    assert defaults() == {f"neurocode.{name}": values for name, values in STATED.items()}


def test_values_are_not_changed_once_they_are_made():
    """Every dataclass is frozen, as Equinox's modules are by themselves."""
    kinds = {
        path: kind for path, kind in members() if isinstance(kind, type) and is_dataclass(kind)
    }
    assert len(kinds) > 60
    open_to_change = [
        path
        for path, kind in kinds.items()
        if not kind.__dataclass_params__.frozen and not issubclass(kind, equinox.Module)
    ]
    assert open_to_change == []
