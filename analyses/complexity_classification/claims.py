"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.complexity_classification.maximum import maximum_claims
from analyses.complexity_classification.seen import seen_claims
from analyses.judging import Entry, PairedJudge, judged_families, sound
from analyses.protocol import Pairs, paired
from neurocode.studies import Claim, study_table

FIXED = Path(__file__).with_name("claims.toml")
CELL = ["neuron", "kind", "rule", "depth"]
SCORE = "test_complexity"
#: Number of standard errors by which a training accuracy must exceed chance.
ERRORS = 3.0


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists; claims on data that are not available are "not
    comparable"."""
    judged = judged_families(FIXED, folder, JUDGES)
    path = folder / "training.parquet"
    if path.exists():
        table = sound(study_table(path))
        judged = [_with_accuracy(claim, table) for claim in judged]
    return [*judged, *maximum_claims(folder, is_trained), *seen_claims(folder)]


def is_trained(table: pd.DataFrame) -> pd.Series:
    """Return for each row whether the network learned its objective.

    A network learned if its best look at validation is not the first, if any learned value moved,
    and if the training accuracy of its readout is at least three standard errors above chance. The
    floor of the tasks with ten classes, three times chance, cannot be used here, because with two
    classes it is above one.
    """
    chance = table["chance"]
    floor = chance + ERRORS * np.sqrt(chance * (1 - chance) / table["training_samples"])
    return (table["best_epoch"] > 1) & (table["moved"] > 0) & (table["training_score"] >= floor)


def arm(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """Return the rows of the neuron, the rule and the depth of an entry.

    Networks with equal fixed thresholds are those with fixed leaky integrate-and-fire neurons.
    """
    if entry["neuron"] == "threshold":
        held = (table["neuron"] == "lif") & (table["kind"] == "fixed")
        table = table.assign(neuron=table["neuron"].where(~held, "threshold"))
    return table[
        (
            table[["neuron", "rule", "depth"]] == [entry["neuron"], entry["rule"], entry["depth"]]
        ).all(axis=1)
    ]


def best_cell(table: pd.DataFrame) -> pd.DataFrame:
    """Return the trained networks of the cell that is best in one task.

    The best cell has the highest mean validation accuracy by complexity of its trained networks.
    """
    trained = table[is_trained(table)]
    if trained.empty:
        return trained
    best = trained.groupby(CELL)["validation_complexity"].mean().idxmax()
    return trained[(trained[CELL] == list(best)).all(axis=1)]


def _kinds(table: pd.DataFrame, entry: Entry) -> Pairs:
    rows = arm(table, entry)
    return paired(rows, "kind", entry["first"], entry["second"], SCORE, is_trained(rows))


def _training(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return the accuracy after training minus that of the same networks before training.

    Networks that did not train are included, because the claim is about all networks.
    """
    rows = arm(table, entry)
    return Pairs(rows.loc[rows["kind"] == "fixed", "over_untrained"].to_numpy(float), 0)


def _best_over(table: pd.DataFrame, entry: Entry) -> Pairs:
    rows = best_cell(table)
    return Pairs((rows[SCORE] - rows[entry["rival"]]).to_numpy(float), 0)


def _best_over_untrained(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Compare with the cell whose networks are best on validation before any training."""
    choice = table.groupby(CELL)["untrained_validation_complexity"].mean().idxmax()
    rival = table[(table[CELL] == list(choice)).all(axis=1)].set_index("seed")[
        "untrained_test_complexity"
    ]
    return Pairs((best_cell(table).set_index("seed")[SCORE] - rival).dropna().to_numpy(float), 0)


def _latency(table: pd.DataFrame, entry: Entry) -> Pairs:
    return Pairs(entry["limit"] - best_cell(table)["milliseconds"].to_numpy(float), 0)


def _with_accuracy(claim: Claim, table: pd.DataFrame) -> Claim:
    """Add to a claim about time the accuracy and the energy of the same networks."""
    if "milliseconds" not in claim.claim or not claim.dataset:
        return claim
    rows = best_cell(table[table["dataset"] == claim.dataset])
    if rows.empty:
        return claim
    reached = (
        f"; accuracy {rows[SCORE].mean():.3f}, {1e9 * rows['joules'].mean():.3g} nJ of "
        f"synaptic operations"
    )
    return replace(claim, claim=claim.claim + reached)


def _judges() -> dict[str, tuple[str, PairedJudge]]:
    arms = {
        "lif": ("gradient", "gradient_2", "tempotron", "teacher", "reward"),
        "meta": ("gradient", "gradient_2", "tempotron", "teacher"),
    }
    gains = [f"gain_{neuron}_{name}" for neuron, names in arms.items() for name in names]
    training = [f"training_{neuron}_{name}" for neuron, names in arms.items() for name in names]
    neurons = ("lif", "threshold", "adlif", "meta")
    table = [
        f"{name}_{neuron}"
        for name in ("random_learned", "random_fixed", "both_random")
        for neuron in neurons
    ]
    table += [f"learned_fixed_{neuron}" for neuron in ("threshold", "adlif")]
    return {
        **{name: ("training", _kinds) for name in (*gains, *table)},
        **{name: ("training", _training) for name in training},
        **{f"over_{name}": ("training", _best_over) for name in ("raw", "raw_count", "count")},
        "over_untrained": ("training", _best_over_untrained),
        "latency": ("training", _latency),
    }


JUDGES: dict[str, tuple[str, PairedJudge]] = _judges()
