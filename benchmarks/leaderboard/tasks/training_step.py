"""One training step of small spiking networks; plain PyTorch must give our loss and gradients."""

from __future__ import annotations

from benchmarks.leaderboard.rows import Row, timing_rows
from benchmarks.leaderboard.task import BenchmarkTask, Request


def rows(request: Request) -> list[Row]:
    """Four sizes of network; quick, the feed-forward one."""
    from benchmarks.training_step import CASES, measure

    cases, rounds = (("feed-forward",), 5) if request.quick else (CASES, 12)
    timings = [
        timing
        for case in cases
        for timing in measure(case, rounds, request.peers, with_memory=False)
    ]
    return timing_rows(timing for timing in timings if timing.peer in request.peers)


TASK = BenchmarkTask(
    title="One training step of a spiking network",
    minutes=4,
    rows=rows,
    timed=True,
    peers=("PyTorch", "snnTorch", "Norse", "SpikingJelly"),
)
