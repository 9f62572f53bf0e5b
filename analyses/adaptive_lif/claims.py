"""What the paper says beside what the tables of this study show.

A published mean counts as reached where ours lies above it or within two standard deviations (both spreads combined); it is
compared only with networks trained as published. A difference between two cells counts where its 95 % t interval over seeds,
paired, excludes zero.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from analyses.adaptive_lif.protocols import CLASSES
from analyses.adaptive_lif.summary import training_tables
from neurocode.studies import Claim, mean_interval, study_table, verdict_of, with_withdrawn

PAPER, DERIVED = "Baronig et al. 2025", "derived from Baronig et al. 2025"
#: Published mean and spread on the electrocardiograms; the number of layers is not stated.
ECG = {"SE": (0.8818, 0.0036), "EF": (0.8783, 0.0051)}
#: What is claimed on data that this study does not have.
ABSENT = (
    ("Heidelberg digits, SE, 2 x 360, epoch chosen on the test part (data absent)", PAPER, "0.9581 ± 0.0056"),
    ("Heidelberg digits, SE, 2 x 360, a fifth of the training part for validation (data absent)", PAPER, "0.9379 ± 0.0076"),
    ("spiking speech commands, SE, 2 x 720 (data absent)", PAPER, "0.8044 ± 0.0026"),
    ("audio compression, SE, SI-SNR in dB (data absent)", f"{PAPER}, released results", "8.39"),
)
PUBLISHED_TRAINING = (400, "constant")
#: Response ratio above which a neuron is called a resonator (ours).
RESONATOR = 1.1


def claims(folder: Path) -> list[Claim]:
    """All claims whose tables are there; those that were withdrawn are void."""
    found: list[Claim] = []
    if (folder / "stability.csv").exists():
        found += _stability(pd.read_csv(folder / "stability.csv").set_index("cell"))
    if (folder / "wavelet_spectra.csv").exists():
        found += _wavelets(pd.read_csv(folder / "wavelet_spectra.csv"))
    rows = training_tables(folder)
    if len(rows):
        found += [*_ecg(rows[rows["task"] == "ecg"]), *_bursts(rows[rows["task"] == "burst-sequences"])]
        found += _springs(rows[rows["task"] == "spring-mass"])
    robust = study_table(folder / "robustness.parquet")
    if len(robust):
        found += _robustness(robust)
    if (folder / "neurons.csv").exists():
        found += _neurons(pd.read_csv(folder / "neurons.csv"))
    raphe = study_table(folder / "raphe.parquet")
    found += _raphe(raphe) if len(raphe) else []
    return with_withdrawn([*found, *(Claim(*claim, None, None, 0, "not comparable") for claim in ABSENT)], folder)


def _stability(table: pd.DataFrame) -> list[Claim]:
    se, ef = table.loc["SE"], table.loc["EF"]
    within = verdict_of(abs(ef["unstable"] - 0.035) < 0.002)
    exact = verdict_of(se["largest_radius_error"] < 1e-12)
    return [
        Claim("SE decays by sqrt(alpha beta) a step whatever its coupling (error)", DERIVED, "0", se["largest_radius_error"],
              None, 1, exact),
        Claim("share of EF neurons that are unstable, couplings up to 120", DERIVED, "0.035", ef["unstable"], None, 1, within),
        Claim("share of SE neurons that are unstable, couplings up to 120", DERIVED, "0", se["unstable"], None, 1,
              verdict_of(se["unstable"] == 0)),
        Claim("smallest coupling at which an EF neuron becomes unstable", DERIVED, "65.02", ef["smallest_bound"], None, 1,
              verdict_of(abs(ef["smallest_bound"] - 65.02) < 0.005)),
        Claim("SE is stable for all parameters (coupling at which the example neuron is not)", PAPER, "none", se["example_bound"],
              None, 1, "depends"),
    ]  # fmt: skip


def _wavelets(table: pd.DataFrame) -> list[Claim]:
    """Gradients prefer the intrinsic frequency: its gradient over that of constant input, for the strongest coupling."""
    last = table.columns[-1]
    coupling = float(last.removeprefix("a_"))
    ratio = float(table[last].max() / table[last].iloc[0])
    claim = f"a gradient is larger at its best frequency ({table['frequency'][table[last].idxmax()]:g} Hz) than for constant input"
    return [Claim(f"{claim}, coupling {coupling:g} (ratio)", PAPER, "", ratio, None, 1, verdict_of(ratio > 1))]


def _ecg(rows: pd.DataFrame) -> list[Claim]:
    found = []
    groups = ["cell", "layers", "epochs", "schedule"]
    for (cell, layers, epochs, schedule), own in rows.groupby(groups):
        scores = own["test_score"]
        printed, verdict = "", "not comparable"
        if cell in ECG:
            mean, spread = ECG[cell]
            printed = f"{mean:.4f} ± {spread:.4f}, layers not stated"
        if cell in ECG and (epochs, schedule) == PUBLISHED_TRAINING:
            reached = scores.mean() > mean - 2 * np.hypot(spread, scores.std(ddof=1) if len(own) > 1 else 0.0)
            verdict = verdict_of(reached)
        claim = f"ECG test accuracy, {cell}, 36 x {layers:.0f}, {epochs:.0f} epochs, {schedule} rate"
        found.append(Claim(claim, PAPER if cell in ECG else "ours", printed, scores.mean(), scores.std(), len(own), verdict))
    for (layers, epochs, schedule), own in rows.groupby(groups[1:]):
        scores = own.pivot(index="seed", columns="cell", values="test_score")
        for other in (name for name in ("EF", "LIF") if name in scores):
            what = f"ECG accuracy, SE minus {other}, 36 x {layers:.0f}, {epochs:.0f} epochs, {schedule} rate"
            printed = "0.0035" if other == "EF" else ""
            found += _difference(what, PAPER if other == "EF" else "ours", printed, scores["SE"] - scores[other])
    return found


def _bursts(rows: pd.DataFrame) -> list[Claim]:
    found = []
    for epochs, own in rows.groupby("epochs"):
        errors = 1 - own.pivot(index="seed", columns=["cell", "classes"], values="test_score")
        most = max(own["classes"])
        what = f"burst sequences of {most:g} classes, {epochs:.0f} epochs: error of LIF minus error of SE"
        found += _difference(what, f"{PAPER}, Fig. 6b (numbers unknown)", "", errors["LIF"][most] - errors["SE"][most])
        growth = (errors["LIF"][most] - errors["LIF"][CLASSES[0]]) - (errors["SE"][most] - errors["SE"][CLASSES[0]])
        found += _difference(f"{what}, beyond that of {CLASSES[0]} classes", "ours", "", growth)
    return found


def _springs(rows: pd.DataFrame) -> list[Claim]:
    found = []
    for epochs, own in rows.groupby("epochs"):
        errors = own.pivot(index="seed", columns=["cell", "recurrent"], values="test_score")
        zero = own.groupby("seed")["zero_predictor"].first()
        what = f"spring-mass trajectories, {epochs:.0f} epochs, free-running half"
        found += _difference(f"{what}: error of zero minus error of SE", "ours", "", zero - errors["SE"][True])
        quoted = "SE without recurrence degrades more slowly than LIF with it"
        gain = errors["LIF"][True] - errors["SE"][False]
        found += _difference(f"{quoted}; {what}: error of the second minus the first", PAPER, "", gain)
        first, last = (_course(own, place) for place in (0, -1))
        slower = (last - first)["LIF"][True] - (last - first)["SE"][False]
        found += _difference(f"{quoted}; {what}: rise from the first to the last 25 ms, second minus first", PAPER, "", slower)
        gain = errors["EF"][True] - errors["SE"][True]
        found += _difference(f"{what}: error of EF minus error of SE, recurrent", PAPER, "", gain)
    return found


def _course(rows: pd.DataFrame, place: int) -> pd.DataFrame:
    windows = rows.assign(window=[json.loads(text)[place] for text in rows["course"]])
    return windows.pivot(index="seed", columns=["cell", "recurrent"], values="window")


def _robustness(rows: pd.DataFrame) -> list[Claim]:
    found = []
    for (task, epochs, schedule), own in rows.groupby(["task", "epochs", "schedule"]):
        for level in ("shift_1", "shift_4", "events_0.05"):
            lost = own.assign(lost=own["shift_0"] - own[level]).pivot(index="seed", columns="cell", values="lost")
            if {"SE", "LIF"} <= set(lost):
                what = f"{task}, {epochs:.0f} epochs, {schedule} rate: accuracy lost at {level.replace('_', ' ')}, LIF minus SE"
                source = f"{PAPER}, first version (levels unknown)"
                found += _difference(what, source, "", (lost["LIF"] - lost["SE"]).dropna())
    return found


def _neurons(table: pd.DataFrame) -> list[Claim]:
    active = table.dropna(subset=["lz_q"])
    found = []
    for cell, own in active.groupby("cell"):
        shares = own.assign(low=(own["lz_q"] < 0.05) & (own["lz_ratio"] < 1)).groupby("seed")["low"].mean()
        found.append(
            _majority(f"share of trained {cell} neurons less complex than rate-matched surrogates (5 % false discoveries)", shares)
        )
    for cell, own in table[table["cell"] != "LIF"].groupby("cell"):
        shares = own.assign(resonates=own["resonance_ratio"] > RESONATOR).groupby("seed")["resonates"].mean()
        found.append(
            _majority(f"share of trained {cell} neurons that resonate below threshold (response ratio above {RESONATOR})", shares)
        )
    return found


def _raphe(table: pd.DataFrame) -> list[Claim]:
    integrate = table[table["coupling"]].set_index("cell")["resonance_ratio"] < RESONATOR
    plain, coupled = (table[table["coupling"] == which].set_index("cell")["bic"] for which in (False, True))
    lower = coupled < plain
    return [
        Claim(f"share of {len(which)} raphe neurons {what}", "ours", "", which.mean(), None, 1, verdict_of(which.mean() > 0.5))
        for what, which in (
            ("that integrate below threshold", integrate),
            ("whose BIC a subthreshold coupling lowers", lower),
        )
    ]


def _majority(claim: str, shares: pd.Series) -> Claim:
    """A claim that something holds for most neurons."""
    return Claim(claim, "ours", "", shares.mean(), shares.std(), len(shares), verdict_of(shares.mean() > 0.5))


def _difference(claim: str, source: str, printed: str, values: pd.Series) -> list[Claim]:
    """A claim that paired values lie above zero; none where fewer than two pairs are there."""
    values = values.dropna()
    if len(values) < 2:
        return []
    low, high = mean_interval(values)
    text = f"{claim} (95 % interval {low:.4g} to {high:.4g})"
    return [Claim(text, source, printed, values.mean(), values.std(), len(values), verdict_of(low > 0))]
