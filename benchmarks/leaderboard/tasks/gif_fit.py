"""A generalised integrate-and-fire neuron fitted to a minute of recorded spikes, against what
brian2modelfitting does: differential evolution over a compiled Brian2 group, given our likelihood,
our coordinates and our start."""

from __future__ import annotations

from benchmarks.leaderboard.recordings import raphe_file
from benchmarks.leaderboard.rows import Row, timing_rows
from benchmarks.leaderboard.task import BenchmarkTask, Request

CELL = "DRN164"


def rows(request: Request) -> list[Row]:
    """Fits with all starts and standard errors, compilation included; the peer has five minutes for
    each model. Quick: one model, and one minute."""
    import neurocode as nc
    from benchmarks.fit_speed import against_peer, our_fit

    models, minutes = (("gif",), 1.0) if request.quick else (("gif", "igif-ia"), 5.0)
    experiment = nc.Experiment.from_files(raphe_file(CELL, "training"))
    timings = []
    for model in map(nc.models.by_name, models):
        timings.append(against_peer(model, experiment, our_fit(model, experiment), minutes))
    return timing_rows(timings)


TASK = BenchmarkTask(
    title="Fit of a recorded neuron (DRN164, 60 s)",
    minutes=12,
    rows=rows,
    timed=True,
    peers=("Nevergrad on Brian2",),
    data=("raphe",),
)
