"""Quadratic forms of normal variables: sums of chi-square variables with weights."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.stats import chi2, norm

from neurocode.errors import DataError

#: Weights below this share of the largest one are left out.
NEGLIGIBLE = 1e-9
#: Signed root of the saddlepoint below which the correction is a difference of large numbers.
NEAR_MEAN = 1e-3


def chi_square_sum_tail(value: float, weights: ArrayLike) -> float:
    """Return the probability that a weighted sum of chi-square variables exceeds a value.

    The sum is ``w_1 z_1^2 + ... + w_k z_k^2`` with independent standard normal ``z``. Its tail
    comes from the saddlepoint approximation of Lugannani and Rice (Kuonen 1999), whose relative
    error is a few percent even far out. With a single weight, or with equal ones, the tail is that
    of a chi-square variable.

    Parameters
    ----------
    value : float
    weights : array (k,)
        At least one is positive; weights that are zero, or negative by rounding, do not count.

    Returns
    -------
    float

    Raises
    ------
    DataError
        If no weight is positive, or if a number is not finite.

    References
    ----------
    Kuonen 1999, Biometrika 86:929.

    Examples
    --------
    >>> round(chi_square_sum_tail(3.841, [1.0]), 3)
    0.05
    >>> round(chi_square_sum_tail(20.0, [2.0, 2.0, 1.0, 1.0]), 4)  # exactly 0.0134
    0.0135
    """
    all_weights = np.asarray(weights, float).ravel()
    if not np.isfinite(all_weights).all() or not np.isfinite(value):
        raise DataError("The value and the weights of a sum of chi-squares must be finite.")
    largest = all_weights.max(initial=0.0)
    if largest <= 0:
        raise DataError("A sum of chi-squares needs a positive weight.")
    if value <= 0:
        return 1.0
    kept = all_weights[all_weights > NEGLIGIBLE * largest] / largest
    scaled = value / largest
    if np.ptp(kept) == 0:
        return float(chi2.sf(scaled, len(kept)))
    return _saddlepoint_tail(scaled, kept)


def _saddlepoint_tail(value: float, weights: np.ndarray) -> float:
    """Return the tail for weights of which the largest is one."""

    def slope(point: float) -> float:
        """Derivative of the cumulant generating function, minus the value."""
        return float(np.sum(weights / (1 - 2 * point * weights))) - value

    # The slope lies between that of one weight of one and that of k of them.
    lowest, highest = 0.5 * (1 - (len(weights) + 1) / value), 0.5 * (1 - 0.5 / value)
    point = cast("float", brentq(slope, lowest, highest))
    cumulant = -0.5 * np.sum(np.log1p(-2 * point * weights))
    curvature = 2 * np.sum((weights / (1 - 2 * point * weights)) ** 2)
    root = np.sign(point) * np.sqrt(max(2 * (point * value - cumulant), 0.0))
    if abs(root) < NEAR_MEAN:
        # The limit of the correction at the mean.
        skewness = 8 * np.sum(weights**3) / (2 * np.sum(weights**2)) ** 1.5
        return float(norm.sf(skewness / 6))
    ratio = point * np.sqrt(curvature) / root
    return float(np.clip(norm.sf(root + np.log(ratio) / root), 0.0, 1.0))
