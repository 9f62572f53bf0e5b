"""Interval statistics of thousands of units, equal to Elephant's to 1e-12."""

from __future__ import annotations

from benchmarks.leaderboard.rows import Row, timing_rows
from benchmarks.leaderboard.task import BenchmarkTask, Request


def rows(request: Request) -> list[Row]:
    """Five thousand units of 200 spikes; quick, 500 units."""
    import warnings

    from benchmarks.describe import measure

    warnings.simplefilter("ignore")
    return timing_rows(measure(500 if request.quick else 5000, 200))


TASK = BenchmarkTask(
    title="Interval statistics of many units (describe)",
    minutes=1,
    rows=rows,
    timed=True,
    peers=("Elephant",),
)
