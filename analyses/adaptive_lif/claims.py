"""The claims of ``claims.toml``, judged from the tables, and the claim that the closed forms
decide."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pandas as pd

from analyses.adaptive_lif.training import FAILED, is_sound
from analyses.judging import Entry, PairedJudge, judged_families
from analyses.protocol import Pairs, paired
from neurocode.studies import Claim

FIXED = Path(__file__).with_name("claims.toml")
#: Rate of false discoveries among neurons that are called less complex.
DISCOVERIES = 0.05


def claims(folder: Path) -> list[Claim]:
    """Judge every fixed claim whose table exists; claims on data that are not available are "not
    comparable"."""
    stability = folder / "stability.csv"
    judged = [stable_for_all(pd.read_csv(stability))] if stability.exists() else []
    return [*judged, *judged_families(FIXED, folder, JUDGES)]


def stable_for_all(table: pd.DataFrame) -> Claim:
    """Judge the claim that SE is stable for all parameters.

    It is refuted, because a stability bound exists, although far outside the ranges in use.
    """
    least = float(table.set_index("cell").loc["SE", "smallest_bound"])
    text = (
        "SE preserves stability for all parameterizations (smallest coupling at which a neuron "
        "of the used time constants does not)"
    )
    return Claim(text, "Baronig et al. 2025 (quoted)", "none", least, None, 1, "refuted")


def chosen(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """Return the rows of the network size that an entry is about; all rows if it names none."""
    return table[table["neurons"] == entry["neurons"]] if "neurons" in entry else table


def _between(table: pd.DataFrame, entry: Entry) -> Pairs:
    table = chosen(table, entry)
    pairs = paired(table, "arm", entry["first"], entry["second"], entry["values"], is_sound(table))
    return Pairs(pairs.values + entry.get("plus", 0.0), pairs.untrained)


def _against_bound(table: pd.DataFrame, entry: Entry) -> Pairs:
    rows = table[table["arm"] == entry["arm"]]
    trained = is_sound(rows)
    return Pairs(
        (rows[entry["values"]] - entry["bound"])[trained].to_numpy(float), int((~trained).sum())
    )


def _against_zero(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Compare all networks with predicting zero.

    Networks that did not train are included, because the claim is about all networks.
    """
    rows = chosen(table, entry)
    rows = rows[rows["arm"] == entry["arm"]]
    return Pairs((FAILED * rows["zero_predictor"] - rows["test_score"]).to_numpy(float), 0)


def _rising(table: pd.DataFrame, entry: Entry) -> Pairs:
    ends = [json.loads(text) for text in table["course"]]
    return _between(table.assign(rise=[course[-1] - course[0] for course in ends]), entry)


def _sizes(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Compare two arms of different size."""
    parts = [
        table[(table["arm"] == entry[name]) & (table["neurons"] == entry[f"{name}_neurons"])]
        for name in ("first", "second")
    ]
    rows = pd.concat(parts)
    return paired(rows, "arm", entry["first"], entry["second"], "test_score", is_sound(rows))


def _lost(table: pd.DataFrame, entry: Entry) -> Pairs:
    lost = table.assign(lost=table["shift_0"] - table[entry["level"]])
    return paired(lost, "arm", entry["first"], entry["second"], "lost")


def _less_complex(table: pd.DataFrame, entry: Entry) -> Pairs:
    rows = table[table["arm"] == entry["arm"]]
    return Pairs(rows["described"].map(share_less_complex).dropna().to_numpy(float) - 0.5, 0)


def share_less_complex(described: str) -> float:
    """Return the share of spiking neurons whose complexity is below that of their surrogates."""
    neurons = pd.read_json(io.StringIO(described)).dropna(subset=["lz_q"])
    return float(((neurons["lz_q"] < DISCOVERIES) & (neurons["lz_ratio"] < 1)).mean())


def _coupled(table: pd.DataFrame, entry: Entry) -> Pairs:
    wide = table.pivot(index="cell", columns="coupling", values=entry["values"])
    return Pairs((wide[True] - wide[False]).dropna().to_numpy(float), 0)


def _judges() -> dict[str, tuple[str, PairedJudge]]:
    sizes = ("", "_released")
    zero = [f"springs_zero_{arm}{size}" for arm in ("se", "ef", "lif") for size in sizes]
    between = [f"springs_se_over_{arm}{size}" for arm in ("ef", "lif") for size in sizes]
    bursts = [f"bursts_{arm}{size}" for arm in ("ef", "lif") for size in sizes]
    rivals = (
        "rivals_alif",
        "rivals_lif",
        "rivals_lstm",
        "normalisation_adds_nothing",
        "normalised_lif",
        "delays_gain",
    )
    return {
        **dict.fromkeys(("ecg_reproduces_se", "ecg_reproduces_ef"), ("ecg", _against_bound)),
        **dict.fromkeys(("ecg_se_over_ef", "ecg_se_over_lif"), ("ecg", _between)),
        **dict.fromkeys(rivals, ("rivals", _between)),
        **dict.fromkeys(("delays_target", "delays_brian"), ("rivals", _against_bound)),
        **dict.fromkeys(zero, ("springs", _against_zero)),
        **dict.fromkeys(between, ("springs", _between)),
        **{f"springs_degrade{size}": ("springs", _rising) for size in sizes},
        "frequency": ("springs", _between),
        **dict.fromkeys(("size_25", "size_50"), ("springs", _between)),
        "size_small": ("springs", _sizes),
        **dict.fromkeys(bursts, ("bursts", _between)),
        **dict.fromkeys(
            ("robust_shift_1", "robust_shift_4", "robust_events_0_05"), ("robustness", _lost)
        ),
        **dict.fromkeys(
            ("complexity_se", "complexity_ef", "complexity_lif"), ("neurons", _less_complex)
        ),
        "raphe_held_out": ("raphe", _coupled),
    }


JUDGES: dict[str, tuple[str, PairedJudge]] = _judges()
