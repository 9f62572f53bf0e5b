"""Saving experiments as NumPy archives without loss of precision, and loading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurocode.recordings.repeat import Repeat
from neurocode.recordings.saved_archive import EXPERIMENT

ARRAYS = ("spike_times", "current", "voltage")
PLAIN = ("duration", "dt", "number", "description")


def save_repeats(path: str | Path, parts: Mapping[str, tuple[str, Sequence[Repeat]]]) -> Path:
    """Write named sets of sweeps (training, test).

    Raises
    ------
    DataError
        If the name does not end in ``.npz``.
    """
    arrays: dict[str, Any] = {}
    contents: dict[str, Any] = {}
    for part, (name, repeats) in parts.items():
        contents[part] = {
            "name": name,
            "sweeps": [{key: getattr(repeat, key) for key in PLAIN} for repeat in repeats],
        }
        for index, repeat in enumerate(repeats):
            held = {key: getattr(repeat, key) for key in ARRAYS}
            arrays |= {
                f"{part}_{index}_{key}": array for key, array in held.items() if array is not None
            }
    return EXPERIMENT.write(path, contents, arrays)


def load_repeats(path: str | Path) -> dict[str, tuple[str, list[Repeat]]]:
    """Read what :func:`save_repeats` wrote.

    Raises
    ------
    DataError
        If there is no such file, or it holds no experiment.
    """
    return EXPERIMENT.read(path, _parts)


def _parts(
    contents: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> dict[str, tuple[str, list[Repeat]]]:
    return {
        part: (
            stored["name"],
            [
                _repeat(arrays, f"{part}_{index}", sweep)
                for index, sweep in enumerate(stored["sweeps"])
            ],
        )
        for part, stored in contents.items()
    }


def _repeat(arrays: Mapping[str, np.ndarray], stem: str, sweep: Mapping[str, Any]) -> Repeat:
    held = {key: arrays[name] for key in ARRAYS if (name := f"{stem}_{key}") in arrays}
    return Repeat(**held, **{key: sweep[key] for key in PLAIN})
