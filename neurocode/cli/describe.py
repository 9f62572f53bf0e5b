"""``neurocode describe``: tables and figures of recorded spike trains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show
from rich.markup import escape

if TYPE_CHECKING:
    import pandas as pd

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
    files: Annotated[
        list[Path],
        typer.Argument(
            help="Recordings: NWB, NIX, MAT, HDF5, NPY, NPZ, Parquet, text (TXT, CSV, TSV, DAT), folders of Kilosort or Phy; "
            "folders of recordings; patterns in quotes."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    layout: Annotated[
        Path | None, typer.Option(help="TOML file with the entries below; an option that is given comes before its entry.")
    ] = None,
    variable: Annotated[str, typer.Option(help="Variable of a MAT or HDF5 file.")] = "",
    axes: Annotated[str, typer.Option(help="Axes: unit, trial, stimulus, time, bin or spike, separated by commas.")] = "spike",
    time_unit: Annotated[
        str | None, typer.Option(help="Unit of the spike times: s, ms or us (default: that of a heading such as time_ms, else s).")
    ] = None,
    counts: Annotated[str, typer.Option(help="Variable with the number of spikes of each unit.")] = "",
    bin_size: Annotated[float, typer.Option(help="Bin of counts, in the unit of time.")] = 1.0,
    t_start: Annotated[
        float | None,
        typer.Option(
            help="Start of every train and of the first bin of counts, in the unit of time (default: 0); earlier ones are left out."
        ),
    ] = None,
    t_stop: Annotated[
        float | None, typer.Option(help="End of every train, in the unit of time (default: last spike); later spikes are left out.")
    ] = None,
    time_column: Annotated[str, typer.Option(help="Column of the spike times, where a table leaves a choice.")] = "",
    unit_column: Annotated[str, typer.Option(help="Column of the units, where a table leaves a choice.")] = "",
    sampling_rate: Annotated[float | None, typer.Option(help="In hertz, of spike times that are counted in samples.")] = None,
    labels: Annotated[
        str, typer.Option(help="Clusters of a Phy folder by label, for example good,mua, or all (default: all but noise).")
    ] = "",
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
    from neurocode.errors import DataError
    from neurocode.recordings.layout import Layout
    from neurocode.recordings.places import recording_files

    files = recording_files(files)
    given = {"variable": variable, "axes": axes, "time_unit": time_unit, "counts": counts}
    given |= {"bin_size": bin_size, "t_start": t_start, "t_stop": t_stop, "time_column": time_column, "unit_column": unit_column}
    given |= {"sampling_rate": sampling_rate, "labels": labels}
    typed = {name: value for name, value in given.items() if context.get_parameter_source(name).name == "COMMANDLINE"}
    chosen = Layout(**given) if layout is None else replace(Layout.load(layout), **typed)
    _require_read(typed, files)
    if len({path.resolve() for path in files}) < len(files):
        raise DataError("A file is given twice, expected each recording once.")
    options = {"bin_size": complexity_bin, "n_surrogates": surrogates, "seed": seed, "workers": workers, "scheduler": scheduler}
    table = write_description(files, output, chosen, **options)
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


def _require_read(typed: Iterable[str], files: Sequence[Path]) -> None:
    """Refuse options that none of the files reads: a recording would be taken for what it is not."""
    from neurocode.errors import DataError
    from neurocode.recordings.layout import LAYOUT_SUFFIXES
    from neurocode.recordings.phy import is_phy

    of_phy, of_layout = any(map(is_phy, files)), any(path.suffix.lower() in LAYOUT_SUFFIXES for path in files)
    read = dict.fromkeys(("variable", "axes", "counts", "bin_size", "time_column", "unit_column"), of_layout)
    read |= {"sampling_rate": of_layout or of_phy, "labels": of_phy}
    unread = [name for name in read if name in typed and not read[name]]
    if unread:
        kind = "folders of Phy" if is_phy(files[0]) else f"'{files[0].suffix}' files"
        option = f"--{unread[0].replace('_', '-')}"
        raise DataError(f"{files[0]}: {kind} say themselves where their spikes are and take no {option}.")


def notes(table: pd.DataFrame) -> list[str]:
    """A line for each reason why entries are missing or doubtful, with the units that it holds for."""
    lines = []
    for reason, part in table[table["reason"] != ""].groupby("reason", sort=False):
        more = f" and {len(part) - LISTED} more" if len(part) > LISTED else ""
        lines.append(f"note: {', '.join(map(str, part.index[:LISTED]))}{more}: {reason}")
    return lines
