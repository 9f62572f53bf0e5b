"""Checking the sizes that a file declares, before anything is read, against what the file and the
memory can hold."""

from __future__ import annotations

from pathlib import Path

from neurocode.errors import DataError

#: Deflate packs no more than this many bytes into one (figure of zlib).
LARGEST_COMPRESSION = 1032
#: Up to this many bytes are accepted from any file, since sparse and repetitive data may be stored
#: in very few bytes.
ALWAYS_BELIEVED = 2**26
#: The most bytes that one array may fill.
MOST_BYTES = 2**30


def require_stored(path: Path, n_bytes: int, what: str) -> None:
    """Refuse an array that the file is too small to hold.

    Parameters
    ----------
    path : pathlib.Path
    n_bytes : int
        Size of the unpacked array.
    what : str
        Name of the array in the message.

    Raises
    ------
    DataError
    """
    size = path.stat().st_size
    if n_bytes > max(ALWAYS_BELIEVED, LARGEST_COMPRESSION * size):
        raise DataError(
            f"{path}: {what} declares {n_bytes:.3g} bytes, which a file of {size} bytes cannot "
            f"hold."
        )


def require_memory(path: Path, n_bytes: int, what: str) -> None:
    """Refuse an array that would fill too much memory.

    Parameters
    ----------
    path : pathlib.Path
    n_bytes : int
        Size of the array in memory.
    what : str
        Name of the array in the message.

    Raises
    ------
    DataError
    """
    if n_bytes > MOST_BYTES:
        raise DataError(
            f"{path}: {what} fills {n_bytes / 2**30:.3g} GiB, at most {MOST_BYTES / 2**30:g} GiB "
            f"are read."
        )
