"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.judging import Entry, PairedJudge, judged_families
from analyses.protocol import Pairs, is_trained, paired
from analyses.surrogate_gradients.learnability import area_by_seed
from analyses.surrogate_gradients.sparse import lines_by_seed
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")
#: Columns by which an entry may choose its rows.
CHOICES = ("net", "start", "depth", "arm")


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists; claims on data that are not available are "not
    comparable"."""
    return judged_families(FIXED, folder, judges())


def chosen(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """Return the rows that an entry is about."""
    for name in CHOICES:
        if name in entry:
            table = table[table[name] == entry[name]]
    return table


def _scored(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return the accuracy of the first arm, depth or start minus that of the second."""
    return paired(
        chosen(table, entry), entry.get("by", "arm"), entry["first"], entry["second"], "test_score"
    )


def _over_chance(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return the accuracy of every network minus chance.

    Networks that did not train are included, because the claim is about all networks.
    """
    rows = chosen(table, entry)
    return Pairs((rows["test_score"] - rows["chance"]).to_numpy(float), 0)


def _grows_with_depth(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return the accuracy of the first arm minus that of the second in deep networks, minus the
    same difference in shallow networks."""
    rows = chosen(table, entry)
    wanted = [
        (depth, entry[arm])
        for depth in (entry["deep"], entry["shallow"])
        for arm in ("first", "second")
    ]
    if not set(wanted) <= set(zip(rows["depth"], rows["arm"], strict=True)):
        return Pairs(np.empty(0), 0)
    trained = rows[is_trained(rows)]
    wide = trained.pivot(index="seed", columns=["depth", "arm"], values="test_score").reindex(
        columns=wanted
    )
    difference = (wide[wanted[0]] - wide[wanted[1]] - wide[wanted[2]] + wide[wanted[3]]).dropna()
    return Pairs(difference.to_numpy(float), rows["seed"].nunique() - len(difference))


def _line(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return for each seed the slope of its broken line above the break, or the slope below minus
    the slope above."""
    lines = lines_by_seed(table)
    values = lines["above"] if entry["line"] == "above" else lines["below"] - lines["above"]
    return Pairs(values.dropna().to_numpy(float), int(values.isna().sum()))


def _area(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return the area under the curve on held-out shapes minus the claimed area.

    The result is empty until the table has rows of all shapes.
    """
    if table["shape"].nunique() < entry["shapes"]:
        return Pairs(np.empty(0), 0)
    return Pairs((area_by_seed(table) - entry["area"]).to_numpy(float), 0)


KINDS: dict[str, tuple[str, PairedJudge]] = {
    "comparison": ("comparisons", _scored),
    "chance": ("comparisons", _over_chance),
    "depth": ("depth", _scored),
    "growth": ("depth", _grows_with_depth),
    "sparse": ("sparse", _line),
    "rule": ("starts", _area),
}


def judges() -> dict[str, tuple[str, PairedJudge]]:
    """Return the table and the judge of every claim on available data, by the first word of its
    name."""
    entries = tomllib.loads(FIXED.read_text(encoding="utf-8"))
    return {
        name: KINDS[name.partition("_")[0]]
        for name, entry in entries.items()
        if "paper_value" not in entry
    }
