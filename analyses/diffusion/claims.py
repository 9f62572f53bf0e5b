"""What the studies of this folder claim, from their committed tables.

python analyses/diffusion/claims.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from neurocode.studies import Claim, verdict_of, write_claims

RESULTS = Path(__file__).parent / "results"
#: Difference from 95 % at which pooled coverage still counts as right.
TOLERATED = 0.03


def claims(folder: Path = RESULTS) -> list[Claim]:
    """The claims."""
    rates, laws, runs = (pd.read_csv(folder / f"{name}.csv") for name in ("rates", "distributions", "recovery_runs"))
    error, spread = rates["relative_error"].abs(), rates["relative_standard_error"]
    rows = [
        ("largest relative rate error of 20 LIF neurons at 0.1 ms", "Siegert 1951", 0.0, error.max(), spread.max(), 1,
         verdict_of(bool((error < 0.002 + 2 * spread).all()))),
        ("largest CV difference of the same", "Brunel 2000", 0.0, rates["cv_difference"].abs().max(), rates["cv_error"].max(), 1,
         verdict_of(bool((rates["cv_difference"].abs() < 4 * rates["cv_error"]).all()))),
    ]  # fmt: skip
    for _, law in laws.iterrows():
        claim = f"Kolmogorov-Smirnov distance of {law['n_intervals']} simulated intervals, {law['model']}, over its 95 % point"
        rows.append((claim, "ours", 1.0, law["ks"] / law["band"], 0.0, 1, verdict_of(bool(law["passed"]))))
    for name, group in runs.groupby("model", sort=False):
        coverage, seeds = group["covered"].mean(), group["seed"].nunique()
        within = abs(coverage - 0.95) < TOLERATED
        deviation = group.groupby("seed")["covered"].mean().std()
        rows.append(
            (
                f"pooled coverage of 95 % intervals from 400 intervals, {name}",
                "ours",
                0.95,
                coverage,
                deviation,
                seeds,
                verdict_of(within),
            )
        )
    return [Claim(*row) for row in rows]


if __name__ == "__main__":
    table = write_claims(RESULTS, claims())
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4g}"))
