"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analyses.judging import Entry, PairedJudge, judged_families
from analyses.protocol import Pairs, is_trained, paired
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")
DISTURBANCES = ["noise", "salt", "flips"]
#: Lower bound on a rate before its logarithm is taken.
LOWEST_RATE = 1e-6


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists; claims on data that are not available are "not
    comparable"."""
    return judged_families(FIXED, folder, JUDGES)


def with_derived(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the accuracy that disturbances cost, the logarithm of the operations,
    and the change of rates from the first to the last layer."""
    first, last = (
        np.log(np.maximum(table[name], LOWEST_RATE)) for name in ("rate_first", "rate_last")
    )
    return table.assign(
        lost=table["test_score"] - table[DISTURBANCES].mean(axis=1),
        log_operations=np.log(table["operations"]),
        rate_change=(last - first).abs(),
    )


def chosen(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """Return the rows that an entry is about, with the derived columns."""
    for name in ("normalised", "threshold", "net", "depth"):
        if name in entry:
            table = table[table[name] == entry[name]]
    return with_derived(table)


def _scored(table: pd.DataFrame, entry: Entry) -> Pairs:
    return paired(chosen(table, entry), "arm", entry["first"], entry["second"], entry["values"])


def _spread(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Compare the spread of rates over initial thresholds.

    A seed counts as trained if its networks trained from every initial threshold.
    """
    rows = chosen(table, entry)
    rows = rows.assign(
        log=np.log(np.maximum(rows["rate_hidden"], LOWEST_RATE)), trained=is_trained(rows)
    )
    groups = rows.groupby(["seed", "arm"])
    spread = (
        groups["log"]
        .std()
        .rename("spread")
        .to_frame()
        .assign(trained=groups["trained"].all())
        .reset_index()
        .dropna()
    )
    return paired(
        spread, "arm", entry["first"], entry["second"], "spread", trained=spread["trained"]
    )


def _judges() -> dict[str, tuple[str, PairedJudge]]:
    judges: dict[str, tuple[str, PairedJudge]] = {}
    for suffix in ("", "_plain"):
        tuned = [f"{name}{suffix}" for name in ("over_tuned", "over_thresholds", "joint")]
        judges |= dict.fromkeys(tuned, ("training", _scored)) | {
            f"over_weights{suffix}": ("starts", _scored)
        }
        judges |= {f"noise{suffix}": ("training", _scored), f"rates{suffix}": ("starts", _spread)}
    for net in ("dense", "convolutional"):
        judges |= {
            f"deep_{what}_{net}_{depth}": ("depth", _scored)
            for what in ("accuracy", "operations")
            for depth in (1, 2, 4, 8)
        }
        judges[f"deep_rates_{net}"] = ("depth", _scored)
    return judges


JUDGES: dict[str, tuple[str, PairedJudge]] = _judges()
