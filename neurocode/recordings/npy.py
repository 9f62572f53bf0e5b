"""Reading arrays of numbers from NPY files, without unpickling and never larger than the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neurocode.errors import DataError
from neurocode.recordings.guard import damage_named
from neurocode.recordings.sizes import require_memory


def read_npy(path: Path) -> np.ndarray:
    """Read an array of numbers.

    The file is memory-mapped before it is read: NumPy itself then refuses a map larger than the
    file, and Python objects, which only a pickle can hold.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    DataError
        If the file is damaged, shorter than it declares, or holds anything but numbers.

    Examples
    --------
    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "cell.npy"
    >>> np.save(file, [0.5, 0.25])
    >>> read_npy(file).tolist()
    [0.5, 0.25]
    """
    with damage_named(path, "NumPy"):
        array = np.lib.format.open_memmap(path, mode="r")
        if array.dtype.kind not in "biuf":
            raise DataError(
                f"{path}: the array holds values of type {array.dtype}, expected numbers."
            )
        require_memory(path, array.size * np.dtype(float).itemsize, "the array")
        return np.array(array)
