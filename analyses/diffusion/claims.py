"""What the studies of this folder claim, from their committed tables.

python analyses/diffusion/claims.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from neurocode.studies import Claim, verdict_of, write_claims

RESULTS = Path(__file__).parent / "results"
#: Coverage of an interval that is right, and the difference from it that does not matter.
NOMINAL, TOLERATED = 0.95, 0.03
Row = tuple[str, str, float, float, float, int, str]


def claims(folder: Path = RESULTS) -> list[Claim]:
    """The claims."""
    rates, laws, runs = (
        pd.read_csv(folder / f"{name}.csv") for name in ("rates", "distributions", "recovery_runs")
    )
    error, spread = rates["relative_error"].abs(), rates["relative_standard_error"]
    rows = [
        (
            "largest relative rate error of 20 LIF neurons at 0.1 ms",
            "Siegert 1951",
            0.0,
            error.max(),
            spread.max(),
            1,
            verdict_of(bool((error < 0.002 + 2 * spread).all())),
        ),
        (
            "largest CV difference of the same",
            "Brunel 2000",
            0.0,
            rates["cv_difference"].abs().max(),
            rates["cv_error"].max(),
            1,
            verdict_of(bool((rates["cv_difference"].abs() < 4 * rates["cv_error"]).all())),
        ),
    ]
    for _, law in laws.iterrows():
        claim = (
            f"Kolmogorov-Smirnov distance of {law['n_intervals']} simulated intervals, "
            f"{law['model']}, over its 95 % point"
        )
        rows.append(
            (claim, "ours", 1.0, law["ks"] / law["band"], 0.0, 1, verdict_of(bool(law["passed"])))
        )
    rows += [coverage(name, group) for name, group in runs.groupby("model", sort=False)]
    return [Claim(*row) for row in rows]


def coverage(name: str, runs: pd.DataFrame) -> Row:
    """Whether 95 % intervals of a model cover the truth as often as they say, by the exact binomial
    interval of the pooled share.

    Where it leaves out 95 % the claim is refuted, and the row says whether intervals are too narrow
    or too wide; confirmed where all of it lies within three points of 95 %. Parameters of a fit are
    not independent, so the interval is rather too short.
    """
    covered, count = int(runs["covered"].sum()), len(runs)
    low, high = binomtest(covered, count).proportion_ci(method="exact")
    inside = max(NOMINAL - low, high - NOMINAL) < TOLERATED
    verdict, said = ("confirmed" if inside else "undecided"), ""
    if not low <= NOMINAL <= high:
        verdict, said = "refuted", f", too {'narrow' if high < NOMINAL else 'wide'}"
    exact = f"{covered} of {count}, exact 95 % interval {low:.3f} to {high:.3f}{said}"
    text = f"pooled coverage of 95 % intervals from 400 intervals, {name} [{exact}]"
    deviation = runs.groupby("seed")["covered"].mean().std()
    return text, "ours", NOMINAL, covered / count, deviation, runs["seed"].nunique(), verdict


if __name__ == "__main__":
    table = write_claims(RESULTS, claims())
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4g}"))
