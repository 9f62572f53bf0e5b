"""Complexity of populations and over time."""

from __future__ import annotations

import numpy as np
import pytest

from neurocode.errors import DataError
from neurocode.statistics.complexity import lz76
from neurocode.statistics.population_complexity import population_lz76, sliding_lz76


def test_units_that_fire_together_are_simpler_jointly():
    random = np.random.default_rng(1)
    shared = random.random((1, 4000)) < 0.2
    together, apart = np.repeat(shared, 4, axis=0), random.random((4, 4000)) < 0.2
    assert population_lz76(together) == lz76(shared[0])
    assert population_lz76(apart) > 2.5 * population_lz76(together)
    assert population_lz76(together, "concatenated") <= population_lz76(together, "each")[0] + 4


def test_a_change_of_structure_is_seen_over_time():
    bits = np.concatenate([np.tile([0, 1], 500), np.random.default_rng(2).integers(0, 2, 1000)])
    starts, counts = sliding_lz76(bits, 500)
    assert (
        starts.tolist() == [0, 500, 1000, 1500] and counts[:2].max() <= 3 and counts[2:].min() > 40
    )


def test_bad_populations_are_named():
    with pytest.raises(DataError, match="not a form"):
        population_lz76(np.zeros((2, 2)), "sum")
    with pytest.raises(DataError, match=r"shape \(units, bins\)"):
        population_lz76(np.zeros(4))
    with pytest.raises(DataError, match="not positive"):
        sliding_lz76(np.zeros(4), 0)
    assert sliding_lz76(np.zeros(4), 5)[1].size == 0


def test_populations_by_hand():
    """Patterns a b a b a b c of two units; concatenated 10101010101011; each alone."""
    units = np.array([[1, 0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1, 1]])
    assert population_lz76(units) == lz76("abababc") == 3
    assert population_lz76(units, "concatenated") == lz76("10101010101011")
    assert population_lz76(units, "each").tolist() == [lz76("1010101"), lz76("0101011")]
    assert population_lz76(np.zeros((2, 0))) == 0 and population_lz76(np.zeros((0, 3))) == 0


def test_windows_by_hand():
    starts, counts = sliding_lz76(np.array([0, 1, 0, 1, 1, 0, 0]), 3, 2)
    assert starts.tolist() == [0, 2, 4] and counts.tolist() == [
        lz76("010"),
        lz76("011"),
        lz76("100"),
    ]
    assert (
        sliding_lz76("0101", 4)[0].tolist() == [0]
        and sliding_lz76(np.zeros(4), 1)[1].tolist() == [1] * 4
    )
    for window, step in ((1, 0), (0, 1), (2, -1)):
        with pytest.raises(DataError, match=f"window of {window} and a step of {step}"):
            sliding_lz76(np.zeros(4), window, step)
