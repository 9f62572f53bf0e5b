"""NumPy archives of arrays with a text that says how they belong together."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import damage_named, require_file
from neurocode.recordings.sizes import require_memory
from neurocode.whole_files import replacing

SUFFIX = ".npz"
Saved = TypeVar("Saved")


@dataclass(frozen=True)
class SavedKind:
    """What is saved in archives of one kind.

    Attributes
    ----------
    name : str
        Name of the saved object, and of the array that holds the text.
    article : str
        ``a`` or ``an``, as the name needs it.
    writer : str
        Name of the method that writes such an archive.
    reader : str
        What reads one.
    """

    name: str
    article: str
    writer: str
    reader: str

    def write(
        self, path: str | Path, contents: Mapping[str, Any], arrays: Mapping[str, Any]
    ) -> Path:
        """Write named arrays, and plain values as JSON.

        Raises
        ------
        DataError
            If the name does not end in ``.npz``.
        """
        path = Path(path)
        if path.suffix.lower() != SUFFIX:
            raise DataError(
                f"{path}: {self.article} {self.name} is saved as {SUFFIX}, not as '{path.suffix}'."
            )
        text = np.array(json.dumps(dict(contents)))
        with replacing(path) as scratch, scratch.open("wb") as file:
            np.savez_compressed(file, **{**arrays, self.name: text})
        return path

    def read(
        self, path: str | Path, build: Callable[[dict[str, Any], dict[str, np.ndarray]], Saved]
    ) -> Saved:
        """Read what :meth:`write` wrote.

        Parameters
        ----------
        path : path
        build : callable
            Makes the saved object from the plain values and the arrays.

        Raises
        ------
        DataError
            If there is no such file, it holds nothing of this kind, or parts of it are missing.
        """
        path = require_file(path)
        expected = f"expected a file that {self.writer} wrote"
        with damage_named(path, "NumPy"):
            if not zipfile.is_zipfile(path):
                raise DataError(f"{path}: this is not a NumPy archive, {expected}.")
            with zipfile.ZipFile(path) as archive:
                sizes = sum(entry.file_size for entry in archive.infolist())
                require_memory(path, sizes, f"the {self.name}")
            with np.load(path, allow_pickle=False) as arrays:
                if self.name not in arrays:
                    raise DataError(f"{path}: the archive holds no {self.name}, {expected}.")
                contents = json.loads(str(arrays[self.name]))
                named = {name: arrays[name] for name in arrays.files if name != self.name}
                return build(contents, named)

    def holds(self, path: str | Path) -> bool:
        """Return whether a file is an archive of this kind.

        Raises
        ------
        DataError
            If it is a damaged archive.
        """
        return self.name in _names_of_arrays(Path(path))


def _names_of_arrays(path: Path) -> list[str]:
    """Return the names of the arrays of a NumPy archive; none for another file."""
    if path.suffix.lower() != SUFFIX or not path.is_file() or not zipfile.is_zipfile(path):
        return []
    with damage_named(path, "NumPy"), zipfile.ZipFile(path) as archive:
        return [name.removesuffix(".npy") for name in archive.namelist()]


EXPERIMENT = SavedKind("experiment", "an", "Experiment.save", "neurocode fit and Experiment.load")
RECORDING = SavedKind(
    "population recording",
    "a",
    "PopulationExperiment.save",
    "neurocode fit-population and PopulationExperiment.load",
)
POPULATION = SavedKind("fitted population", "a", "FittedPopulation.save", "FittedPopulation.load")


def require_not_saved(path: Path, expected: str) -> None:
    """Refuse an archive of one of the kinds above.

    Raises
    ------
    DataError
        If it is one; the message says what reads it.
    """
    names = _names_of_arrays(path)
    for kind in (EXPERIMENT, RECORDING, POPULATION):
        if kind.name in names:
            raise DataError(
                f"{path}: this is {kind.article} {kind.name}, which is read by {kind.reader}; "
                f"expected {expected}."
            )
