"""The claims of ``claims.toml``, judged from the tables, for every data set separately and over
cells."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pandas as pd

from analyses.neural_coding.nested import by_cell
from analyses.neural_coding.summary import advantages
from neurocode.studies import Claim, Comparison, judge_family

FIXED = Path(__file__).with_name("claims.toml")


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim for which the tables have data.

    The claims of one family on one data set are corrected together.
    """
    path = folder / "units.parquet"
    if not path.exists():
        return []
    fixed = tomllib.loads(FIXED.read_text(encoding="utf-8"))
    recordings = pd.read_parquet(path)
    judged = []
    for family in fixed["families"]:
        entries = [entry for entry in fixed["claims"].values() if entry["family"] == family]
        for dataset in recordings["dataset"].unique():
            judged += judge_family(comparisons(recordings, dataset, entries, fixed["margins"]))
    return judged


def comparisons(
    recordings: pd.DataFrame, dataset: str, entries: list[dict], margins: dict[str, dict]
) -> list[Comparison]:
    """Return the claims on one data set with the advantage of every cell.

    Claims about models that are not defined on the data set are left out.
    """
    results = []
    for entry in entries:
        values = advantages(recordings, dataset, entry["of"], entry["model"], entry["rival"])
        if len(values):
            margin = margins[entry["of"]].get(dataset, margins[entry["of"]].get("any"))
            cells = by_cell(values["value"], values["cell"]).to_numpy()
            text = f"{entry['claim']} ({entry['statistic']})"
            results.append(Comparison(text, entry["source"], dataset, cells, entry["kind"], margin))
    return results
