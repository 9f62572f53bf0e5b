"""The claims of ``claims.toml``, judged from the tables, and the one that the closed forms settle."""

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
#: False discoveries among neurons that are called less complex.
DISCOVERIES = 0.05


def claims(folder: Path) -> list[Claim]:
    """Every fixed claim whose table is there; those on data that are not are "not comparable"."""
    stability = folder / "stability.csv"
    found = [stable_for_all(pd.read_csv(stability))] if stability.exists() else []
    return [*found, *judged_families(FIXED, folder, JUDGES)]


def stable_for_all(table: pd.DataFrame) -> Claim:
    """That SE is stable whatever its parameters: a bound exists, far outside the ranges that are
    used."""
    least = float(table.set_index("cell").loc["SE", "smallest_bound"])
    text = (
        "SE preserves stability for all parameterizations (smallest coupling at which a neuron "
        "of the used time constants does not)"
    )
    return Claim(text, "Baronig et al. 2025 (quoted)", "none", least, None, 1, "refuted")


def chosen(table: pd.DataFrame, entry: Entry) -> pd.DataFrame:
    """Rows of the size that an entry is about, if it says one."""
    return table[table["neurons"] == entry["neurons"]] if "neurons" in entry else table


def _between(table: pd.DataFrame, entry: Entry) -> Pairs:
    table = chosen(table, entry)
    found = paired(table, "arm", entry["first"], entry["second"], entry["values"], is_sound(table))
    return Pairs(found.values + entry.get("plus", 0.0), found.untrained)


def _against_bound(table: pd.DataFrame, entry: Entry) -> Pairs:
    own = table[table["arm"] == entry["arm"]]
    trained = is_sound(own)
    return Pairs(
        (own[entry["values"]] - entry["bound"])[trained].to_numpy(float), int((~trained).sum())
    )


def _against_zero(table: pd.DataFrame, entry: Entry) -> Pairs:
    """All networks: whether they trained is what is asked."""
    own = chosen(table, entry)
    own = own[own["arm"] == entry["arm"]]
    return Pairs((FAILED * own["zero_predictor"] - own["test_score"]).to_numpy(float), 0)


def _rising(table: pd.DataFrame, entry: Entry) -> Pairs:
    ends = [json.loads(text) for text in table["course"]]
    return _between(table.assign(rise=[course[-1] - course[0] for course in ends]), entry)


def _sizes(table: pd.DataFrame, entry: Entry) -> Pairs:
    """Two arms of different size."""
    parts = [
        table[(table["arm"] == entry[name]) & (table["neurons"] == entry[f"{name}_neurons"])]
        for name in ("first", "second")
    ]
    both = pd.concat(parts)
    return paired(both, "arm", entry["first"], entry["second"], "test_score", is_sound(both))


def _lost(table: pd.DataFrame, entry: Entry) -> Pairs:
    lost = table.assign(lost=table["shift_0"] - table[entry["level"]])
    return paired(lost, "arm", entry["first"], entry["second"], "lost")


def _less_complex(table: pd.DataFrame, entry: Entry) -> Pairs:
    own = table[table["arm"] == entry["arm"]]
    return Pairs(own["described"].map(share_less_complex).dropna().to_numpy(float) - 0.5, 0)


def share_less_complex(described: str) -> float:
    """Share of the neurons that spike whose complexity is below that of their surrogates."""
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
