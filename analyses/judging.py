"""Claims that were fixed in a file before a study was run, judged from its tables."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from analyses.protocol import Pairs
from neurocode.studies import (
    Claim,
    Comparison,
    absent_claim,
    judge_family,
    study_table,
)

Entry = dict[str, Any]
#: A function of the table of one data set and an entry that returns the differences of its two
#: arms.
PairedJudge = Callable[[pd.DataFrame, Entry], Pairs]


def judged_families(
    fixed: Path, folder: Path, judges: Mapping[str, tuple[str, PairedJudge]]
) -> list[Claim]:
    """Judge every claim of a file whose table exists, on each of its data sets.

    The claims of one family are judged together. An entry names its ``family``, ``kind`` and
    ``margin``, and its ``datasets`` where it is not about all data sets of its table. A claim with
    a published value is about data that are not available here.
    """
    tables = {path.stem: sound(study_table(path)) for path in sorted(folder.glob("*.parquet"))}
    entries = tomllib.loads(fixed.read_text(encoding="utf-8"))
    families: dict[str, list[Comparison]] = {}
    for name, entry in entries.items():
        if "paper_value" not in entry:
            table, judge = judges[name]
            families.setdefault(entry["family"], []).extend(
                _comparisons(entry, tables.get(table), judge)
            )
    judged = [claim for comparisons in families.values() for claim in judge_family(comparisons)]
    absent = [
        absent_claim(e["claim"], e["source"], e["paper_value"])
        for e in entries.values()
        if "paper_value" in e
    ]
    return [*judged, *absent]


def _comparisons(entry: Entry, table: pd.DataFrame | None, judge: PairedJudge) -> list[Comparison]:
    """Return one comparison for each data set of an entry that its table holds."""
    if table is None:
        return []
    names = entry.get("datasets", sorted(table["dataset"].unique()))
    pairs = {
        name: judge(table[table["dataset"] == name], entry)
        for name in names
        if (table["dataset"] == name).any()
    }
    text = f"{entry['claim']} ({entry['statistic']})"
    return [
        Comparison(
            text,
            entry["source"],
            name,
            differences.values,
            entry["kind"],
            entry["margin"],
            differences.untrained,
        )
        for name, differences in pairs.items()
        if len(differences.values) or differences.untrained
    ]


def sound(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that did not fail; of these only those of whole data sets, if there are
    any."""
    table = table[table["error"].isna()]
    is_full = table["sequences"] == 0 if "sequences" in table else pd.Series(dtype=bool)
    return table[is_full] if is_full.any() else table
