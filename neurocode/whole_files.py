"""Files and folders that are replaced whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from neurocode.errors import DataError
from neurocode.locks import alone

ANOTHER_RUN = "another run is writing into this folder, expected a folder of its own."


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside ``path`` to write to; its file takes the place of ``path`` when all of it is on
    the disk.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made where it is missing.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> with replacing(path) as scratch:
    ...     _ = scratch.write_text("a,b")
    >>> path.read_text()
    'a,b'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.writing")
    yield scratch
    with scratch.open("rb") as file:
        os.fsync(file.fileno())
    os.replace(scratch, path)


@contextmanager
def replacing_folder(folder: Path, replaced: Callable[[Path], Collection[str]]) -> Iterator[Path]:
    """An empty folder beside ``folder`` to write into, which takes its place whole when the block
    ends without an error.

    A process that is killed at any moment leaves the old folder or the new one, never some files of
    each. What else is in the old folder stays: its entries whose names are neither in the new one
    nor in ``replaced``.

    Parameters
    ----------
    folder : pathlib.Path
        Its missing parents are made, and removed again if the block ends with an error.
    replaced : callable
        Names of the entries of the old folder that go with it, whether the new one has them or not.

    Raises
    ------
    DataError
        If nothing can be written there, or another process is writing there.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp()) / "out"
    >>> with replacing_folder(folder, lambda old: ()) as scratch:
    ...     _ = (scratch / "table.csv").write_text("a,b")
    >>> [path.name for path in folder.iterdir()]
    ['table.csv']
    """
    folder = require_replaceable(folder)
    with _parents(folder), alone(folder, ANOTHER_RUN):
        _recover(folder, replaced)
        scratch = _beside(folder, "writing")
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            yield scratch
            _exchange(scratch, folder, replaced)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def require_replaceable(folder: Path) -> Path:
    """The absolute path of a folder that can be written, checked before anything is computed for
    it.

    Raises
    ------
    DataError
        If it is a file, a mount point or the working folder, lies below a file, or may not be
        written.
    """
    path = Path(folder).resolve()
    if os.path.exists(path) and not path.is_dir():
        raise DataError(f"{folder}: this is a file, expected a folder to write into.")
    if path == Path.cwd() or path in Path.cwd().parents or path.is_mount():
        raise DataError(
            f"{folder}: this folder cannot be replaced as a whole (it is a mount point or holds "
            f"the working folder), expected a "
            "folder of its own such as out/."
        )
    home = _existing(path.parent)
    if not home.is_dir():
        raise DataError(f"{folder}: {home} is a file, expected a folder.")
    try:
        with tempfile.TemporaryFile(dir=home):
            return path
    except OSError as error:
        raise DataError(
            f"{folder}: nothing can be written in {home} ({error.strerror}), expected a folder "
            f"that can."
        ) from None


def recover_folder(folder: Path, replaced: Callable[[Path], Collection[str]]) -> None:
    """Put back what a process that was killed while it replaced ``folder`` had set aside.

    Parameters
    ----------
    folder : pathlib.Path
    replaced : callable
        See :func:`replacing_folder`.
    """
    folder = Path(folder).resolve()
    if _beside(folder, "old").exists():
        with alone(folder, ANOTHER_RUN):
            _recover(folder, replaced)


def _exchange(scratch: Path, folder: Path, replaced: Callable[[Path], Collection[str]]) -> None:
    """Two renames; what is kept follows. A kill in between is put right by :func:`_recover`."""
    aside = _beside(folder, "old")
    if not folder.exists():
        os.rename(scratch, folder)
        return
    os.rename(folder, aside)
    try:
        os.rename(scratch, folder)
    except BaseException:
        os.rename(aside, folder)
        raise
    _carry_over(aside, folder, replaced)


def _recover(folder: Path, replaced: Callable[[Path], Collection[str]]) -> None:
    aside = _beside(folder, "old")
    if not aside.exists():
        return
    if folder.exists():
        _carry_over(aside, folder, replaced)
    else:
        os.rename(aside, folder)


def _carry_over(aside: Path, folder: Path, replaced: Callable[[Path], Collection[str]]) -> None:
    """Move what the new folder does not replace from the old one, and remove the rest."""
    gone = {*replaced(aside), *(path.name for path in folder.iterdir())}
    for path in aside.iterdir():
        if path.name not in gone:
            os.rename(path, folder / path.name)
    shutil.rmtree(aside)


@contextmanager
def _parents(folder: Path) -> Iterator[None]:
    """Make the missing folders above ``folder``, for good if the block ends without an error."""
    missing = [parent for parent in folder.parents if not os.path.exists(parent)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for parent in missing:
            with suppress(OSError):  # another process has written there by now
                parent.rmdir()
        raise


def _beside(folder: Path, what: str) -> Path:
    return folder.with_name(f".{folder.name}.{what}")


def _existing(folder: Path) -> Path:
    return folder if os.path.exists(folder) else _existing(folder.parent)
