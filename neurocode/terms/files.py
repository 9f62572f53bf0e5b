"""Terms read from TOML files, which can be written by hand and cannot run code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from neurocode.errors import ModelError
from neurocode.models.files import parameter_from, read_file
from neurocode.terms.term import Term

REQUIRED = ("name", "description", "source", "equations", "parameters", "absent")
TABLES = ("parameters", "absent", "initial", "grid")
LISTS = ("potentials", "shared")
KEYS = {*REQUIRED, *TABLES, *LISTS, "current", "threshold", "reset"}
#: Advice on what to write instead of keys of model files and other likely keys.
HINTS = {
    "margin": "write threshold = 'theta_2' for an addition to the threshold",
    "noise": "a term keeps the noise of the model",
    "refractory": "a term keeps the refractory period of the model",
    "integrator": "a term is integrated as the model is",
    "model": "write equations",
}


def read(path: str | Path) -> Term:
    """Read a term from a TOML file.

    Parameters
    ----------
    path : str or pathlib.Path

    Returns
    -------
    Term

    Raises
    ------
    ModelError
        If anything is missing, unknown or not allowed. The message begins with the path of the
        file, and names the key and what was expected.

    Examples
    --------
    >>> import neurocode as nc, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "mine.toml"
    >>> _ = path.write_text('''
    ... name = "holding"
    ... description = "A steady current"
    ... source = "Our choice, not from a paper"
    ... equations = "I_s = a_s : amp"
    ... current = "I_s"
    ... absent = { a_s = "0 pA" }
    ... [parameters]
    ... a_s = "10 pA"
    ... ''')
    >>> nc.terms.read(path).amplitudes
    ('a_s',)
    """
    return read_file(path, from_dictionary, "term")


def from_dictionary(table: Mapping[str, Any]) -> Term:
    """Build a term from the tables of a TOML file."""
    unknown = sorted(set(table) - KEYS)
    if unknown:
        hint = HINTS.get(unknown[0], f"known are {', '.join(sorted(KEYS))}")
        raise ModelError(f"unknown key {unknown[0][:60]!r}; {hint}.")
    for key in REQUIRED:
        if key not in table:
            raise ModelError(f"the key '{key}' is missing.")
    for key in TABLES:
        if not isinstance(table.get(key, {}), dict):
            raise ModelError(f"the key '{key}' must be a table.")
    for key in LISTS:
        if not isinstance(table.get(key, []), list):
            raise ModelError(f"the key '{key}' must be a list of names of parameters.")
    parameters = {name: parameter_from(name, entry) for name, entry in table["parameters"].items()}
    initial = {name: str(value) for name, value in table.get("initial", {}).items()}
    rest: dict[str, Any] = {
        key: value for key, value in table.items() if key not in ("parameters", "initial", *LISTS)
    }
    return Term(
        **rest,
        parameters=parameters,
        initial=initial,
        potentials=tuple(table.get("potentials", [])),
        shared=tuple(table.get("shared", [])),
    )
