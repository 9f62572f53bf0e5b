"""The enumeration of gradients in small: which parts of a network make straight-through wrong, and
the judge of its claims."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.studies import key_of
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
load_study("noisy-networks", ROOT)

from analyses.noisy_networks import gradients  # noqa: E402


@pytest.mark.long
def test_without_reset_and_curvature_straight_through_is_exact():
    """One neuron, two steps: memory alone adds nothing; the loss and the reset each do, and both
    corrections together remove it."""
    row = gradients.compare_gradients(**gradients.gradient_rows("quick")[0] | {"parts": True})
    assert row["linear_unreset_error"] < 1e-12
    assert (
        row["linear_error"] > 0.02 and row["unreset_error"] > 0.02 and row["forgetful_error"] > 0.02
    )
    assert row["trapezoid_secant_error"] < 0.02 < row["straight_through_error"]
    assert row["predicted_unreset"] - 1 == pytest.approx(row["unreset_ratio"] - 1, rel=0.2)
    assert (
        row["straight_through_variance"]
        < row["trapezoid_secant_variance"]
        < row["score_function_variance"]
    )


def test_every_row_is_another_network_and_every_claim_has_its_twenty_four():
    rows = gradients.gradient_rows("reduced")
    assert len({key_of(row) for row in rows}) == len(rows)
    assert (
        max(int(np.sum([int(n) for n in row["neurons"].split("-")])) * row["steps"] for row in rows)
        == 12
    )
    table = pd.DataFrame(rows)
    table["straight_through_ratio"], table["error_of_it"] = (
        1 + table["width"] * (table["seed"] + 1),
        0.25,
    )
    for depth in ("one noisy layer", "two noisy layers", "three noisy layers"):
        of_depth = table[table["dataset"] == depth]
        entry = {"first": "straight_through_ratio", "second": 1.0}
        np.testing.assert_allclose(
            gradients.gradient_pairs(of_depth, entry).values, 0.3 * np.arange(1, 25)
        )
        entry = {
            "first": "straight_through_ratio",
            "second": "error_of_it",
            "where": {"width": 0.1},
        }
        np.testing.assert_allclose(
            gradients.gradient_pairs(of_depth, entry).values, 0.75 + 0.1 * np.arange(1, 25)
        )
