"""Files and folders that are replaced completely or not at all."""

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
    """Yield a temporary path to write to, whose file replaces ``path`` once it is completely on the
    disk.

    Parameters
    ----------
    path : pathlib.Path
        File to replace; its folder is created if it is missing.

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
    """Yield an empty folder to write into, which replaces ``folder`` as a whole when the block ends
    without an error.

    A process that is killed at any moment leaves the old folder or the new one, never a mixture.
    Entries of the old folder stay if their names are neither in the new folder nor in ``replaced``.

    Parameters
    ----------
    folder : pathlib.Path
        Its missing parents are created, and removed again if the block ends with an error.
    replaced : callable
        Returns the names of entries of the old folder that are removed with it, whether or not the
        new folder has them.

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
    """Return the absolute path of a folder, after checking that it can be written, before anything
    is computed for it.

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
            f"the working folder), expected a folder of its own such as out/."
        )
    existing = _existing(path.parent)
    if not existing.is_dir():
        raise DataError(f"{folder}: {existing} is a file, expected a folder.")
    try:
        with tempfile.TemporaryFile(dir=existing):
            return path
    except OSError as error:
        raise DataError(
            f"{folder}: nothing can be written in {existing} ({error.strerror}), expected a folder "
            f"that can."
        ) from None


def recover_folder(folder: Path, replaced: Callable[[Path], Collection[str]]) -> None:
    """Restore what a process that was killed while it replaced ``folder`` had moved away.

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
    """Exchange two folders by two renames, then move the entries that stay.

    :func:`_recover` repairs a kill in between.
    """
    old_folder = _beside(folder, "old")
    if not folder.exists():
        os.rename(scratch, folder)
        return
    os.rename(folder, old_folder)
    try:
        os.rename(scratch, folder)
    except BaseException:
        os.rename(old_folder, folder)
        raise
    _carry_over(old_folder, folder, replaced)


def _recover(folder: Path, replaced: Callable[[Path], Collection[str]]) -> None:
    old_folder = _beside(folder, "old")
    if not old_folder.exists():
        return
    if folder.exists():
        _carry_over(old_folder, folder, replaced)
    else:
        os.rename(old_folder, folder)


def _carry_over(
    old_folder: Path, folder: Path, replaced: Callable[[Path], Collection[str]]
) -> None:
    """Move entries that the new folder does not replace from the old one, and remove the rest."""
    removed_names = {*replaced(old_folder), *(path.name for path in folder.iterdir())}
    for path in old_folder.iterdir():
        if path.name not in removed_names:
            os.rename(path, folder / path.name)
    shutil.rmtree(old_folder)


@contextmanager
def _parents(folder: Path) -> Iterator[None]:
    """Create the missing folders above ``folder``; remove them if the block ends in an error."""
    missing = [parent for parent in folder.parents if not os.path.exists(parent)]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for parent in missing:
            with suppress(OSError):  # another process has written there by now
                parent.rmdir()
        raise


def _beside(folder: Path, suffix: str) -> Path:
    return folder.with_name(f".{folder.name}.{suffix}")


def _existing(folder: Path) -> Path:
    return folder if os.path.exists(folder) else _existing(folder.parent)
