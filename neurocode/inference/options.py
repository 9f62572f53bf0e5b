"""Options of a fit, checked before it begins: honoured or refused, never passed over."""

from __future__ import annotations

from numbers import Real

import numpy as np

from neurocode.errors import FitError
from neurocode.units import is_whole


def whole_number(value: object, what: str, least: int = 0) -> int:
    """A whole number of at least ``least``.

    Raises
    ------
    FitError

    Examples
    --------
    >>> whole_number(np.int64(3), "The number of starts", 1)
    3
    """
    if not is_whole(value, least):
        raise FitError(f"{what} is {value!r}, expected a whole number of at least {least}.")
    return int(value)


def prior_width_of(value: object) -> float:
    """Width of the prior: a positive number, infinite for none.

    Raises
    ------
    FitError

    Examples
    --------
    >>> prior_width_of(3)
    3.0
    """
    if not isinstance(value, Real) or isinstance(value, (bool, np.bool_)) or not value > 0:
        raise FitError(
            f"The width of the prior is {value!r}, expected a positive number, or infinity for no "
            f"prior."
        )
    return float(value)
