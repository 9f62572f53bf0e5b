"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.neural_coding.responses import NOISE
from analyses.neural_coding.summary import LIKELIHOOD
from neurocode.studies import Claim, interval_claim

FIXED = Path(__file__).with_name("claims.toml")


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim that the tables can judge."""
    paths = [folder / name for name in ("units.parquet", "likelihood.csv")]
    if not all(path.exists() for path in paths):
        return []
    units, likelihood = pd.read_parquet(paths[0]), pd.read_csv(paths[1], dtype={"name": str})
    found = []
    for entry in tomllib.loads(FIXED.read_text(encoding="utf-8")).values():
        values = advantages(units, likelihood, entry["of"], entry["rival"])
        if len(values) > 1:
            found.append(interval_claim(f"{entry['claim']} ({entry['statistic']})", entry["source"], values, 0.0))
    return found


def advantages(units: pd.DataFrame, likelihood: pd.DataFrame, statistic: str, rival: str) -> np.ndarray:
    """By how much internal noise is nearer to the recording than a rival, for every recording, or unit for correlations."""
    keys = ["dataset", "name"]
    if statistic == LIKELIHOOD:
        sums = likelihood.groupby([*keys, "model"])[["bits", "spikes"]].sum()
        wide = (sums["bits"] / sums["spikes"].where(sums["spikes"] > 0)).unstack("model")
        sign = -1.0
    else:
        own = units[units["statistic"] == statistic]
        keys = [*keys, "unit"] if statistic == NOISE else keys
        wide, sign = own.pivot_table(index=keys, columns="model", values="difference", aggfunc="mean"), 1.0
    if not {"internal", rival} <= set(wide):
        return np.empty(0)
    return sign * (wide[rival] - wide["internal"]).dropna().to_numpy()
