"""Options that choose the files of spike trains of a command, and describe their layout."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from neurocode.recordings.layout import Layout

TrainFiles = Annotated[
    list[Path],
    typer.Argument(
        help="Recordings: NWB, NIX, MAT, HDF5, NPY, NPZ, Parquet, text (TXT, CSV, TSV, DAT), "
        "folders of Kilosort or Phy; folders of recordings; patterns in quotes."
    ),
]
LayoutFile = Annotated[
    Path | None,
    typer.Option(
        "--layout",
        help="TOML file with the entries below; options on the command line override its entries.",
    ),
]
Variable = Annotated[str, typer.Option(help="Variable of a MAT or HDF5 file.")]
Axes = Annotated[
    str, typer.Option(help="Axes: unit, trial, stimulus, time, bin or spike, separated by commas.")
]
TimeUnit = Annotated[
    str | None,
    typer.Option(
        help="Unit of the spike times: s, ms or us (default: that of a heading such as time_ms, "
        "else s)."
    ),
]
Counts = Annotated[str, typer.Option(help="Variable with the number of spikes of each unit.")]
BinSize = Annotated[float, typer.Option(help="Width of the bins of counts, in the unit of time.")]
Start = Annotated[
    float | None,
    typer.Option(
        help="Start of every train and of the first bin of counts, in the unit of time (default: "
        "0); earlier spikes are left out."
    ),
]
Stop = Annotated[
    float | None,
    typer.Option(
        help="End of every train, in the unit of time (default: last spike); later spikes are "
        "left out."
    ),
]
TimeColumn = Annotated[
    str, typer.Option(help="Column of the spike times, if several columns would fit.")
]
UnitColumn = Annotated[str, typer.Option(help="Column of the units, if several columns would fit.")]
SamplingRate = Annotated[
    float | None,
    typer.Option(help="Sampling rate in hertz of spike times that are counted in samples."),
]
Labels = Annotated[
    str,
    typer.Option(
        help="Clusters of a Phy folder by label, for example good,mua, or all (default: all "
        "except noise)."
    ),
]


def chosen_trains(context: typer.Context, places: Sequence[Path]) -> tuple[list[Path], Layout]:
    """Files that the places stand for, and their layout; options on the command line override the
    entries of the layout file.

    Raises
    ------
    DataError
        If a place stands for no file, a file is given twice, or an option on the command line does
        not apply to any file.
    """
    from neurocode.errors import DataError
    from neurocode.recordings.layout import Layout
    from neurocode.recordings.places import recording_files

    files = recording_files(places)
    values = {field.name: context.params[field.name] for field in fields(Layout)}
    typed = {name: value for name, value in values.items() if is_typed(context, name)}
    layout_file = context.params["layout"]
    layout = Layout(**values) if layout_file is None else replace(Layout.load(layout_file), **typed)
    _require_read(typed, files)
    if len({path.resolve() for path in files}) < len(files):
        raise DataError("A file is given twice, expected each recording once.")
    return files, layout


def is_typed(context: typer.Context, name: str) -> bool:
    """Whether a parameter was given on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _require_read(typed: Iterable[str], files: Sequence[Path]) -> None:
    """Refuse options that apply to none of the files, so that no recording is misread unnoticed."""
    from neurocode.errors import DataError
    from neurocode.recordings.layout import LAYOUT_SUFFIXES
    from neurocode.recordings.phy import is_phy

    of_phy, of_layout = (
        any(map(is_phy, files)),
        any(path.suffix.lower() in LAYOUT_SUFFIXES for path in files),
    )
    read = dict.fromkeys(
        ("variable", "axes", "counts", "bin_size", "time_column", "unit_column"), of_layout
    )
    read |= {"sampling_rate": of_layout or of_phy, "labels": of_phy}
    unread = [name for name in read if name in typed and not read[name]]
    if unread:
        kind = "folders of Phy" if is_phy(files[0]) else f"'{files[0].suffix}' files"
        option = f"--{unread[0].replace('_', '-')}"
        raise DataError(
            f"{files[0]}: {kind} state where their spikes are, so {option} does not apply to them."
        )
