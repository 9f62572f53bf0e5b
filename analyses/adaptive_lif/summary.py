"""Mean and spread over seeds of every configuration of the training tables, for people."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analyses.adaptive_lif.protocols import TABLES
from neurocode.studies import study_table

GROUPS = ["task", "cell", "layers", "recurrent", "neurons", "classes", "samples", "epochs", "schedule"]
MEASURED = ("validation_score", "test_score", "best_epoch", "spike_rate", "seconds")


def training_tables(folder: Path) -> pd.DataFrame:
    """Rows of all training tables that are there."""
    found = [study_table(folder / f"{name}.parquet") for name in TABLES]
    rows = pd.concat([table for table in found if len(table)], ignore_index=True) if any(map(len, found)) else pd.DataFrame()
    for name in ("classes", "samples"):
        if len(rows) and name not in rows:
            rows[name] = float("nan")
    return rows


def write_summary(folder: Path) -> None:
    """``training.csv``: one row per configuration."""
    rows = training_tables(folder)
    grouped = rows.groupby(GROUPS, dropna=False, sort=True)
    columns = {"seeds": grouped.size(), "parameters": grouped["parameters"].first()}
    for name in MEASURED:
        columns[f"{name}_mean"] = grouped[name].mean()
        columns[f"{name}_sd"] = grouped[name].std()
    pd.DataFrame(columns).reset_index().to_csv(folder / "training.csv", index=False, float_format="%.6g")
