"""Claims that were fixed in a file before a study was run, judged from its tables."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from neurocode.studies import Claim, absent_claim, interval_claim, study_table, with_withdrawn

Entry = dict[str, Any]
Judge = Callable[[pd.DataFrame, Entry], np.ndarray]


def judged(fixed: Path, folder: Path, judges: Mapping[str, tuple[str, Judge]]) -> list[Claim]:
    """Every claim of a file whose table is there, by a judge that gives its statistic for each seed.

    A claim with a published value is on data that are not here; one that was withdrawn is void.
    """
    tables = {path.stem: sound(study_table(path)) for path in sorted(folder.glob("*.parquet"))}
    found = []
    for name, entry in tomllib.loads(fixed.read_text(encoding="utf-8")).items():
        if "paper_value" in entry:
            found.append(absent_claim(entry["claim"], entry["source"], entry["paper_value"]))
            continue
        table, judge = judges[name]
        values = judge(tables[table], entry) if table in tables else ()
        if len(values):
            found.append(interval_claim(f"{entry['claim']} ({entry['statistic']})", entry["source"], values, entry["bound"]))
    return with_withdrawn(found, folder)


def sound(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that did not fail, of the whole data sets where there are any."""
    table = table[table["error"].isna()]
    return table[table["sequences"] == 0] if (table["sequences"] == 0).any() else table


def difference(table: pd.DataFrame, column: str, first: str, second: str, values: str) -> np.ndarray:
    """By seed, ``values`` where a column holds the first entry minus those of the second; mean over data sets that have both."""
    scores = table.pivot(index=["dataset", "seed"], columns=column, values=values).reindex(columns=[first, second])
    return (scores[first] - scores[second]).dropna().groupby("seed").mean().to_numpy()
