"""The library of terms, one TOML file each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from neurocode.errors import ModelError
from neurocode.terms.files import read
from neurocode.terms.term import Term

FOLDER = Path(__file__).parent / "library"


def all() -> tuple[Term, ...]:
    """All terms of the library, in the order of their names.

    Returns
    -------
    tuple of Term

    Examples
    --------
    >>> import neurocode as nc
    >>> "h-current" in [term.name for term in nc.terms.all()]
    True
    """
    return tuple(_library().values())


def named(name: str) -> Term:
    """Return the term of the library with this name, or the term in the TOML file at this path.

    Raises
    ------
    ModelError
        If there is neither such a term nor such a file.

    Examples
    --------
    >>> import neurocode as nc
    >>> nc.terms.named("h-current").current
    'I_h'
    """
    if name in _library():
        return _library()[name]
    if name.endswith(".toml"):
        return read(name)
    raise ModelError(
        f"There is no term '{name}'; known are {', '.join(_library())}, or the path of a .toml "
        f"file."
    )


@lru_cache(maxsize=1)
def _library() -> dict[str, Term]:
    terms = [read(path) for path in sorted(FOLDER.glob("*.toml"), key=lambda path: path.stem)]
    return {term.name: term for term in terms}
