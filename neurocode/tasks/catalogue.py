"""Tasks by their name on the command line. A further task needs its module and one row here."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

from neurocode.errors import ModelError


class Row(NamedTuple):
    """Where a task is made, and from how many files.

    Attributes
    ----------
    module : str
        Module of this package; a function in it with the name of the task makes the task.
    n_files : int
        Number of files or folders that this function takes before its options: none, one, or one
        for training and one for test.
    """

    module: str
    n_files: int


ROWS: dict[str, Row] = {
    "burst-sequences": Row("generated", 0),
    "spring-mass": Row("generated", 0),
    "digits": Row("images", 0),
    "ecg": Row("recorded", 1),
    "braille": Row("recorded", 1),
    "mnist": Row("images", 1),
    "fashion-mnist": Row("images", 1),
    "cifar10": Row("images", 1),
    "nmnist": Row("events", 1),
    "dvs-gesture": Row("events", 1),
    "heidelberg": Row("recorded", 2),
}


def maker(name: str) -> Callable:
    """Return the function that makes a task.

    Raises
    ------
    ModelError
        For an unknown name.

    Examples
    --------
    >>> maker("burst-sequences").__name__
    'burst_sequences'
    """
    if name not in ROWS:
        raise ModelError(f"'{name}' is not a task; known are {', '.join(ROWS)}.")
    return getattr(
        importlib.import_module(f"{__package__}.{ROWS[name].module}"), name.replace("-", "_")
    )
