"""Saving experiments as NumPy archives without loss of precision, and loading them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import damage_named, require_file
from neurocode.recordings.repeat import Repeat
from neurocode.recordings.sizes import require_memory
from neurocode.whole_files import replacing

SUFFIX, CONTENTS = ".npz", "experiment"
ARRAYS = ("spike_times", "current", "voltage")
PLAIN = ("duration", "dt", "number", "description")


def save_repeats(path: str | Path, parts: Mapping[str, tuple[str, Sequence[Repeat]]]) -> Path:
    """Write named sets of sweeps (training, test).

    Raises
    ------
    DataError
        If the name does not end in ``.npz``.
    """
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise DataError(f"{path}: an experiment is saved as {SUFFIX}, not as '{path.suffix}'.")
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
    arrays[CONTENTS] = np.array(json.dumps(contents))
    with replacing(path) as scratch, scratch.open("wb") as file:
        np.savez_compressed(file, **arrays)
    return path


def load_repeats(path: str | Path) -> dict[str, tuple[str, list[Repeat]]]:
    """Read what :func:`save_repeats` wrote.

    Raises
    ------
    DataError
        If there is no such file, or it holds no experiment.
    """
    path = require_file(path)
    with damage_named(path, "NumPy"):
        if not zipfile.is_zipfile(path):
            raise DataError(
                f"{path}: this is not a NumPy archive, expected a file that Experiment.save wrote."
            )
        with zipfile.ZipFile(path) as archive:
            require_memory(
                path, sum(entry.file_size for entry in archive.infolist()), "the experiment"
            )
        with np.load(path, allow_pickle=False) as arrays:
            if CONTENTS not in arrays:
                raise DataError(
                    f"{path}: the archive holds no experiment, expected a file that "
                    f"Experiment.save wrote."
                )
            contents = json.loads(str(arrays[CONTENTS]))
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
