"""Claims of the study in this folder, judged from its committed table.

python analyses/punit/claims.py
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from scipy.stats import wilcoxon

from neurocode.studies import Claim, verdict_of, write_claims

RESULTS = Path(__file__).parent / "results"


def claims(folder: Path = RESULTS) -> list[Claim]:
    """Return the judged claims.

    They state how much nearer to the recorded distribution of intervals a periodic drive brings the
    model, cell by cell, and in how many cells the model survives the test by time rescaling.
    """
    cells = pd.read_csv(folder / "cells.csv")
    distance = cells.pivot(index="cell", columns="model", values="distance")
    judged = []
    for rival, what in (
        ("constant", "constant input"),
        ("laboratory", "the laboratory's model (Benda laboratory)"),
    ):
        gain = (distance[rival] - distance["periodic"]).dropna()
        p = float(wilcoxon(gain).pvalue)
        verdict = verdict_of(p < 0.05 and gain.mean() > 0)
        claim = (
            f"distance to the recorded intervals: {what} minus periodic drive, {len(gain)} "
            f"cells (Wilcoxon p {p:.2g})"
        )
        judged.append(Claim(claim, "ours", "", gain.mean(), gain.std(), 1, verdict))
    for model in ("constant", "periodic"):
        survives = cells.loc[cells["model"] == model, "survives"].astype(float)
        verdict = verdict_of(survives.mean() > 0.5)
        claim = (
            f"adaptive LIF neuron, {model} drive, survives time rescaling in most of "
            f"{len(survives)} cells (share)"
        )
        judged.append(Claim(claim, "ours", "", survives.mean(), survives.std(), 1, verdict))
    return judged


if __name__ == "__main__":
    table = write_claims(RESULTS, claims())
    print(table.to_string(index=False, float_format=lambda x: f"{x:.4g}"))
