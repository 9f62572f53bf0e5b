"""Noisy leaky integrate-and-fire neurons: the same method in all, and the time until the rate is
right."""

from __future__ import annotations

from benchmarks.leaderboard.rows import Row, timing_rows
from benchmarks.leaderboard.task import BenchmarkTask, Request


def rows(request: Request) -> list[Row]:
    """Two thousand neurons for ten seconds; quick, 200 neurons for one second and the first part
    alone."""
    from benchmarks.population import accurate, same_method

    if request.quick:
        return timing_rows(same_method(200, 1.0, 2))
    return timing_rows([*same_method(2000, 10.0, 5), *accurate(2000, 10.0)])


TASK = BenchmarkTask(
    title="Simulation of a noisy population",
    minutes=8,
    rows=rows,
    timed=True,
    peers=("Brian2 cython", "Brian2 standalone"),
)
