"""Finding the recordings that the files, folders and patterns given to a command stand for."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from pathlib import Path

from neurocode.errors import DataError
from neurocode.recordings.files import READABLE_SUFFIXES
from neurocode.recordings.phy import is_phy

#: Suffixes of notes and raw data as well as of spike times: such files are not taken from a folder,
#: but a pattern may match them.
AMBIGUOUS_SUFFIXES = (".txt", ".dat")


def recording_files(places: Sequence[str | Path]) -> list[Path]:
    """Recordings that files, folders and patterns stand for.

    Parameters
    ----------
    places : sequence of path or str
        A file stands for itself, whether or not it exists. A folder stands for the recordings in
        it, sorted by name: files with the suffix of a recording (except ``.txt`` and ``.dat``,
        which notes and raw data also have) and folders of Phy; a folder of Phy is itself one
        recording. A pattern (``sessions/*.nwb``, ``**`` for subfolders) stands for the recordings
        that it matches, sorted.

    Returns
    -------
    list of pathlib.Path

    Raises
    ------
    DataError
        If a folder or a pattern stands for nothing that can be read.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for name in ("b.csv", "a.nwb", "notes.txt"):
    ...     _ = (folder / name).write_text("0.5")
    >>> [path.name for path in recording_files([folder, folder / "*.txt"])]
    ['a.nwb', 'b.csv', 'notes.txt']
    """
    return [file for place in places for file in _of_place(Path(place))]


def _of_place(place: Path) -> list[Path]:
    if is_phy(place) or place.is_file():
        return [place]
    if place.is_dir():
        return _of_folder(place)
    if glob.has_magic(str(place)):
        return _of_pattern(place)
    return [place]


def _of_folder(folder: Path) -> list[Path]:
    suffixes = [suffix for suffix in READABLE_SUFFIXES if suffix not in AMBIGUOUS_SUFFIXES]
    files = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and _is_recording(path, suffixes)
    ]
    if not files:
        raise DataError(
            f"{folder}: the folder holds no recording; expected a Phy folder or files that end in "
            f"{', '.join(suffixes)}."
        )
    return files


def _of_pattern(pattern: Path) -> list[Path]:
    matches = [Path(match) for match in sorted(glob.glob(str(pattern), recursive=True))]
    files = [path for path in matches if _is_recording(path, READABLE_SUFFIXES)]
    if not files:
        problem = (
            f"none of the {len(matches)} that match can be read" if matches else "no file matches"
        )
        raise DataError(
            f"{pattern}: {problem}; expected recordings that end in {', '.join(READABLE_SUFFIXES)}."
        )
    return files


def _is_recording(path: Path, suffixes: Sequence[str]) -> bool:
    return is_phy(path) or (path.is_file() and path.suffix.lower() in suffixes)
