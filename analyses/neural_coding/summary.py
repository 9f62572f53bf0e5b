"""Tables of the study: every recording averaged over seeds, data sets by model, and models in
pairs."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pandas as pd

from analyses.neural_coding.nested import nested_mean
from analyses.neural_coding.protocols import NOT_DEFINED

#: What models are compared by besides the likelihood.
TESTED = ("fano_mean", "interval_distribution", "autocorrelogram", "noise_correlation")
LIKELIHOOD = "bits_per_spike"
#: First model of a pair, and its rivals.
PAIRS = {
    "internal": ("output", "glm", "gif", "igif", "igif-ia", "psth"),
    "recurrent": ("recurrent-output", "internal", "igif", "igif-ia"),
}
UNIT = ["dataset", "name", "unit"]
ROW = [*UNIT, "model", "statistic"]


def cell_of(dataset: str, name: str, unit: int) -> str:
    """The neuron behind a row: the two of the starling have ten rows each set, those of a retina
    are the units of its recording."""
    if dataset.startswith("song"):
        return name.split("/")[0]
    return f"{name} {unit}" if dataset == "retina" else name


def recording_table(table: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """A row for every unit of a recording, model and statistic, averaged over the seeds in which it
    is defined.

    Parameters
    ----------
    table, recorded : pandas.DataFrame
        Rows of models and of recordings.

    Returns
    -------
    pandas.DataFrame
        ``dataset, name, unit, model, statistic, cell``; ``score`` (difference from the recording,
        or bits per spike), its spread ``seed_sd`` over ``seeds`` of ``runs``; the statistic itself
        (``value``), that of the ``recorded`` spikes, the ``reference`` of halves of the recording,
        and a ``note`` where nothing is defined.
    """
    runs = pd.DataFrame([entry for own in table.to_dict("records") for entry in _entries(own)])
    runs["score"] = runs["score"].astype(float).where(np.isfinite(runs["score"].astype(float)))
    grouped = runs.groupby(ROW, sort=False)
    found = grouped.agg(
        score=("score", "mean"),
        seed_sd=("score", "std"),
        seeds=("score", "count"),
        runs=("score", "size"),
        value=("value", "mean"),
        recorded=("recorded", "mean"),
        note=("note", "first"),
    ).reset_index()
    found["note"] = found["note"].where(found["seeds"] == 0, "")
    found["cell"] = [cell_of(*key) for key in found[UNIT].itertuples(index=False)]
    references = pd.DataFrame(
        [
            {"dataset": own["dataset"], "name": own["name"], **entry}
            for own in recorded.to_dict("records")
            for entry in json.loads(own["units"])
        ]
    )
    return found.merge(references, how="left", on=[*UNIT, "statistic"])


def _entries(own: dict[str, Any]) -> list[dict[str, Any]]:
    """Statistics and likelihoods of all units of a run."""
    key = {name: own[name] for name in ("dataset", "name", "model", "seed")}
    entries = [
        {
            **key,
            "unit": entry["unit"],
            "statistic": entry["statistic"],
            "score": entry["difference"],
            "value": entry["model"],
            "recorded": entry["recorded"],
            "note": entry["note"],
        }
        for entry in json.loads(own["units"])
    ]
    for unit, (bits, spikes) in enumerate(
        zip(json.loads(own["bits"]), json.loads(own["spikes"]), strict=True)
    ):
        note = (
            "not defined: no spike was held out"
            if not spikes
            else "not defined: a held-out spike is impossible"
            if bits is None
            else ""
        )
        score = np.nan if note else bits / spikes
        entries.append(
            {
                **key,
                "unit": unit,
                "statistic": LIKELIHOOD,
                "score": score,
                "value": score,
                "recorded": np.nan,
                "note": note,
            }
        )
    return entries


def summary_table(recordings: pd.DataFrame) -> pd.DataFrame:
    """Mean and median over the cells of a data set with the 95 % t interval of the mean, and why
    models make no sense."""
    rows = []
    for (dataset, model, statistic), own in recordings.groupby(
        ["dataset", "model", "statistic"], sort=False
    ):
        defined = own.dropna(subset="score")
        row = {
            "dataset": dataset,
            "model": model,
            "statistic": statistic,
            "left_out": len(own) - len(defined),
        }
        if len(defined):
            means = {name: defined[name].mean() for name in ("value", "recorded", "reference")}
            rows.append(
                {
                    **row,
                    **nested_mean(defined["score"], defined["cell"])._asdict(),
                    **means,
                    "note": "",
                }
            )
        else:
            rows.append({**row, "note": own["note"].iloc[0] or "not defined"})
    present = set(recordings["dataset"])
    rows += [
        {"dataset": dataset, "model": model, "statistic": "all", "note": f"not defined: {reason}"}
        for (dataset, model), reason in NOT_DEFINED.items()
        if dataset in present
    ]
    return pd.DataFrame(rows)


def advantages(
    recordings: pd.DataFrame, dataset: str, statistic: str, model: str, rival: str
) -> pd.DataFrame:
    """By how much a model is nearer to the recording than a rival (more bits, a smaller
    difference).

    ``value``, ``cell`` and ``seed_sd``, a row for every unit of a recording in which both are
    defined.
    """
    own = recordings[(recordings["dataset"] == dataset) & (recordings["statistic"] == statistic)]
    first, second = (
        own[own["model"] == name].set_index(["name", "unit"]) for name in (model, rival)
    )
    sign = 1.0 if statistic == LIKELIHOOD else -1.0
    value = (sign * (first["score"] - second["score"])).dropna()
    spread = np.hypot(first["seed_sd"].fillna(0.0), second["seed_sd"].fillna(0.0))
    return pd.DataFrame(
        {
            "value": value,
            "cell": first["cell"].reindex(value.index),
            "seed_sd": spread.reindex(value.index),
        }
    )


def pair_table(recordings: pd.DataFrame) -> pd.DataFrame:
    """Every pair of models by data set and statistic.

    ``mean``, ``low``, ``high`` and ``median`` of the advantage over cells, in how many of the
    ``cells`` the first is ``nearer``, and the standard deviations ``between`` cells, ``within``
    cells between recordings, and of the seeds inside a recording.
    """
    rows = []
    pairs = [(model, rival) for model, rivals in PAIRS.items() for rival in rivals]
    for dataset, statistic, (model, rival) in itertools.product(
        recordings["dataset"].unique(), (LIKELIHOOD, *TESTED), pairs
    ):
        found = advantages(recordings, dataset, statistic, model, rival)
        if not len(found):
            continue
        row = {"dataset": dataset, "statistic": statistic, "model": model, "rival": rival}
        nearer = int((found.groupby("cell")["value"].mean() > 0).sum())
        spread = float(np.sqrt(np.mean(found["seed_sd"] ** 2)))
        rows.append(
            {
                **row,
                **nested_mean(found["value"], found["cell"])._asdict(),
                "nearer": nearer,
                "seed_sd": spread,
            }
        )
    return pd.DataFrame(
        rows,
        columns=[
            "dataset",
            "statistic",
            "model",
            "rival",
            "mean",
            "low",
            "high",
            "median",
            "cells",
            "recordings",
            "between",
            "within",
            "nearer",
            "seed_sd",
        ],
    )
