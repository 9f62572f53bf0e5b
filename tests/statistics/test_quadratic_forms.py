"""Weighted sums of chi-square variables against exact tails."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from neurocode.errors import DataError
from neurocode.statistics.quadratic_forms import chi_square_sum_tail


def exact_tail(value: float, weights: list[float]) -> float:
    """Tail of a sum in which each weight stands twice: exponential variables with means 2w."""
    means = 2 * np.array(weights)
    return sum(
        np.exp(-value / mean) * np.prod([mean / (mean - other) for other in means if other != mean])
        for mean in means
    )


@pytest.mark.parametrize("weights", [[2.0, 1.0], [1.0, 0.3, 0.05], [1.0, 0.9, 0.5, 0.01]])
@pytest.mark.parametrize("value", [0.5, 2.0, 6.0, 10.0, 20.0, 40.0])
def test_tails_are_within_five_percent_of_exact_ones(weights, value) -> None:
    tail = chi_square_sum_tail(value, np.repeat(weights, 2))
    assert tail == pytest.approx(exact_tail(value, weights), rel=0.05)


def test_equal_weights_are_a_chi_square_variable() -> None:
    assert chi_square_sum_tail(9.0, [0.5, 0.5, 0.5]) == pytest.approx(chi2.sf(18.0, 3), rel=1e-12)
    assert chi_square_sum_tail(9.0, [0.5, 0.0, -1e-15]) == pytest.approx(chi2.sf(18.0, 1))
    assert chi_square_sum_tail(0.0, [1.0]) == chi_square_sum_tail(-1.0, [1.0]) == 1.0


def test_nothing_jumps_at_the_mean_of_the_sum() -> None:
    weights = [1.0, 0.5, 0.2]  # mean 1.7
    tails = [chi_square_sum_tail(value, weights) for value in (1.69, 1.7, 1.71)]
    assert tails[0] - tails[1] == pytest.approx(tails[1] - tails[2], rel=0.02)
    # by eight million draws the tail is 0.3648 and the density 0.240
    assert tails[1] == pytest.approx(0.3648, rel=0.03)
    assert tails[0] - tails[2] == pytest.approx(0.02 * 0.240, rel=0.03)


@pytest.mark.parametrize(("value", "weights"), [(np.nan, [1.0]), (1.0, [np.inf]), (1.0, [0.0])])
def test_values_without_a_tail_are_refused(value, weights) -> None:
    with pytest.raises(DataError, match="chi-squares"):
        chi_square_sum_tail(value, weights)
