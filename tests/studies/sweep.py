"""A sweep of 60 rows for tests that kill it: ``python sweep.py TABLE LOG [WORKERS | ADDRESS]``."""

from __future__ import annotations

import os
import sys
import time
from functools import partial

import numpy as np

from neurocode.studies import run_study

ROWS = [{"width": width, "seed": seed} for width in (0.5, 1.0, 2.0, 4.0) for seed in range(15)]
#: Seconds that a row takes where it is not resumed.
SECONDS = 0.05


def row(log: str, seconds: float, width: float, seed: int) -> dict[str, float]:
    """A number of its settings alone, some time later; every call leaves a line in the log."""
    with open(log, "a", encoding="utf-8") as file:
        file.write(f"{width}/{seed} {os.getpid()}\n")
    time.sleep(seconds)
    return {"mean": float(np.random.default_rng(seed).normal(0.0, width, 100).mean())}


if __name__ == "__main__":
    table, log, how = sys.argv[1:4]
    options = {"workers": int(how)} if how.isdigit() else {"scheduler": how}
    run_study(partial(row, log, SECONDS), ROWS, table, **options)
