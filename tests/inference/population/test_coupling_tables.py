"""The table of couplings from jumps and their information."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from neurocode.inference.population.couplings import coupling_table
from neurocode.inference.population.from_repeats import COUPLING_RIDGE, HISTORY_RIDGE

NAMES, TIMES = ("a", "b"), (3e-3, 20e-3)


def test_one_trace_by_hand() -> None:
    """Without overlap of history and coupling, a jump of 0.6 with information 10 and a penalty of
    curvature 2 has the variance 10/144 if its true value is zero."""
    assert COUPLING_RIDGE == 1.0
    jumps = np.zeros((2, 2, 1))
    jumps[1, 0, 0] = 0.6
    table = coupling_table(jumps, np.stack([10.0 * np.eye(2)] * 2), [20e-3], NAMES)
    a_to_b = table.set_index(["sender", "receiver"]).loc[("a", "b")]
    integral = 20 * (1 - np.exp(-1))  # of an exponential over 20 ms
    assert a_to_b["strength"] == pytest.approx(0.6 * integral)
    assert a_to_b["standard_error"] == pytest.approx(integral / np.sqrt(12))
    assert a_to_b["p_value"] == pytest.approx(chi2.sf(0.36 * 144 / 10, 1))
    assert a_to_b["verdict"] == "excitatory"
    b_to_a = table.set_index(["sender", "receiver"]).loc[("b", "a")]
    assert b_to_a["p_value"] == 1.0 and b_to_a["verdict"] == "none"


def test_p_values_of_pairs_without_coupling_are_even() -> None:
    """Jumps as penalised least squares gives them when no coupling exists: one trace is strongly
    informed and one hardly, and history overlaps with coupling. Of 2000 p-values 5 % lie below
    0.05, with a standard error of 0.5 %."""
    random = np.random.default_rng(5)
    mixing = np.diag([6.0, 0.6, 5.0, 0.5]) @ (np.eye(4) + 0.4 * random.normal(size=(4, 4)))
    information = mixing.T @ mixing
    ridge = 2 * np.repeat([[HISTORY_RIDGE, COUPLING_RIDGE], [COUPLING_RIDGE, HISTORY_RIDGE]], 2, 1)
    values = []
    for _ in range(1000):
        scores = mixing.T @ random.normal(size=(4, 2))
        jumps = np.stack(
            [
                np.linalg.solve(information + np.diag(ridge[cell]), scores[:, cell])
                for cell in range(2)
            ]
        ).reshape(2, 2, 2)
        table = coupling_table(jumps, np.stack([information] * 2), TIMES, NAMES)
        values.extend(table["p_value"])
    shares = [np.mean(np.array(values) < level) for level in (0.05, 0.5)]
    assert shares[0] == pytest.approx(0.05, abs=0.015)
    assert shares[1] == pytest.approx(0.5, abs=0.035)


def test_a_silent_sender_has_no_coupling() -> None:
    """Its jumps leave no trace in the spikes, so that nothing is known about them."""
    information = np.stack([np.diag([0.0, 10.0]), np.diag([0.0, 10.0])])
    table = coupling_table(np.zeros((2, 2, 1)), information, [20e-3], NAMES)
    from_a = table.set_index("sender").loc["a"]
    assert from_a["p_value"] == 1.0 and from_a["verdict"] == "none"
    # the penalty alone, of curvature two
    assert from_a["standard_error"] == pytest.approx(20 * (1 - np.exp(-1)) / np.sqrt(2))
