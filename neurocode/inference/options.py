"""Checks of the options of a fit, which are made before the fit begins."""

from __future__ import annotations

from numbers import Real

import numpy as np

from neurocode.errors import FitError
from neurocode.units import is_whole


def whole_number(value: object, what: str, least: int = 0) -> int:
    """Return a whole number of at least ``least`` as an int.

    Raises
    ------
    FitError
        If the value is not such a number.

    Examples
    --------
    >>> whole_number(np.int64(3), "The number of starts", 1)
    3
    """
    if not is_whole(value, least):
        raise FitError(f"{what} is {value!r}, expected a whole number of at least {least}.")
    return int(value)


def prior_width_of(value: object) -> float:
    """Return the width of the prior as a float: a positive number, or infinity for no prior.

    Raises
    ------
    FitError
        If the value is not such a number.

    Examples
    --------
    >>> prior_width_of(3)
    3.0
    """
    width = np.nan
    if isinstance(value, Real) and not isinstance(value, (bool, np.bool_)):
        width = float(value)
    if not width > 0:
        raise FitError(
            f"The width of the prior is {value!r}, expected a positive number, or infinity for no "
            f"prior."
        )
    return width
