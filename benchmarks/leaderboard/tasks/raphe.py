"""Dorsal raphe neurons fitted on a minute of training and judged on repeats that no fit has seen.

The published medians are those of the serotonin cells of the laboratory that recorded ours: other
cells, so that they stand beside ours and no ranking follows.
"""

from __future__ import annotations

from statistics import median

from benchmarks.leaderboard.recordings import RAPHE, raphe_file
from benchmarks.leaderboard.rows import HIGHER, Row, published
from benchmarks.leaderboard.task import BenchmarkTask, Request

SOURCE = "Harkin et al. 2023, eLife 12:e72951, median of 18 serotonin cells"
NOTE = "other cells of the same laboratory"
#: For each model of ours the published one that is nearest to it, and its median Md*(8 ms). Ours
#: with a nonlinear threshold and an A-type current stands beside the best of the published ones.
PUBLISHED = {
    "gif": ("GIF", 0.35),
    "igif": ("inactivating GIF", 0.54),
    "igif-ia": ("inactivating GIF", 0.54),
}


def scores_of(cell: str, model: str, *, starts: int | None = None) -> tuple[float, float]:
    """Held-out Md*(8 ms) and bits per spike."""
    import neurocode as nc

    experiment = nc.Experiment.from_files(
        raphe_file(cell, "training"), test=raphe_file(cell, "test")
    )
    options = {} if starts is None else {"starts": starts}
    result = nc.fit(nc.models.by_name(model), experiment, seed=0, **options)
    scores = nc.evaluate(result, experiment, seed=0)
    md_star, bits = scores.md_star["8ms"].value, scores.bits_per_spike
    print(f"{cell}, {model}: Md*(8 ms) {md_star:.3f}, {bits:.2f} bits per spike held out")
    return md_star, bits


def rows_of(model: str, scores: dict[str, tuple[float, float]]) -> list[Row]:
    """Both scores of every cell, and the median of Md* beside the published one.

    Parameters
    ----------
    model : str
    scores : dict of str to (float, float)
        Md*(8 ms) and bits of each cell.
    """
    measured = []
    for cell, (md_star, bits) in scores.items():
        case = f"{cell}, {model}"
        measured += [
            Row(case, "held-out Md*(8 ms)", "", HIGHER, md_star),
            Row(case, "held-out bits per spike", "bits", HIGHER, bits),
        ]
    if len(scores) == len(RAPHE):
        middle = median(md_star for md_star, _ in scores.values())
        case = f"median of {len(RAPHE)} cells, {model}"
        whole = Row(case, "held-out Md*(8 ms)", "", HIGHER, middle)
        peer, value = PUBLISHED[model]
        measured.append(published(whole, peer, value, SOURCE, NOTE))
    return measured


def rows(request: Request) -> list[Row]:
    """Three models of five cells; quick, one model of one cell from one start."""
    if request.quick:
        return rows_of("gif", {"DRN164": scores_of("DRN164", "gif", starts=1)})
    return [
        row
        for model in PUBLISHED
        for row in rows_of(model, {cell: scores_of(cell, model) for cell in RAPHE})
    ]


TASK = BenchmarkTask(
    title="Raphe cells: held-out prediction", minutes=10, rows=rows, data=("raphe",)
)
