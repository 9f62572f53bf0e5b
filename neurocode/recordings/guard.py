"""Turning any error of a reader into one sentence that names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neurocode.errors import DataError, NeurocodeError

LONGEST_REASON = 160


def require_file(path: str | Path) -> Path:
    """Path of a file, checked to exist and not to be empty.

    Parameters
    ----------
    path : str or pathlib.Path

    Raises
    ------
    DataError
        If there is no such file, or it is a folder or empty.

    Examples
    --------
    >>> require_file("absent.abf")
    Traceback (most recent call last):
    neurocode.errors.DataError: absent.abf: there is no such file.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path}: this is a folder, expected a file.")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty.")
    return path


@contextmanager
def damage_named(path: Path, reader: str) -> Iterator[None]:
    """Turn the errors that a library raises on damaged or hostile files into one sentence.

    Parameters
    ----------
    path : pathlib.Path
    reader : str
        Name of the library, or of the format that it expects.

    Raises
    ------
    DataError
    """
    try:
        yield
    except NeurocodeError:
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0].strip().rstrip(".") or type(error).__name__
        printable = "".join(sign if sign.isprintable() else "?" for sign in reason[:LONGEST_REASON])
        raise DataError(
            f"{path}: the file is damaged or truncated ({reader}: {printable})."
        ) from None
