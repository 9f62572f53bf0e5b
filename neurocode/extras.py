"""Libraries that only some users need: imported when first used, and named with the command that
installs them."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from neurocode.errors import MissingExtraError

#: For each library the extra of ``pyproject.toml`` that installs it, and what it does here.
LIBRARIES = {
    "dask": ("cluster", "starts workers"),
    "distributed": ("cluster", "runs work in several processes"),
    "h5py": ("files", "reads HDF5 files"),
    "igor2": ("files", "reads Igor binary waves"),
    "nir": ("learning", "exchanges networks as NIR graphs"),
    "nixio": ("files", "reads and writes NIX files"),
    "optax": ("learning", "trains networks"),
    "pooch": ("files", "downloads public data"),
    "pyarrow": ("parquet", "reads and writes Parquet tables"),
    "pynwb": ("files", "reads and writes NWB files"),
}


def require(name: str) -> ModuleType:
    """A library of an extra, imported.

    Parameters
    ----------
    name : str
        A key of ``LIBRARIES``, or a module of such a library.

    Raises
    ------
    MissingExtraError
        If the library, or one that it needs, is not installed; the message names the command that
        installs it.

    Examples
    --------
    >>> require("h5py").__name__
    'h5py'
    """
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise MissingExtraError(f"{missing(name.partition('.')[0])}.") from None


def is_installed(name: str) -> bool:
    """Whether a library of an extra is installed, without importing it.

    Examples
    --------
    >>> is_installed("h5py")
    True
    """
    try:
        return find_spec(name) is not None
    except ValueError:  # hidden on purpose: its entry in sys.modules is None
        return False


def missing(name: str) -> str:
    """The sentence that says what a library does, and how to install it.

    Examples
    --------
    >>> missing("igor2")
    'igor2, which reads Igor binary waves, is not installed: pip install "neurocode[files]"'
    """
    extra, purpose = LIBRARIES[name]
    return f'{name}, which {purpose}, is not installed: pip install "neurocode[{extra}]"'


class Library:
    """Placeholder for a library of an extra, which is imported when one of its attributes is first
    used.

    Parameters
    ----------
    name : str
        A key of ``LIBRARIES``, or a module of such a library.

    Examples
    --------
    >>> h5py = Library("h5py")
    >>> h5py.File.__name__
    'File'
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        # tools that inspect a module for documentation or tests must not import the library
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return getattr(require(self._name), attribute)
