"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.judging import Entry, sound
from neurocode.studies import Claim, interval_claim, study_table

FIXED = Path(__file__).with_name("claims.toml")
CELL = ["task", "neuron", "kind", "rule"]
SCORE = "test_complexity"
Tables = dict[str, pd.DataFrame]


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim, once the core table and the controls are there."""
    tables = {path.stem: sound(study_table(path)) for path in sorted(folder.glob("*.parquet"))}
    if not {"training", "controls"} <= set(tables):
        return []
    found = []
    for name, entry in tomllib.loads(FIXED.read_text(encoding="utf-8")).items():
        values = JUDGES.get(name, _gain)(tables, entry)
        if len(values):
            claim = interval_claim(f"{entry['claim']} ({entry['statistic']})", entry["source"], values, entry["bound"])
            found.append(_against_control(claim, tables) if entry.get("control") else claim)
    return found


def paired(table: pd.DataFrame, first: str, second: str, score: str = SCORE) -> pd.DataFrame:
    """Difference between two kinds, by task, neuron, rule and seed."""
    wide = table.pivot(index=["task", "neuron", "rule", "seed"], columns="kind", values=score).reindex(columns=[first, second])
    return (wide[first] - wide[second]).dropna().rename("gain").reset_index()


def best_cell(table: pd.DataFrame, task: str) -> pd.DataFrame:
    """Rows of the cell of a task with the best mean validation accuracy of SNN-LZC."""
    own = table[table["task"] == task]
    if own.empty:
        return own
    best = own.groupby(CELL)["validation_complexity"].mean().idxmax()
    return own[(own[CELL] == list(best)).all(axis=1)]


def _gain(tables: Tables, entry: Entry, second: str = "fixed") -> np.ndarray:
    own = tables["training"]
    for name in ("neuron", "rule"):
        own = own[own[name] == entry[name]] if name in entry else own
    return paired(own, "learned", second).groupby("seed")["gain"].mean().to_numpy()


def _over_raw(tables: Tables, entry: Entry) -> np.ndarray:
    own = tables["controls"]
    raw = own[(own["task"] == "markov") & (own["kind"] == "raw")].set_index("seed")[SCORE]
    return (best_cell(tables["training"], "markov").set_index("seed")[SCORE] - raw).dropna().to_numpy()


def _over_count(tables: Tables, entry: Entry) -> np.ndarray:
    own = best_cell(tables["training"], "markov")
    return (own[SCORE] - own["test_count"]).to_numpy()


def _over_untrained(tables: Tables, entry: Entry) -> np.ndarray:
    own = tables["controls"]
    own = own[(own["task"] == "markov") & (own["kind"] != "raw")]
    if own.empty:
        return np.empty(0)
    names = ["neuron", "kind", "gain"]
    best = own.groupby(names)["validation_complexity"].mean().idxmax()
    untrained = own[(own[names] == list(best)).all(axis=1)].set_index("seed")[SCORE]
    return (best_cell(tables["training"], "markov").set_index("seed")[SCORE] - untrained).dropna().to_numpy()


def _best(tables: Tables, entry: Entry) -> np.ndarray:
    return best_cell(tables["training"], "rates")[SCORE].to_numpy() - 0.995


def _against_control(claim: Claim, tables: Tables) -> Claim:
    """What the raw input reaches without a network is no credit to the network."""
    own = tables["controls"]
    raw = own[(own["task"] == "rates") & (own["kind"] == "raw")]
    without = float(raw[["test_complexity", "test_count"]].max(axis=1).mean())
    text = f"{claim.claim}; without a network {without:.4f}"
    reached = without - 0.995 >= claim.our_mean
    return replace(claim, claim=text, verdict="not comparable" if reached else claim.verdict)


JUDGES: dict[str, Callable[[Tables, Entry], np.ndarray]] = {
    "heterogeneity": lambda tables, entry: _gain(tables, entry, "random"),
    "homeostasis": lambda tables, entry: _gain(tables, entry, "homeostatic"),
    "over_raw": _over_raw, "over_count": _over_count, "over_untrained": _over_untrained, "best": _best,
}  # fmt: skip
