"""Reading HDF5 files (NWB, NIX, MATLAB 7.3 and plain ones) without opening other files and without
trusting sizes that the file cannot hold."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from neurocode.errors import DataError
from neurocode.extras import Library
from neurocode.recordings.guard import damage_named
from neurocode.recordings.plausible import require_unit
from neurocode.recordings.sizes import require_memory, require_stored

h5py = Library("h5py")

#: Signature at the start of HDF5 files, or after a user block of 512 bytes, twice that, and so on
#: (HDF5 File Format Specification, II.A).
SIGNATURE, FIRST_BLOCK = b"\x89HDF\r\n\x1a\n", 512


def is_hdf5(path: Path) -> bool:
    """Whether a file is an HDF5 file, whatever its suffix; needs no library.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.mat"
    >>> _ = file.write_bytes(bytes(512) + SIGNATURE)
    >>> is_hdf5(file)
    True
    """
    size, place = path.stat().st_size, 0
    with path.open("rb") as file:
        while place + len(SIGNATURE) <= size:
            file.seek(place)
            if file.read(len(SIGNATURE)) == SIGNATURE:
                return True
            place = 2 * place or FIRST_BLOCK
    return False


def require_self_contained(path: Path) -> None:
    """Refuse a file that reads other files, or that declares more than it can hold.

    External links, external storage and virtual datasets name other files of the machine, which a
    recording from a stranger must not open.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If the file is damaged, points outside itself, or declares arrays larger than it can hold.
    """
    with damage_named(path, "HDF5"), h5py.File(path, "r") as file:
        inner = (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT)
        outer = file.id.links.visit(
            lambda name, info: None if info.type in inner else name, info=True
        )
        if outer is not None:
            raise DataError(
                f"{path}: '{outer.decode(errors='replace')}' is a link to another file, which is "
                f"not followed."
            )
        file.visititems(lambda name, entry: _require_inner_data(path, name, entry))


def read_array(path: Path, name: str) -> np.ndarray:
    """One array of numbers of an HDF5 file.

    Parameters
    ----------
    path : pathlib.Path
    name : str
        Path of the dataset in the file.

    Raises
    ------
    DataError
        If there is no such dataset, or it holds anything but numbers.
    """
    require_self_contained(path)
    with damage_named(path, "HDF5"), h5py.File(path, "r") as file:
        if name not in file:
            raise no_variable(path, name, list(file))
        entry = file[name]
        if not isinstance(entry, h5py.Dataset) or entry.dtype.kind not in "biuf":
            content = f"{entry.dtype} values" if isinstance(entry, h5py.Dataset) else "a group"
            raise DataError(f"{path}: '{name}' holds {content}, expected numbers.")
        require_memory(path, entry.size * np.dtype(float).itemsize, f"'{name}'")
        return entry[()]


def require_units(path: Path) -> None:
    """Refuse a file with an attribute ``unit`` that is not a unit; Neo would evaluate it.

    Raises
    ------
    DataError
    """

    def check(name: str, entry: Any) -> None:
        unit = entry.attrs.get("unit", "")
        require_unit(path, name, unit.decode() if isinstance(unit, bytes) else str(unit))

    with damage_named(path, "HDF5"), h5py.File(path, "r") as file:
        file.visititems(check)


def no_variable(path: Path, name: str, names: list[str]) -> DataError:
    """The error for a variable that the file does not have, or that is not named."""
    problem = f"there is no variable '{name}'" if name else "a variable must be named"
    return DataError(f"{path}: {problem}; the file has {', '.join(names) or 'none'}.")


def _require_inner_data(path: Path, name: str, entry: Any) -> None:
    if not isinstance(entry, h5py.Dataset):
        return
    if entry.external or entry.is_virtual:
        raise DataError(f"{path}: the data of '{name}' lie in another file, which is not read.")
    if entry.shape is not None:
        require_stored(path, math.prod(entry.shape) * entry.dtype.itemsize, f"'{name}'")
