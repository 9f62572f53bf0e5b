"""Models read from TOML files, which can be written by hand and cannot run code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from neurocode.errors import ModelError
from neurocode.models.model import NeuronModel
from neurocode.models.noise import EscapeNoise
from neurocode.models.parameter import Parameter, in_unit

Built = TypeVar("Built")

KEYS = {
    "name",
    "description",
    "equations",
    "margin",
    "reset",
    "refractory",
    "integrator",
    "after_reset",
    "initial",
    "within_step",
    "noise",
    "parameters",
}
PARAMETER_KEYS = {"value", "bounds", "fixed", "per_neuron", "description"}
#: Advice on what to write instead of keys that other simulators use.
HINTS = {
    "threshold": "write the distance to the threshold: margin = 'v - V_T' spikes where v > V_T",
    "refractory_period": "write refractory = '2*ms' or the name of a parameter",
    "method": "write integrator = 'exponential_euler'",
    "model": "write equations",
}
REQUIRED = ("name", "equations", "margin", "reset", "parameters")
#: Enough for a value per neuron of thousands of neurons.
MAXIMUM_BYTES = 5_000_000


def load(path: str | Path) -> NeuronModel:
    """Read a model from a TOML file.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    NeuronModel

    Raises
    ------
    ModelError
        If anything is missing, unknown or not allowed. The message begins with the path of the
        file.

    Examples
    --------
    >>> import neurocode as nc, tempfile, pathlib
    >>> path = nc.models.lif().save(pathlib.Path(tempfile.mkdtemp()) / "lif.toml")
    >>> nc.models.load(path).name
    'lif'
    """
    return read_file(path, from_dictionary, "model")


def read_file(path: str | Path, build: Callable[[dict[str, Any]], Built], what: str) -> Built:
    """Build something from the tables of a TOML file; errors begin with the path of the file.

    Parameters
    ----------
    path : str or pathlib.Path
    build : callable
    what : str
        What the file holds, for the messages.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ModelError("this is not a file.")
        if path.stat().st_size > MAXIMUM_BYTES:
            raise ModelError(f"the file is larger than {MAXIMUM_BYTES} bytes.")
        return build(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such {what} file.") from None
    except IsADirectoryError:
        raise ModelError(f"{path}: this is a folder, not a {what} file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not a TOML file ({error}).") from None
    except RecursionError:
        raise ModelError(f"{path}: nested too deeply.") from None
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from None
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from None
    except ValueError:
        raise ModelError(
            f"{str(path)!r}: not a TOML file, or its name or a number in it is too long."
        ) from None


def from_dictionary(table: Mapping[str, Any]) -> NeuronModel:
    """Build a model from the tables of a TOML file."""
    unknown = sorted(set(table) - KEYS)
    if unknown:
        hint = HINTS.get(unknown[0], f"known are {', '.join(sorted(KEYS))}")
        raise ModelError(f"unknown key {_quoted(unknown[0])}; {hint}.")
    for key in REQUIRED:
        if key not in table:
            raise ModelError(f"the key '{key}' is missing.")
    for key in ("name", "equations", "margin", "reset", "refractory", "integrator", "description"):
        if key in table and not isinstance(table[key], str):
            hint = ", such as '2*ms' or the name of a parameter" if key == "refractory" else ""
            raise ModelError(f"'{key}' must be text{hint}.")
    if not isinstance(table.get("within_step", False), bool):
        raise ModelError("'within_step' must be true or false.")
    after_reset = table.get("after_reset", [])
    if not isinstance(after_reset, list) or not all(isinstance(name, str) for name in after_reset):
        raise ModelError("'after_reset' must be a list of names.")
    for key in ("parameters", "initial", "noise"):
        if not isinstance(table.get(key, {}), dict):
            raise ModelError(f"'{key}' must be a table.")
    return NeuronModel(
        name=table["name"],
        equations=table["equations"],
        margin=table["margin"],
        reset=table["reset"],
        parameters={
            name: parameter_from(name, entry) for name, entry in table["parameters"].items()
        },
        noise=_noise(table["noise"]) if "noise" in table else None,
        refractory=table.get("refractory"),
        integrator=table.get("integrator", "euler"),
        after_reset=tuple(after_reset),
        initial={name: str(value) for name, value in table.get("initial", {}).items()},
        within_step=table.get("within_step", False),
        description=table.get("description", ""),
    )


def _noise(entry: Mapping[str, Any]) -> EscapeNoise:
    try:
        return EscapeNoise(**entry)
    except TypeError:
        raise ModelError(
            "the table 'noise' takes the keys family, scale, rate, lapse and ceiling."
        ) from None


def _quoted(key: str) -> str:
    return repr(key if len(key) <= 60 else key[:57] + "...")


def parameter_from(name: str, entry: object) -> Parameter:
    """Build a parameter from its entry in a TOML file."""
    quoted_name = _quoted(name)
    entry = {"value": entry} if isinstance(entry, (str, int, float, list)) else entry
    if not isinstance(entry, dict) or "value" not in entry or set(entry) - PARAMETER_KEYS:
        raise ModelError(
            f"parameter {quoted_name} takes the keys {', '.join(sorted(PARAMETER_KEYS))}, of which "
            f"value is required."
        )
    bounds = entry.get("bounds")
    if bounds is not None and (not isinstance(bounds, list) or len(bounds) != 2):
        raise ModelError(f"parameter {quoted_name}: bounds are a list of two values.")
    options: dict[str, Any] = {
        key: entry[key] for key in ("fixed", "per_neuron", "description") if key in entry
    }
    value = entry["value"]
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(text, (str, int, float)) for text in values):
        raise ModelError(
            f"parameter {quoted_name}: a list of values, one per neuron, holds numbers with units."
        )
    try:
        one = Parameter.of(values[0], None if bounds is None else tuple(bounds), **options)
        if isinstance(value, list):
            return replace(one, value=np.array([in_unit(text, one.unit) for text in values]))
        return one
    except ModelError as error:
        raise ModelError(f"parameter {quoted_name}: {error}") from None
