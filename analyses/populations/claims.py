"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analyses.judging import Entry, PairedJudge, judged_families
from analyses.protocol import Pairs
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")
NOMINAL_COVERAGE, NOMINAL_FALSE = 0.95, 0.05


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists."""
    return judged_families(FIXED, folder, JUDGES)


def _pairs(values: pd.Series) -> Pairs:
    return Pairs(values.dropna().to_numpy(float), 0)


def _coverage(table: pd.DataFrame, entry: Entry) -> Pairs:
    n_coupled, n_pairs = table["coupled"], table["pairs"]
    # a network without couplings has no share of coupled pairs
    held = table["coverage"] * n_pairs - (table["coverage_coupled"] * n_coupled).fillna(0.0)
    return _pairs(held / (n_pairs - n_coupled) - NOMINAL_COVERAGE)


def _coverage_coupled(table: pd.DataFrame, entry: Entry) -> Pairs:
    return _pairs(table["coverage_coupled"] - NOMINAL_COVERAGE)


def _false_discoveries(table: pd.DataFrame, entry: Entry) -> Pairs:
    return _pairs(NOMINAL_FALSE - table["false_share"])


def _detection(table: pd.DataFrame, entry: Entry) -> Pairs:
    return _pairs(table["area"] - table["area_correlogram"])


JUDGES: dict[str, tuple[str, PairedJudge]] = {
    "coverage": ("networks", _coverage),
    "coverage_coupled": ("networks", _coverage_coupled),
    "false_discoveries": ("networks", _false_discoveries),
    "detection": ("networks", _detection),
}
