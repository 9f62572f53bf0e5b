"""Claims of the studies in this folder, judged from their committed tables.

python analyses/diffusion/claims.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from neurocode.studies import Claim, verdict_of, write_claims

RESULTS = Path(__file__).parent / "results"
#: Coverage of a correct interval, and the difference from it that does not matter.
NOMINAL, TOLERATED = 0.95, 0.03
Row = tuple[str, str, float, float, float, int, str]


def claims(folder: Path = RESULTS) -> list[Claim]:
    """Return the judged claims on rates, interval distributions and coverage."""
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
    """Judge whether the 95 % intervals of a model cover the truth in 95 % of cases.

    The judgement uses the exact binomial interval of the share of covered values, pooled over
    parameters. If this interval does not contain 95 %, the claim is refuted, and the row says
    whether the intervals are too narrow or too wide. If the whole interval lies within three
    percentage points of 95 %, the claim is confirmed. The parameters of one fit are not
    independent, so the binomial interval is slightly too short.
    """
    covered, count = int(runs["covered"].sum()), len(runs)
    low, high = binomtest(covered, count).proportion_ci(method="exact")
    inside = max(NOMINAL - low, high - NOMINAL) < TOLERATED
    verdict, direction = ("confirmed" if inside else "undecided"), ""
    if not low <= NOMINAL <= high:
        verdict, direction = "refuted", f", too {'narrow' if high < NOMINAL else 'wide'}"
    exact = f"{covered} of {count}, exact 95 % interval {low:.3f} to {high:.3f}{direction}"
    text = f"pooled coverage of 95 % intervals from 400 intervals, {name} [{exact}]"
    deviation = runs.groupby("seed")["covered"].mean().std()
    return text, "ours", NOMINAL, covered / count, deviation, runs["seed"].nunique(), verdict


if __name__ == "__main__":
    table = write_claims(RESULTS, claims())
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4g}"))
