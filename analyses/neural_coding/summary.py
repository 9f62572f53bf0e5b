"""Tables of the study: every unit, means with bootstrap intervals, and permutation tests of internal noise against other models."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import numpy as np
import pandas as pd

from neurocode.studies import holm

#: What internal noise is asked to reproduce better, by a permutation test.
TESTED = ("fano_mean", "interval_distribution", "autocorrelogram", "noise_correlation")
LIKELIHOOD = "bits_per_spike"
RIVALS = ("output", "glm", "gif", "psth")
DRAWS, MOST_EXACT = 2000, 13
KEYS = ("dataset", "name", "model")


def unit_table(table: pd.DataFrame) -> pd.DataFrame:
    """A row for every data set, recording, model, unit and statistic; ``value`` is that of the model."""
    rows = []
    for own in table.to_dict("records"):
        for entry in json.loads(own["units"]):
            value = entry.pop("model")
            rows.append({**{key: own[key] for key in KEYS}, **entry, "value": value})
    return pd.DataFrame(rows)


def likelihood_table(table: pd.DataFrame) -> pd.DataFrame:
    """Held-out bits per spike of every model and repeat, against the rates of training."""
    rows = []
    for own in table[table["bits"] != ""].to_dict("records"):
        for repeat, (bits, spikes) in enumerate(zip(json.loads(own["bits"]), json.loads(own["spikes"]), strict=True)):
            rows.append({**{key: own[key] for key in KEYS}, "repeat": repeat, "bits": bits, "spikes": spikes})
    return pd.DataFrame(rows)


def summary_table(units: pd.DataFrame, likelihood: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Means over the units of a data set with 95 % bootstrap intervals over units and repeats."""
    random = np.random.default_rng(seed)
    rows = []
    for (dataset, model, statistic), own in units.groupby(["dataset", "model", "statistic"], sort=False):
        defined = own[np.isfinite(own["difference"].astype(float))]
        row = {"dataset": dataset, "model": model, "statistic": statistic, "units": len(defined)}
        if len(defined):
            low, high = np.quantile(_bootstrap(defined, random), (0.025, 0.975))
            row |= {"difference": defined["difference"].mean(), "low": low, "high": high, "note": ""}
            row |= {
                "reference": defined["reference"].mean(),
                "value": defined["value"].mean(),
                "recorded": defined["recorded"].mean(),
            }
        else:
            row |= {"note": own["note"].iloc[0] or "not defined"}
        rows.append(row)
    for (dataset, model), own in likelihood.groupby(["dataset", "model"], sort=False):
        draws = [_bits(own.sample(frac=1.0, replace=True, random_state=k)) for k in range(200)]
        low, high = np.nanquantile(draws, (0.025, 0.975))
        rows.append({
            "dataset": dataset, "model": model, "statistic": LIKELIHOOD, "units": len(own), "value": _bits(own), "low": low,
            "high": high, "note": "repeats and recordings resampled together",
        })  # fmt: skip
    return pd.DataFrame(rows)


def _bits(own: pd.DataFrame) -> float:
    return own["bits"].sum() / own["spikes"].sum() if own["spikes"].sum() else np.nan


def _bootstrap(own: pd.DataFrame, random: np.random.Generator) -> np.ndarray:
    """Means of units drawn with replacement, each moved by the deviation of one of its resamplings of repeats."""
    moved = []
    for difference, text in zip(own["difference"], own["resampled"], strict=True):
        draws = np.array(text.split(), float)
        draws = draws[np.isfinite(draws)]
        moved.append(difference + (draws - draws.mean() if len(draws) else np.zeros(1)))
    means = np.empty(DRAWS)
    for k in range(DRAWS):
        chosen = random.integers(len(moved), size=len(moved))
        means[k] = np.mean([moved[unit][random.integers(len(moved[unit]))] for unit in chosen])
    return means


def test_table(units: pd.DataFrame, likelihood: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Internal noise against every rival: how much nearer to the recording, and the probability of that by exchange of the two.

    ``advantage`` is positive where internal noise is nearer (a smaller difference, more bits per spike); ``p_corrected`` by Holm
    over all tests of the table.
    """
    random = np.random.default_rng(seed)
    nearer = {name: units[units["statistic"] == name] for name in TESTED}
    keys = ["dataset", "name", "unit"]
    rows = []
    for dataset, (statistic, own) in itertools.product(units["dataset"].unique(), nearer.items()):
        wide = own[own["dataset"] == dataset].pivot(index=keys, columns="model", values="difference")
        rows += [_tested(dataset, statistic, rival, wide, lambda w, r: w[r] - w["internal"], random) for rival in RIVALS]
    for dataset, own in likelihood.groupby("dataset", sort=False):
        bits = own.assign(each=own["bits"] / own["spikes"].where(own["spikes"] > 0))
        wide = bits.pivot(index=["name", "repeat"], columns="model", values="each")
        rows += [_tested(dataset, LIKELIHOOD, rival, wide, lambda w, r: w["internal"] - w[r], random) for rival in RIVALS]
    table = pd.DataFrame(rows)
    return table.assign(p_corrected=holm(table["p"].to_numpy()))


def _tested(
    dataset: str, statistic: str, rival: str, wide: pd.DataFrame, advantage: Callable[[pd.DataFrame, str], pd.Series],
    random: np.random.Generator,
) -> dict[str, object]:  # fmt: skip
    row = {"dataset": dataset, "statistic": statistic, "rival": rival, "pairs": 0, "advantage": np.nan, "p": np.nan}
    if rival not in wide or "internal" not in wide:
        return {**row, "note": "not defined: there is no such model"}
    values = advantage(wide, rival).dropna().to_numpy(float)
    if len(values) < 5:
        return {**row, "pairs": len(values), "note": "not defined: fewer than 5 pairs"}
    return {**row, "pairs": len(values), "advantage": values.mean(), "p": sign_flip(values, random), "note": ""}


def sign_flip(values: np.ndarray, random: np.random.Generator) -> float:
    """Two-sided probability of a mean at least as far from zero when the signs are exchangeable."""
    if len(values) <= MOST_EXACT:
        signs = np.array(list(itertools.product((-1, 1), repeat=len(values))))
        return float(np.mean(np.abs(signs @ values) >= abs(values.sum()) - 1e-12))
    signs = random.choice((-1, 1), size=(DRAWS * 5, len(values)))
    return float((1 + np.sum(np.abs(signs @ values) >= abs(values.sum()))) / (len(signs) + 1))
