"""Power of complexity: whether it would have detected a planted correlation often enough.

Verdicts are exact binomial tests on the table of power.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from analyses.judging import sound
from neurocode.studies import Claim, holm, study_table
from neurocode.studies.comparisons import LEVEL

#: The correlation that should be detected, and how often it must be detected (both chosen here).
CORRELATION, POWER = 0.2, 0.8
SOURCE = "ours: what the negative results at matched rates are worth"


def curve(table: pd.DataFrame) -> pd.DataFrame:
    """Return the share of repeats in which each correlation was detected, with its exact 95 %
    interval."""
    ordered = table.sort_values("correlation")
    tests = [binomtest(int(row.complexity_seen), int(row.repeats)) for row in ordered.itertuples()]
    bounds = [test.proportion_ci(method="exact") for test in tests]
    return pd.DataFrame(
        {
            "correlation": ordered["correlation"].to_numpy(),
            "share": [test.statistic for test in tests],
            "low": [bound.low for bound in bounds],
            "high": [bound.high for bound in bounds],
        }
    )


def detectable(table: pd.DataFrame) -> float:
    """Return the correlation that is detected with the required power, interpolated between the
    planted ones; NaN if none is."""
    shares = curve(table)
    share = np.maximum.accumulate(shares["share"].to_numpy())
    if share[-1] < POWER:
        return float("nan")
    place = int(np.argmax(share >= POWER))
    if place == 0:
        return float(shares["correlation"].iloc[0])
    low, high = shares["correlation"].iloc[place - 1], shares["correlation"].iloc[place]
    return float(
        low + (high - low) * (POWER - share[place - 1]) / (share[place] - share[place - 1])
    )


def seen_claims(folder: Path) -> list[Claim]:
    """Judge one claim per recording, with Holm's correction over all recordings."""
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


def _claim(row: dict, table: pd.DataFrame, above: float, below: float) -> Claim:
    share, least = row["complexity_seen"] / row["repeats"], detectable(table)
    interval = binomtest(row["complexity_seen"], row["repeats"]).proportion_ci(method="exact")
    verdict = "confirmed" if above < LEVEL else "refuted" if below < LEVEL else "undecided"
    reached = (
        f"that needs {least:.2f}"
        if np.isfinite(least)
        else f"no correlation up to {table['correlation'].max():g} is"
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
