"""Results written as JSON and read back without loss, including infinite numbers, NaN, tuples,
arrays and dataclasses."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from neurocode.errors import DataError
from neurocode.models.files import from_dictionary
from neurocode.models.model import NeuronModel
from neurocode.models.writing import to_dictionary

Kind = TypeVar("Kind")


def encode(value: Any) -> Any:
    """Convert a value into types that JSON knows.

    A value of any other type becomes a table with one key, which names the type.

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
    """Invert :func:`encode`; only instances of the classes in ``classes`` are made.

    Raises
    ------
    DataError
        For a table that was not written by :func:`encode`.
    """
    if isinstance(value, list):
        return [decode(entry, classes) for entry in value]
    if not isinstance(value, dict):
        return value
    if len(value) != 1:
        raise DataError("A saved value must be a table with one key.")
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


class Savable(Protocol):
    """A value with a readable form besides the one without loss."""

    def to_dictionary(self) -> dict[str, Any]: ...


def save_value(value: Savable, path: str | Path, name: str) -> Path:
    """Write ``value.to_dictionary()`` as JSON, and under ``saved`` its fields without loss.

    Parameters
    ----------
    value : object with ``to_dictionary``
        A value that :func:`encode` accepts.
    path : path
        A file that ends in ``.json``, or else a folder.
    name : str
        Name of the file inside a folder.

    Returns
    -------
    pathlib.Path
        Path of the written file.
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
    """Read the value that :func:`save_value` wrote under ``saved`` in a JSON file.

    Parameters
    ----------
    path : path
        The file, or the folder that holds it under ``name``.
    name : str
        Name of the file inside a folder.
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
            f"{path} is not a JSON file, expected what {kind.__name__}.save wrote."
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
