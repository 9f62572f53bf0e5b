"""``neurocode describe``: tables and figures of recorded spike trains."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show
from rich.markup import escape

if TYPE_CHECKING:
    import pandas as pd

from neurocode.cli.train_files import (
    Axes,
    BinSize,
    Counts,
    Labels,
    LayoutFile,
    SamplingRate,
    Start,
    Stop,
    TimeColumn,
    TimeUnit,
    TrainFiles,
    UnitColumn,
    Variable,
    chosen_trains,
)

EPILOG = """Examples:\n\n
neurocode describe session.nwb -o out/\n\n
neurocode describe movie.mat --variable Spikes --axes unit,trial --time-unit ms --t-stop 18000 -o out/\n\n
neurocode describe waves.h5 --variable spikes --counts sCount -o out/\n\n
neurocode describe song_*.txt --axes trial --time-unit ms -o out/\n\n
neurocode describe cells.mat --layout layout.toml -o out/\n\n
neurocode describe sessions/ --workers 2 -o out/\n\n
neurocode describe phy_folder/ --labels good -o out/"""

#: Units that one note names.
LISTED = 5


def describe_command(
    context: typer.Context,
    files: TrainFiles,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    layout: LayoutFile = None,
    variable: Variable = "",
    axes: Axes = "spike",
    time_unit: TimeUnit = None,
    counts: Counts = "",
    bin_size: BinSize = 1.0,
    t_start: Start = None,
    t_stop: Stop = None,
    time_column: TimeColumn = "",
    unit_column: UnitColumn = "",
    sampling_rate: SamplingRate = None,
    labels: Labels = "",
    complexity_bin: Annotated[
        float | None, typer.Option(help="Bin of the complexity in seconds (default: mean interval / 5).")
    ] = None,
    surrogates: Annotated[int, typer.Option(min=0, help="Surrogates of each kind and unit.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the surrogates.")] = 0,
    workers: Annotated[int, typer.Option("--workers", "--jobs", min=1, help="Files that are described side by side.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers describe instead.")] = None,
) -> None:
    """Describe spike trains: rate, variability, complexity with significance, a row a unit."""
    from neurocode.cli.describe_report import write_description

    recordings, chosen = chosen_trains(context, files)
    options = {"bin_size": complexity_bin, "n_surrogates": surrogates, "seed": seed, "workers": workers, "scheduler": scheduler}
    table = write_description(recordings, output, chosen, **options)
    middle = table.median(numeric_only=True)
    show(
        f"{len(table)} units, {int(table['n_spikes'].sum())} spikes; medians: {middle['rate']:.3g} Hz, CV {middle['cv']:.3g}, "
        f"LV {middle['lv']:.3g}, Fano factor {middle['fano_factor']:.3g}"
    )
    if "lz_q" in table:
        below = ((table["lz_q"] < 0.05) & (table["lz_ratio"] < 1)).sum()
        show(f"LZ complexity below rate-matched surrogates (q < 0.05) in {below} of {table['lz_q'].notna().sum()} units")
    for line in notes(table):
        show(escape(line))
    show(f"Report: {escape(str(output / 'report.html'))}")


def notes(table: pd.DataFrame) -> list[str]:
    """A line for each reason why entries are missing or doubtful, with the units that it holds for."""
    lines = []
    for reason, part in table[table["reason"] != ""].groupby("reason", sort=False):
        more = f" and {len(part) - LISTED} more" if len(part) > LISTED else ""
        lines.append(f"note: {', '.join(map(str, part.index[:LISTED]))}{more}: {reason}")
    return lines
