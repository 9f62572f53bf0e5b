"""Files and folders that one process at a time may write."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurocode.errors import DataError


@contextmanager
def alone(path: Path, refusal: str) -> Iterator[None]:
    """Keep other processes from writing the same file or folder while the block runs; the lock of a
    killed process is released.

    Parameters
    ----------
    path : pathlib.Path
        The file or folder. Its parent folder is created if it is missing, and holds the lock file
        until the block ends.
    refusal : str
        Error message, after the path, for the process that comes second.

    Raises
    ------
    DataError
        If another process holds the lock, or the folder above cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> with alone(Path(tempfile.mkdtemp()) / "table.csv", "another run is writing this table."):
    ...     pass
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("w")
    except OSError as error:
        raise DataError(
            f"{path.parent}: this folder cannot be written to ({error.strerror})."
        ) from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            lost = not lock.exists() or not os.path.samestat(os.fstat(file.fileno()), lock.stat())
        except BlockingIOError:
            lost = True
        if lost:  # held by another process, or removed by one that has just ended
            raise DataError(f"{path}: {refusal}")
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


@contextmanager
def in_turn(path: Path) -> Iterator[None]:
    """Wait until no other process or thread is in such a block for the same path, for work of which
    the second would find the result of the first.

    Parameters
    ----------
    path : pathlib.Path
        The file or folder. Its parent folder is created if it is missing, and holds an empty file
        from then on.

    Examples
    --------
    >>> import tempfile
    >>> with in_turn(Path(tempfile.mkdtemp()) / "network"):
    ...     pass
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.turn").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
