"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analyses.judging import Entry, PairedJudge, judged_families
from analyses.protocol import Pairs, is_trained, paired
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")
#: A network looks like its cells if its difference from them is less than this multiple of the
#: difference between halves of their recordings.
ALIKE = 2.0


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists."""
    return judged_families(FIXED, folder, JUDGES)


def _between(table: pd.DataFrame, entry: Entry) -> Pairs:
    return paired(table, "arm", entry["first"], entry["second"], entry["values"])


def _alike(table: pd.DataFrame, entry: Entry) -> Pairs:
    rows = table[table["arm"] == entry["arm"]]
    trained = is_trained(rows)
    return Pairs(
        (np.log(ALIKE) - rows["after_unlikeness"])[trained].to_numpy(float), int((~trained).sum())
    )


def _moved(table: pd.DataFrame, entry: Entry) -> Pairs:
    rows = table[table["arm"] == entry["arm"]]
    trained = is_trained(rows)
    return Pairs(
        (rows["after_unlikeness"] - rows["before_unlikeness"])[trained].to_numpy(float),
        int((~trained).sum()),
    )


JUDGES: dict[str, tuple[str, PairedJudge]] = {
    **dict.fromkeys(
        ("fitted_library", "fitted_shuffled", "learned_fitted"), ("training", _between)
    ),
    **dict.fromkeys(("like_library", "like_shuffled", "like_learned"), ("training", _between)),
    "still_alike": ("training", _alike),
    "training_moves": ("training", _moved),
}
