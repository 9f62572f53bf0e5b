"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analyses.judging import Entry, Judge, difference, judged
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")
DISTURBANCES = ["noise", "salt", "flips"]


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim whose tables are there; those on data that are not are "not comparable"."""
    return judged(FIXED, folder, JUDGES)


def _of(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    return table[table["normalised"] == entry["normalised"]]


def at_best_threshold(table: pd.DataFrame) -> pd.DataFrame:
    """Rows at the initial threshold best on validation, of every data set and way of learning."""
    if table.empty:
        return table
    means = table.groupby(["dataset", "learned", "threshold"])["validation_score"].mean()
    best = pd.DataFrame(list(means.groupby(["dataset", "learned"]).idxmax()), columns=["dataset", "learned", "threshold"])
    return table.merge(best)


def _from_one(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    own = _of(table, entry)
    return difference(own[own["threshold"] == 1.0], "learned", "both", "weights", "test_score")


def _over(other: str) -> Judge:
    def judge(table: pd.DataFrame, entry: Entry) -> np.ndarray:
        return difference(at_best_threshold(_of(table, entry)), "learned", "both", other, "test_score")

    return judge


def _rates(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    own = _of(table, entry)
    own = own.assign(log=np.log(np.maximum(own["rate_hidden"], 1e-6)))
    spread = own.groupby(["dataset", "seed", "learned"])["log"].std().rename("spread").reset_index()
    return difference(spread, "learned", "weights", "both", "spread")


def _noise(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    own = _of(table, entry)
    own = own[own["threshold"] == 1.0]
    return difference(own.assign(lost=own["test_score"] - own[DISTURBANCES].mean(axis=1)), "learned", "weights", "both", "lost")


def _joint(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    own = table[table["learned"] == "both"].assign(decision=lambda rows: np.where(rows["joint"], "joint", "voters"))
    return difference(own, "decision", "joint", "voters", "test_score")


def _noisy(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    return difference(table, "learned", "both", "weights", "test_score")


JUDGES: dict[str, tuple[str, Judge]] = {
    "over_weights": ("training", _from_one), "over_weights_plain": ("training", _from_one),
    "over_tuned": ("training", _over("weights")), "over_tuned_plain": ("training", _over("weights")),
    "over_thresholds": ("training", _over("thresholds")), "rates": ("training", _rates), "noise": ("training", _noise),
    "joint": ("decisions", _joint), "noisy_thresholds": ("noisy", _noisy),
}  # fmt: skip
