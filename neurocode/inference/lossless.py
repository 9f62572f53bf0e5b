"""Results as JSON and back without losing anything: numbers that are not finite, tuples, arrays,
and values made of others."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from neurocode.errors import DataError
from neurocode.models.files import from_dictionary
from neurocode.models.model import NeuronModel
from neurocode.models.writing import to_dictionary

Kind = TypeVar("Kind")


def encode(value: Any) -> Any:
    """A value in types that JSON knows; what JSON does not know becomes a table of one key that
    says what it was.

    Examples
    --------
    >>> encode((1.5, float("inf")))
    {'tuple': [1.5, {'number': 'inf'}]}
    """
    if isinstance(value, NeuronModel):
        return {"model": to_dictionary(value)}
    if is_dataclass(value):
        return {
            type(value).__name__: {
                entry.name: encode(getattr(value, entry.name)) for entry in fields(value)
            }
        }
    if isinstance(value, np.ndarray):
        return {"array": encode(value.tolist())}
    if isinstance(value, tuple):
        return {"tuple": [encode(entry) for entry in value]}
    if isinstance(value, list):
        return [encode(entry) for entry in value]
    if isinstance(value, Mapping):
        return {"mapping": {str(key): encode(entry) for key, entry in value.items()}}
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (float, np.floating)):
        return float(value) if math.isfinite(value) else {"number": str(float(value))}
    return int(value) if isinstance(value, np.integer) else value


def decode(value: Any, classes: Mapping[str, type]) -> Any:
    """What :func:`encode` was given; only the classes named are made.

    Raises
    ------
    DataError
        For a table that :func:`encode` did not write.
    """
    if isinstance(value, list):
        return [decode(entry, classes) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise DataError("A saved value is a table of one key.")
    ((kind, content),) = value.items()
    if kind == "model":
        return from_dictionary(content)
    if kind == "number":
        return float(content)
    if kind == "array":
        return np.array(decode(content, classes))
    if kind == "tuple":
        return tuple(decode(entry, classes) for entry in content)
    if kind == "mapping":
        return {key: decode(entry, classes) for key, entry in content.items()}
    if kind not in classes:
        raise DataError(f"A saved value is a '{kind}', which is none of {', '.join(classes)}.")
    return classes[kind](**{name: decode(entry, classes) for name, entry in content.items()})


def save_value(value: object, path: str | Path, name: str) -> Path:
    """Write ``value.to_dictionary()`` as JSON, and under ``saved`` the fields in a form that loses
    nothing.

    Parameters
    ----------
    value : object
        That :func:`encode` takes.
    path : path
        A file that ends in ``.json``, or else a folder.
    name : str
        Of the file in a folder.

    Returns
    -------
    pathlib.Path
        The file.
    """
    path = Path(path)
    if path.suffix != ".json":
        path.mkdir(parents=True, exist_ok=True)
        path = path / name
    path.write_text(
        json.dumps({**value.to_dictionary(), "saved": encode(value)}, indent=2), encoding="utf-8"
    )
    return path


def load_saved(path: str | Path, name: str, kind: type[Kind], parts: Sequence[type]) -> Kind:
    """The value of a class that stands under ``saved`` in a JSON file, as :func:`encode` made it.

    Parameters
    ----------
    path : path
        The file, or the folder that holds it under ``name``.
    name : str
    kind : type
        Class of the value.
    parts : sequence of type
        Classes that its fields may hold.

    Raises
    ------
    DataError
        If there is no such file, or it holds no such value or a damaged one.
    """
    path = Path(path)
    path = path / name if path.is_dir() else path
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from None
    except ValueError:
        raise DataError(
            f"{path} is no JSON file, expected what {kind.__name__}.save wrote."
        ) from None
    saved = table.get("saved") if isinstance(table, dict) else None
    if not isinstance(saved, dict) or set(saved) != {kind.__name__}:
        raise DataError(
            f"{path} holds no saved {kind.__name__}, expected what {kind.__name__}.save wrote."
        )
    try:
        return decode(saved, {part.__name__: part for part in (kind, *parts)})
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise DataError(f"{path} holds a damaged {kind.__name__} ({error}).") from None
