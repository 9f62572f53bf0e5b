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
            found.append(_against_control(claim, tables, claimed_rows(tables["training"], name, entry)))
    return found


def claimed_rows(table: pd.DataFrame, name: str, entry: Entry) -> pd.DataFrame:
    """The rows whose accuracy a claim is about."""
    if name in TASK_OF:
        return best_cell(table, TASK_OF[name])
    return _filtered(table[table["kind"] == "learned"], entry)


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


def _filtered(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    for name in ("neuron", "rule"):
        table = table[table[name] == entry[name]] if name in entry else table
    return table


def _gain(tables: Tables, entry: Entry, second: str = "fixed") -> np.ndarray:
    own = _filtered(tables["training"], entry)
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


def _against_control(claim: Claim, tables: Tables, rows: pd.DataFrame) -> Claim:
    """What the raw input reaches without a network is no credit to the network: such a claim is not confirmed by it."""
    own = tables["controls"]
    raw = own[(own["kind"] == "raw") & own["task"].isin(rows["task"])]
    without = raw.groupby("task")[["test_complexity", "test_count"]].mean().max(axis=1).mean()
    reached = rows.groupby("task")[SCORE].mean().mean()
    if claim.verdict not in ("confirmed", "depends") or without < reached:
        return claim
    verdict = "not comparable" if claim.verdict == "depends" else "depends"
    return replace(claim, claim=f"{claim.claim}; with {reached:.3f}, without a network {without:.3f}", verdict=verdict)


#: Claims about the best cell of a task.
TASK_OF = {"over_raw": "markov", "over_count": "markov", "over_untrained": "markov", "best": "rates"}
JUDGES: dict[str, Callable[[Tables, Entry], np.ndarray]] = {
    "heterogeneity": lambda tables, entry: _gain(tables, entry, "random"),
    "homeostasis": lambda tables, entry: _gain(tables, entry, "homeostatic"),
    "over_raw": _over_raw, "over_count": _over_count, "over_untrained": _over_untrained, "best": _best,
}  # fmt: skip
