"""The claims of ``claims.toml``, judged from the tables: every data set by itself, over cells."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd

from analyses.neural_coding.nested import by_cell
from analyses.neural_coding.summary import advantages
from neurocode.studies import Claim, Comparison, judge_family

FIXED = Path(__file__).with_name("claims.toml")


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim that the tables can judge; the claims of one family on one data set are
    corrected together."""
    path = folder / "units.parquet"
    if not path.exists():
        return []
    fixed = tomllib.loads(FIXED.read_text(encoding="utf-8"))
    recordings = pd.read_parquet(path)
    found = []
    for family in fixed["families"]:
        entries = [entry for entry in fixed["claims"].values() if entry["family"] == family]
        for dataset in recordings["dataset"].unique():
            found += judge_family(comparisons(recordings, dataset, entries, fixed["margins"]))
    return found


def comparisons(
    recordings: pd.DataFrame, dataset: str, entries: list[dict], margins: dict[str, dict]
) -> list[Comparison]:
    """Claims on one data set with the advantage of every cell; those whose models make no sense
    there are left out."""
    found = []
    for entry in entries:
        values = advantages(recordings, dataset, entry["of"], entry["model"], entry["rival"])
        if len(values):
            margin = margins[entry["of"]].get(dataset, margins[entry["of"]].get("any"))
            cells = by_cell(values["value"], values["cell"]).to_numpy()
            text = f"{entry['claim']} ({entry['statistic']})"
            found.append(Comparison(text, entry["source"], dataset, cells, entry["kind"], margin))
    return found
