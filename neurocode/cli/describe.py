"""``neurocode describe``: tables and figures of recorded spike trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show
from rich.markup import escape

if TYPE_CHECKING:
    import pandas as pd

from neurocode.cli import train_files

EPILOG = """Examples:\n\n
neurocode describe session.nwb -o out/\n\n
neurocode describe movie.mat --variable Spikes --axes unit,trial --time-unit ms \
--t-stop 18000 -o out/\n\n
neurocode describe waves.h5 --variable spikes --counts sCount -o out/\n\n
neurocode describe song_*.txt --axes trial --time-unit ms -o out/\n\n
neurocode describe session.nwb --panels "unit 3" --pairs "unit 3:unit 7" -o out/\n\n
neurocode describe cells.mat --layout layout.toml -o out/\n\n
neurocode describe sessions/ --workers 2 -o out/\n\n
neurocode describe phy_folder/ --labels good -o out/"""

#: Units that one note names.
LISTED = 5


def describe_command(
    context: typer.Context,
    files: train_files.TrainFiles,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    layout: train_files.LayoutFile = None,
    variable: train_files.Variable = "",
    axes: train_files.Axes = "spike",
    time_unit: train_files.TimeUnit = None,
    counts: train_files.Counts = "",
    bin_size: train_files.BinSize = 1.0,
    t_start: train_files.Start = None,
    t_stop: train_files.Stop = None,
    time_column: train_files.TimeColumn = "",
    unit_column: train_files.UnitColumn = "",
    sampling_rate: train_files.SamplingRate = None,
    labels: train_files.Labels = "",
    complexity_bin: Annotated[
        float | None,
        typer.Option(help="Bin of the complexity in seconds (default: mean interval / 5)."),
    ] = None,
    surrogates: Annotated[int, typer.Option(min=0, help="Surrogates of each kind and unit.")] = 200,
    seed: Annotated[int, typer.Option(help="Seed of the surrogates.")] = 0,
    panels: Annotated[
        list[str] | None,
        typer.Option(
            help="Unit whose panels are drawn, by its name or the last part of it; repeat for "
            "more; all; none (default: the first 60)."
        ),
    ] = None,
    pairs: Annotated[
        list[str] | None,
        typer.Option(help="Pair of units A:B whose cross-correlogram is drawn; repeat for more."),
    ] = None,
    workers: Annotated[
        int,
        typer.Option("--workers", "--jobs", min=1, help="Files that are described side by side."),
    ] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers describe instead.")
    ] = None,
) -> None:
    """Describe spike trains: rate, variability, complexity with significance, one row per unit."""
    from neurocode.cli.describe_report import write_description
    from neurocode.cli.describe_text import complexity_sentences, contents

    recordings, chosen = train_files.chosen_trains(context, files)
    options = {
        "bin_size": complexity_bin,
        "n_surrogates": surrogates,
        "seed": seed,
        "workers": workers,
        "scheduler": scheduler,
        "panels": panels or (),
        "pairs": pairs or (),
    }
    table = write_description(recordings, output, chosen, **options)
    middle = table.median(numeric_only=True)
    show(
        f"{contents(table)}; medians: {middle['rate']:.3g} Hz, CV {middle['cv']:.3g}, "
        f"LV {middle['lv']:.3g}, Fano factor {middle['fano_factor']:.3g}"
    )
    for sentence in complexity_sentences(table):
        show(escape(sentence))
    for line in notes(table):
        show(escape(line))
    show(f"Report: {escape(str(output / 'report.html'))}")


def notes(table: pd.DataFrame) -> list[str]:
    """A line for each reason why entries are missing or doubtful, with the units concerned."""
    lines = []
    for reason, part in table[table["reason"] != ""].groupby("reason", sort=False):
        more = f" and {len(part) - LISTED} more" if len(part) > LISTED else ""
        lines.append(f"note: {', '.join(map(str, part.index[:LISTED]))}{more}: {reason}")
    return lines
