"""``neurocode sweeps``: describe the sweeps of a current-clamp recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import print as show
from rich.markup import escape

from neurocode.cli import sweep_options
from neurocode.frames import column

EPILOG = """Examples:\n\n
neurocode sweeps cell.nwb\n\n
neurocode sweeps cell.abf --sweeps 3,5,7-12 -o out/\n\n
neurocode sweeps cell.nwb --voltage-channel electrode_1 --t-start 0.5 --t-stop 1.5\n\n
neurocode sweeps voltage.ibw --current current.ibw"""

#: Columns that are printed; the CSV file has all columns.
HEADINGS = {
    "sweep": "sweep",
    "stimulus": "stimulus",
    "amplitude_pA": "ampli-\ntude\n(pA)",
    "stimulus_start_s": "start\n(s)",
    "stimulus_duration_s": "dura-\ntion\n(s)",
    "duration_s": "sweep\n(s)",
    "sampling_rate_Hz": "sampl-\ning\n(Hz)",
    "n_spikes": "spikes",
    "description": "description",
}


def sweeps_command(
    file: Annotated[Path, typer.Argument(help="Recording: NWB, ABF, IBW or NIX.")],
    current: Annotated[
        Path | None,
        typer.Option(
            help="File with the current, if this is in a separate file (such as an Igor wave)."
        ),
    ] = None,
    sweeps: sweep_options.Sweeps = None,
    voltage_channel: sweep_options.VoltageChannel = None,
    current_channel: sweep_options.CurrentChannel = None,
    t_start: sweep_options.Start = None,
    t_stop: sweep_options.Stop = None,
    bias_current: sweep_options.BiasCurrent = "auto",
    spike_threshold: sweep_options.SpikeThreshold = 0.0,
    dead_time: sweep_options.DeadTime = 3.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write sweeps.csv into.")
    ] = None,
) -> None:
    """List the stimulus, amplitude and spikes of each sweep of a current-clamp recording."""
    from neurocode.cli.output import output_folder
    from neurocode.cli.spreadsheet import write_csv
    from neurocode.cli.terminal import show_table
    from neurocode.recordings.sweep_table import sweep_table

    source = str(file) if current is None else (str(file), str(current))
    choices = {
        "sweeps": sweeps,
        "voltage_channel": voltage_channel,
        "current_channel": current_channel,
        "t_start": t_start,
        "t_stop": t_stop,
        "bias_current": bias_current,
        "spike_threshold": spike_threshold,
        "dead_time": dead_time,
    }
    table = sweep_table(source, **choices)
    printed = table.reset_index()
    if column(printed, "description").nunique() == 1:
        printed = printed.drop(columns="description")
    show_table(printed, HEADINGS)
    kinds = ", ".join(
        f"{count} {kind}" for kind, count in table["stimulus"].value_counts(sort=False).items()
    )
    n_spikes, n_sweeps = int(column(table, "n_spikes").sum()), len(table)
    sweeps_text, spikes_text = f"sweep{'s' * (n_sweeps != 1)}", f"spike{'s' * (n_spikes != 1)}"
    show(escape(f"{file.name}: {n_sweeps} {sweeps_text} ({kinds}), {n_spikes} {spikes_text}"))
    descriptions = table["description"].unique()
    if len(descriptions) == 1 and descriptions[0]:
        show(escape(f"Stimulus of all: {descriptions[0]}"))
    if output is not None:
        settings = {
            "command": "sweeps",
            "file": str(file),
            "current": None if current is None else str(current),
            **choices,
        }
        with output_folder(output, settings) as folder:
            write_csv(table, folder / "sweeps.csv")
        show(escape(f"Table: {output / 'sweeps.csv'}"))
