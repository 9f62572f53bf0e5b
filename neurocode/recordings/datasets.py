"""Named public recordings: found in the folder ``NEUROCODE_DATA`` or downloaded with a checksum."""

from __future__ import annotations

import hashlib
import os
import shutil
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from neurocode.errors import DataError
from neurocode.extras import require

FOLDER_VARIABLE = "NEUROCODE_DATA"


@dataclass(frozen=True)
class Dataset:
    """A public recording.

    Attributes
    ----------
    name, description, source, license : str
    base_url : str
    files : dict of str to (str, str)
        Path below ``base_url`` and SHA-256 of each file by its name.
    """

    name: str
    description: str
    source: str
    license: str
    base_url: str
    files: dict[str, tuple[str, str]]


def available() -> dict[str, Dataset]:
    """All data sets by name.

    Examples
    --------
    >>> "raphe" in available()
    True
    """
    tables = tomllib.loads(
        files("neurocode.recordings").joinpath("datasets.toml").read_text(encoding="utf-8")
    )
    return {
        name: Dataset(
            name,
            **{**table, "files": {f["name"]: (f["path"], f["sha256"]) for f in table["files"]}},
        )
        for name, table in tables.items()
    }


def local_folder() -> Path | None:
    """Folder named by ``NEUROCODE_DATA``, or None where it is unset or absent."""
    value = os.environ.get(FOLDER_VARIABLE)
    return Path(value) if value and Path(value).is_dir() else None


def fetch(name: str, file: str, *, folder: str | Path | None = None) -> Path:
    """Path of one file of a data set, downloaded and checked if there is no local copy.

    Parameters
    ----------
    name : str
        Data set.
    file : str
        File name.
    folder : path, optional
        Folder for the file, whether it is downloaded or copied from ``NEUROCODE_DATA``. Without it,
        a file of ``NEUROCODE_DATA`` is used in place, and downloads are kept in the cache folder of
        the operating system.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DataError
        If the data set or file is unknown, the download fails, the checksum is wrong, or the folder
        cannot be written into.
    """
    entry = dataset(name)
    if file not in entry.files:
        raise DataError(
            f"The data set '{name}' has no file '{file}'; it has {', '.join(entry.files)}."
        )
    path, checksum = entry.files[file]
    local = local_folder()
    if local is not None and (local / name / file).is_file():
        local_file = local / name / file
        if _checksum(local_file) != checksum:
            raise DataError(f"{local_file}: the checksum is not that of the published file.")
        return local_file if folder is None else _copied(local_file, Path(folder))
    pooch = require("pooch")
    cache = Path(folder) if folder is not None else pooch.os_cache("neurocode") / name
    _made(cache)
    try:
        return Path(
            pooch.retrieve(entry.base_url + path, f"sha256:{checksum}", fname=file, path=cache)
        )
    except Exception as error:
        raise DataError(
            f"{file} of '{name}' could not be downloaded from {entry.base_url}: {error}"
        ) from None


def _checksum(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _copied(file: Path, folder: Path) -> Path:
    """Copy a file into a folder, which is created if necessary, and return the copy."""
    _made(folder)
    copy = folder / file.name
    if not (copy.exists() and copy.samefile(file)):
        shutil.copyfile(file, copy)
    return copy


def _made(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: the folder cannot be made ({error.strerror}).") from None
    if not os.access(folder, os.W_OK):
        raise DataError(f"{folder}: the folder cannot be written into.")


def dataset(name: str) -> Dataset:
    """Data set of this name.

    Raises
    ------
    DataError
        If there is no data set of this name.
    """
    datasets = available()
    if name not in datasets:
        raise DataError(f"There is no data set '{name}'; known are {', '.join(datasets)}.")
    return datasets[name]
