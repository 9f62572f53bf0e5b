"""The protocol of the studies of trained networks: tuning on made-up scores, untrained networks,
pairs of arms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from neurocode.studies import StudyRun
from neurocode.studies.study import load_study

ROOT = Path(__file__).parents[2]
load_study("noisy-networks", ROOT)

from analyses import judging, protocol  # noqa: E402


def peaked(dataset: str, kind: str, rate: float, width: float, seed: int) -> dict:
    """Validation score that is highest at a rate of 1 and at a width by kind, apart from a little
    noise by seed."""
    best_width = {"narrow": 0.25, "wide": 2.0, "far": 1e6}[kind]
    score = 1 - 0.1 * abs(np.log(rate)) - 0.1 * abs(np.log(width / best_width)) + 1e-3 * (seed % 3)
    return {"validation_score": score, "validation_loss": -score, "best_epoch": 5}


def run_in(folder: Path) -> StudyRun:
    return StudyRun("reduced", folder, folder / "scratch", 1, None, lambda done, total: None)


def tuned(folder, kinds, widths=(0.5, 1.0, 2.0)):
    cells = [{"dataset": "made", "kind": kind} for kind in kinds]
    grid = {"rate": (0.1, 1.0, 10.0), "width": widths}
    best = protocol.tune(
        run_in(folder), peaked, cells, grid, "tuning.parquet", ("dataset",), (100, 101)
    )
    return best.set_index("kind"), pd.read_parquet(folder / "tuning.parquet")


def test_a_best_setting_at_an_edge_widens_the_grid_of_all_arms(tmp_path):
    """Narrow is best at 0.25, one below the grid of 0.5, 1, 2; wide at 2, its end: both ends grow
    until they are passed.

    Both arms try the whole grid of nine, then each end with their own best values: 0.25 and 4, then
    0.125. Twelve settings.
    """
    best, table = tuned(tmp_path, ("narrow", "wide"))
    assert (
        best.loc["narrow", ["rate", "width"]].tolist() == [1.0, 0.25]
        and best.loc["wide", "width"] == 2.0
    )
    assert not best["at_edge"].any()
    for kind in ("narrow", "wide"):
        of_kind = table[table["kind"] == kind]
        assert (
            sorted(of_kind["width"].unique()) == [0.125, 0.25, 0.5, 1.0, 2.0, 4.0]
            and len(of_kind) == 12 * 2
        )
        assert set(of_kind.loc[~of_kind["width"].isin((0.5, 1.0, 2.0)), "rate"]) == {1.0}


def test_a_grid_stops_growing_and_says_so(tmp_path):
    best, table = tuned(tmp_path, ("far",))
    assert best["at_edge"].all() and best["width"].item() == 2.0 * 2.0**protocol.MOST_WIDENINGS
    assert table["width"].max() == best["width"].item() and len(table) == 2 * (
        9 + protocol.MOST_WIDENINGS
    )


def test_a_grid_of_one_value_does_not_grow(tmp_path):
    best, table = tuned(tmp_path, ("wide",), widths=(2.0,))
    assert set(table["width"]) == {2.0} and not best["at_edge"].any()


def test_seeds_are_averaged_and_equal_scores_go_to_the_lower_loss():
    rows = [
        ("a", 1.0, 0.9, 0.2),
        ("a", 1.0, 0.5, 0.2),
        ("a", 2.0, 0.7, 0.1),
        ("a", 2.0, 0.7, 0.1),
        ("a", 3.0, 0.6, 0.0),
        ("a", 3.0, 0.7, 0.0),
    ]
    table = pd.DataFrame(rows, columns=["cell", "rate", "validation_score", "validation_loss"])
    assert protocol.best_settings(table, ["cell"], ["rate"])["rate"].tolist() == [2.0]


def arms(**changes):
    table = pd.DataFrame(
        {
            "seed": [0, 1, 2, 0, 1, 2],
            "kind": ["a"] * 3 + ["b"] * 3,
            "score": [0.9, 0.8, 0.7, 0.85, 0.6, 0.1],
            "best_epoch": 5,
            "training_score": 0.95,
            "chance": 0.1,
        }
    )
    return table.assign(**changes)


def test_pairs_are_differences_by_seed_whatever_the_order_of_rows():
    pairs = protocol.paired(arms().sample(frac=1, random_state=1), "kind", "a", "b", "score")
    np.testing.assert_allclose(pairs.values, [0.05, 0.2, 0.6])
    assert pairs.untrained == 0


@pytest.mark.parametrize(
    "changes",
    [{"best_epoch": [5, 5, 5, 5, 5, 1]}, {"training_score": [0.95, 0.95, 0.29, 0.95, 0.95, 0.95]}],
)
def test_networks_that_did_not_train_are_left_out_with_their_pair(changes):
    """The first epoch was the best, or training accuracy stays below three times chance."""
    pairs = protocol.paired(arms(**changes), "kind", "a", "b", "score")
    np.testing.assert_allclose(pairs.values, [0.05, 0.2])
    assert pairs.untrained == 1


def test_an_arm_that_is_missing_gives_no_pairs():
    assert len(protocol.paired(arms(), "kind", "a", "c", "score").values) == 0
    table = arms()
    assert len(protocol.paired(table[:5], "kind", "a", "b", "score").values) == 2


TOML = """
[gain]
claim = "it helps"
source = "ours"
statistic = "made"
family = "one"
kind = "better"
margin = 0.01
[same]
claim = "it does no harm"
source = "ours"
statistic = "made"
family = "one"
kind = "equal"
margin = 0.01
datasets = ["x"]
[absent]
claim = "elsewhere"
source = "paper"
statistic = "not run"
paper_value = "93"
"""


def test_each_data_set_has_its_own_verdict_within_a_family(tmp_path):
    """A gain of five points on x and none on y; Holm counts three comparisons."""
    random = np.random.default_rng(0)
    rows = [
        {
            "key": f"{d}{s}",
            "dataset": d,
            "seed": s,
            "gain": (0.05 if d == "x" else 0.0) + 0.001 * random.normal(),
            "sequences": 0,
            "error": None,
        }
        for d in "xy"
        for s in range(8)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "made.parquet")
    (tmp_path / "claims.toml").write_text(TOML)

    def judge(table, entry):
        return protocol.Pairs(table["gain"].to_numpy(), 0)

    claims = judging.judged_families(
        tmp_path / "claims.toml", tmp_path, {"gain": ("made", judge), "same": ("made", judge)}
    )
    assert [(claim.dataset, claim.verdict) for claim in claims] == [
        ("x", "confirmed"),
        ("y", "refuted"),
        ("x", "refuted"),
        ("", "not comparable"),
    ]
    assert claims[3].paper_value == "93" and claims[0].claim == "it helps (made)"
