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

#: Statistics by which models are compared besides the likelihood.
TESTED = (
    "fano_mean",
    "interval_distribution",
    "autocorrelogram",
    "noise_correlation",
    "fano_factor",
)
LIKELIHOOD = "bits_per_spike"
#: Ratio of rates above which a unit is said to run away.
RUNAWAY = 3.0
#: First model of each pair, and its rivals.
PAIRS = {
    "internal": ("output", "glm", "coupled", "gif", "igif", "igif-ia", "psth"),
    "recurrent": ("recurrent-output", "internal", "igif", "igif-ia"),
}
UNIT = ["dataset", "name", "unit"]
ROW = [*UNIT, "model", "statistic"]


def cell_of(dataset: str, name: str, unit: int) -> str:
    """Return the neuron of a row.

    A starling neuron has several recordings; the neurons of a retina are the units of
    one recording.
    """
    if dataset.startswith("song"):
        return name.split("/")[0]
    return f"{name} {unit}" if dataset == "retina" else name


def recording_table(table: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Return one row per unit of a recording, model and statistic, averaged over the seeds in which
    the statistic is defined.

    Parameters
    ----------
    table, recorded : pandas.DataFrame
        Rows of models and of recordings.

    Returns
    -------
    pandas.DataFrame
        ``dataset, name, unit, model, statistic, cell``; ``score`` (difference from the recording,
        or bits per spike), its standard deviation ``seed_sd`` over seeds, the number of ``seeds``
        in which it is defined and that of all ``runs``; the statistic itself (``value``), that of
        the ``recorded`` spikes, the ``reference`` from halves of the recording, and a ``note`` if
        the score is not defined in any seed.
    """
    runs = pd.DataFrame([entry for run in table.to_dict("records") for entry in _entries(run)])
    runs["score"] = runs["score"].astype(float).where(np.isfinite(runs["score"].astype(float)))
    grouped = runs.groupby(ROW, sort=False)
    averaged = grouped.agg(
        score=("score", "mean"),
        seed_sd=("score", "std"),
        seeds=("score", "count"),
        runs=("score", "size"),
        value=("value", "mean"),
        recorded=("recorded", "mean"),
        note=("note", "first"),
    ).reset_index()
    averaged["note"] = averaged["note"].where(averaged["seeds"] == 0, "")
    averaged["cell"] = [cell_of(*key) for key in averaged[UNIT].itertuples(index=False)]
    references = pd.DataFrame(
        [
            {"dataset": row["dataset"], "name": row["name"], **entry}
            for row in recorded.to_dict("records")
            for entry in json.loads(row["units"])
        ]
    )
    return averaged.merge(references, how="left", on=[*UNIT, "statistic"])


def _entries(run: dict[str, Any]) -> list[dict[str, Any]]:
    """Statistics and likelihoods of all units of a run."""
    key = {name: run[name] for name in ("dataset", "name", "model", "seed")}
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
        for entry in json.loads(run["units"])
    ]
    for unit, (bits, spikes) in enumerate(
        zip(json.loads(run["bits"]), json.loads(run["spikes"]), strict=True)
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
    """Return the mean and the median over the cells of a data set, with the 95 % t interval of the
    mean.

    Models that are not defined on a data set have a row with the reason.
    """
    rows = []
    for (dataset, model, statistic), group in recordings.groupby(
        ["dataset", "model", "statistic"], sort=False
    ):
        defined = group.dropna(subset="score")
        row = {
            "dataset": dataset,
            "model": model,
            "statistic": statistic,
            "left_out": len(group) - len(defined),
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
            rows.append({**row, "note": group["note"].iloc[0] or "not defined"})
    present = set(recordings["dataset"])
    rows += [
        {"dataset": dataset, "model": model, "statistic": "all", "note": f"not defined: {reason}"}
        for (dataset, model), reason in NOT_DEFINED.items()
        if dataset in present
    ]
    return pd.DataFrame(rows)


def runaway_table(recordings: pd.DataFrame) -> pd.DataFrame:
    """Return one row per data set and model: the number of ``units`` of recordings, how many of
    them run freely at more than three times their recorded rate (``runaways``), and the largest
    ratio of rates.

    Rates are means over seeds.
    """
    rates = recordings[(recordings["statistic"] == "rate") & (recordings["recorded"] > 0)]
    ratio = (rates["value"] / rates["recorded"]).groupby(
        [rates["dataset"], rates["model"]], sort=False
    )
    return ratio.agg(
        units="size", runaways=lambda values: int((values > RUNAWAY).sum()), largest="max"
    ).reset_index()


def advantages(
    recordings: pd.DataFrame, dataset: str, statistic: str, model: str, rival: str
) -> pd.DataFrame:
    """Return by how much a model is nearer to the recording than a rival (more bits, or a smaller
    difference).

    The columns are ``value``, ``cell`` and ``seed_sd``; there is one row per unit of a recording in
    which both models are defined.
    """
    rows = recordings[(recordings["dataset"] == dataset) & (recordings["statistic"] == statistic)]
    first, second = (
        rows[rows["model"] == name].set_index(["name", "unit"]) for name in (model, rival)
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
    """Return one row per pair of models, data set and statistic.

    The columns are ``mean``, ``low``, ``high`` and ``median`` of the advantage over cells, the
    number of ``cells`` and of those in which the first model is ``nearer``, and the standard
    deviations ``between`` cells, ``within`` cells between recordings, and over seeds (``seed_sd``).
    """
    rows = []
    pairs = [(model, rival) for model, rivals in PAIRS.items() for rival in rivals]
    for dataset, statistic, (model, rival) in itertools.product(
        recordings["dataset"].unique(), (LIKELIHOOD, *TESTED), pairs
    ):
        advantage = advantages(recordings, dataset, statistic, model, rival)
        if not len(advantage):
            continue
        row = {"dataset": dataset, "statistic": statistic, "model": model, "rival": rival}
        nearer = int((advantage.groupby("cell")["value"].mean() > 0).sum())
        spread = float(np.sqrt(np.mean(advantage["seed_sd"] ** 2)))
        rows.append(
            {
                **row,
                **nested_mean(advantage["value"], advantage["cell"])._asdict(),
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
