"""The claims of ``claims.toml``, judged from the tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analyses.judging import Entry, PairedJudge, judged_families
from analyses.noisy_networks.gradients import gradient_pairs
from analyses.protocol import Pairs, is_trained, paired
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists; claims on data that are not available are "not
    comparable"."""
    return judged_families(FIXED, folder, JUDGES)


def levels_of(table: pd.DataFrame, disturbances: Sequence[str]) -> list[str]:
    """Return the columns of all levels of some disturbances."""
    return [name for name in table.columns if name.rpartition("_")[0] in disturbances]


def with_mean(table: pd.DataFrame, disturbances: Sequence[str]) -> pd.DataFrame:
    """Return the table with the mean accuracy over all levels of some disturbances, and the
    accuracy that they cost."""
    mean = table[levels_of(table, disturbances)].mean(axis=1)
    return table.assign(disturbed=mean, lost=table["clean"] - mean)


def _scored(table: pd.DataFrame, entry: Entry) -> Pairs:
    for name, column in (("net", "net"), ("size", "training_size")):
        if name in entry:
            table = table[table[column] == entry[name]]
    return paired(table, "kind", entry["first"], entry["second"], entry["values"])


def _lost(table: pd.DataFrame, entry: Entry) -> Pairs:
    return paired(
        with_mean(table, entry["disturbances"]), "kind", entry["first"], entry["second"], "lost"
    )


def _one_pass(table: pd.DataFrame, entry: Entry) -> Pairs:
    noisy = table[table["kind"] == "escape"]
    trained = is_trained(noisy)
    weaker, stronger = (
        with_mean(noisy, entry[name])["disturbed"] for name in ("weaker", "disturbances")
    )
    return Pairs((weaker - stronger)[trained].to_numpy(float), int((~trained).sum()))


def _column(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Return a column whose values already are differences."""
    return Pairs(table[entry["column"]].to_numpy(float), 0)


def _judges() -> dict[str, tuple[str, PairedJudge]]:
    trained = (
        "accuracy_escape",
        "accuracy_diffusive",
        "accuracy_both",
        "calibration",
        "corrected_accuracy",
        "corrected_calibration",
    )
    sizes = [f"regularisation_gap_{size}" for size in (200, 500, 1000, 2000, 7000)]
    sizes += [f"regularisation_test_{size}" for size in (200, 1000)]
    lost = ("input", "fgsm", "pgd", "transfer", "spikes", "membrane")
    gradients = (
        "detached",
        "straight_through",
        "correction",
        "correction_direction",
        "narrow_noise",
        "wide_noise",
    )
    return {
        **{f"gradient_{name}": ("gradients", gradient_pairs) for name in gradients},
        **dict.fromkeys(("subsumes_spikes", "subsumes_gradients"), ("limit", _column)),
        **dict.fromkeys(trained, ("training", _scored)),
        **dict.fromkeys(("accuracy_lenet", "accuracy_cifar"), ("convolutional", _scored)),
        **dict.fromkeys(sizes, ("sizes", _scored)),
        "variability": ("spiking", _scored),
        **{f"robust_{name}": ("robustness", _lost) for name in lost},
        "corrected_robustness": ("robustness", _lost),
        **dict.fromkeys(("one_pass_fgsm", "one_pass_pgd"), ("robustness", _one_pass)),
    }


JUDGES: dict[str, tuple[str, PairedJudge]] = _judges()
