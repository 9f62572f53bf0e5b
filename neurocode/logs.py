"""Control of what other libraries log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet(name: str) -> Iterator[None]:
    """Keep a library from logging while the block runs, where results and errors already say the
    same.

    Parameters
    ----------
    name : str
        Name of its logger.

    Examples
    --------
    >>> with quiet("a library"):
    ...     logging.getLogger("a library").critical("never seen")
    """
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
