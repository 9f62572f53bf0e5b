"""Lempel-Ziv complexity of one sequence and of many trains; the peers must count as we do."""

from __future__ import annotations

from benchmarks.leaderboard.rows import Row, timing_rows
from benchmarks.leaderboard.task import BenchmarkTask, Request


def rows(request: Request) -> list[Row]:
    """Sequences of up to ten million symbols; quick, of up to ten thousand."""
    from benchmarks.lz import measure

    return timing_rows(measure(1e4 if request.quick else 1e7, request.peers))


TASK = BenchmarkTask(
    title="Lempel-Ziv complexity (LZ76)",
    minutes=5,
    rows=rows,
    timed=True,
    peers=("lzcomplexity", "antropy"),
)
