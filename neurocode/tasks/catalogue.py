"""Tasks by the name used on the command line; one more is its file and its row."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import NamedTuple

from neurocode.errors import ModelError


class Row(NamedTuple):
    """Where a task is made, and what it is read from.

    Attributes
    ----------
    module : str
        Of this package, in which a function of the name of the task makes it.
    n_files : int
        Files or folders that this function takes before its options: none, one, or one of training
        and one of test.
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
    """The function that makes a task.

    Raises
    ------
    ModelError
        For another name.

    Examples
    --------
    >>> maker("burst-sequences").__name__
    'burst_sequences'
    """
    if name not in ROWS:
        raise ModelError(f"'{name}' is no task; known are {', '.join(ROWS)}.")
    return getattr(
        importlib.import_module(f"{__package__}.{ROWS[name].module}"), name.replace("-", "_")
    )
