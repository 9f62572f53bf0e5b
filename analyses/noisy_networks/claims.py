"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analyses.judging import Entry, Judge, difference, judged
from analyses.noisy_networks.protocols import MATCHED
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim whose tables are there; those on data that are not are "not comparable"."""
    return judged(FIXED, folder, JUDGES)


def equally_good(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of networks whose validation accuracy lies within half a point of what all compared kinds reach."""
    return table[(table["validation"] - table["common"]).abs() <= MATCHED + 1e-9]


def mean_over(table: pd.DataFrame, families: list[str]) -> pd.DataFrame:
    """With the mean accuracy over all levels of some disturbances."""
    return table.assign(mean=table[[name for name in table.columns if name.rpartition("_")[0] in families]].mean(axis=1))


def _accuracy(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    return difference(table, "kind", "escape", "deterministic", "test_score")


def _released(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    return difference(table, "kind", "deterministic", "released", "test_score")


def _robust(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    return difference(mean_over(equally_good(table), entry["families"]), "kind", "escape", "deterministic", "mean")


def _one_pass(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    own = equally_good(table)
    own = own[own["kind"] == "escape"]
    lost = mean_over(own, ["fgsm1"])["mean"] - mean_over(own, ["fgsm20"])["mean"]
    return lost.groupby(own["seed"]).mean().to_numpy()


def _variability(table: pd.DataFrame, entry: Entry) -> np.ndarray:
    return table.loc[table["kind"] == "escape", "fano"].to_numpy()


ROBUST = ("robust_input", "robust_attack", "robust_transfer", "robust_random", "robust_spikes", "robust_membrane")
JUDGES: dict[str, tuple[str, Judge]] = {
    "accuracy": ("training", _accuracy), "released_surrogate": ("training", _released), "one_pass": ("robustness", _one_pass),
    "variability": ("spiking", _variability), **{name: ("robustness", _robust) for name in ROBUST},
}  # fmt: skip
