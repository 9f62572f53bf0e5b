"""Files that one process at a time may write."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurocode.errors import DataError


@contextmanager
def alone(path: Path, refusal: str) -> Iterator[None]:
    """Keep others from writing the same file while the block runs; the lock of a process that was killed is free.

    Parameters
    ----------
    path : pathlib.Path
        Of the file; its folder is made where it is missing, and the lock lies beside it.
    refusal : str
        What is said, after the path, to whom comes second.

    Raises
    ------
    DataError
        If another holds the lock, or the folder cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> with alone(Path(tempfile.mkdtemp()) / "table.csv", "another run is writing this table."):
    ...     pass
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_name(f".{path.name}.lock").open("w")
    except OSError as error:
        raise DataError(f"{path.parent}: this folder cannot be written to ({error.strerror}).") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(f"{path}: {refusal}") from None
        yield
