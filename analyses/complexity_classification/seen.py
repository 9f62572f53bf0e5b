"""Whether complexity would have seen a planted correlation often enough: exact binomial verdicts on
the table of power."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from analyses.judging import sound
from neurocode.studies import Claim, holm, study_table
from neurocode.studies.comparisons import LEVEL

#: The correlation that is asked about, and how often it must be seen: ours.
CORRELATION, POWER = 0.2, 0.8
SOURCE = "ours: what the negative results at matched rates are worth"


def curve(table: pd.DataFrame) -> pd.DataFrame:
    """Share of repeats in which each correlation was seen in a recording, with its exact 95 %
    interval."""
    ordered = table.sort_values("correlation")
    tests = [binomtest(int(row.complexity_seen), int(row.repeats)) for row in ordered.itertuples()]
    bounds = [test.proportion_ci(method="exact") for test in tests]
    return pd.DataFrame(
        {
            "correlation": ordered["correlation"].to_numpy(),
            "share": [test.statistic for test in tests],
            "low": [own.low for own in bounds],
            "high": [own.high for own in bounds],
        }
    )


def detectable(table: pd.DataFrame) -> float:
    """The correlation that is seen with the power asked for, between those that were planted; NaN
    where none is."""
    found = curve(table)
    share = np.maximum.accumulate(found["share"].to_numpy())
    if share[-1] < POWER:
        return float("nan")
    place = int(np.argmax(share >= POWER))
    if place == 0:
        return float(found["correlation"].iloc[0])
    low, high = found["correlation"].iloc[place - 1], found["correlation"].iloc[place]
    return float(
        low + (high - low) * (POWER - share[place - 1]) / (share[place] - share[place - 1])
    )


def seen_claims(folder: Path) -> list[Claim]:
    """One claim a recording, with Holm's correction over them."""
    path = folder / "power.parquet"
    if not path.exists():
        return []
    table = sound(study_table(path))
    rows = table[np.isclose(table["correlation"], CORRELATION)].to_dict("records")
    above, below = (
        holm(
            np.array(
                [
                    binomtest(
                        row["complexity_seen"], row["repeats"], POWER, alternative=side
                    ).pvalue
                    for row in rows
                ]
            )
        )
        for side in ("greater", "less")
    )
    return [
        _claim(row, table[table["dataset"] == row["dataset"]], float(above[k]), float(below[k]))
        for k, row in enumerate(rows)
    ]


def _claim(row: dict, own: pd.DataFrame, above: float, below: float) -> Claim:
    share, least = row["complexity_seen"] / row["repeats"], detectable(own)
    interval = binomtest(row["complexity_seen"], row["repeats"]).proportion_ci(method="exact")
    verdict = "confirmed" if above < LEVEL else "refuted" if below < LEVEL else "undecided"
    reached = (
        f"that needs {least:.2f}"
        if np.isfinite(least)
        else f"no correlation up to {own['correlation'].max():g} is"
    )
    blocked = (
        f"; permutations of its blocks have p of at least {row['smallest_p']:.4f}"
        if row["smallest_p"] > 0
        else ""
    )
    text = (
        f"complexity at matched rates would have seen a correlation of {CORRELATION:g} between "
        f"neighbouring bins in {POWER:.0%} of "
        f"such recordings (share seen in {row['samples']} samples of {row['bins']} bins; "
        f"{reached}{blocked})"
    )
    p = {"confirmed": above, "refuted": below}.get(verdict, min(above, below))
    return Claim(
        text,
        SOURCE,
        "",
        share,
        None,
        row["repeats"],
        verdict,
        dataset=row["dataset"],
        low=interval.low,
        high=interval.high,
        p=p,
    )
