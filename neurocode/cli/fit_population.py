"""``neurocode fit-population``: fit cells that were recorded together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import print as show
from rich.markup import escape

from neurocode.cli import train_files

if TYPE_CHECKING:
    from neurocode.recordings import PopulationExperiment

EPILOG = """Examples:\n\n
neurocode fit-population retina-bars/ -o out/\n\n
neurocode fit-population cells.npz --front-end linear -o out/\n\n
neurocode fit-population session.nwb --stimulus position --bin 5 -o out/\n\n
neurocode fit-population movie.mat --variable Spikes --axes unit,trial --time-unit ms \
--t-stop 18000 -o out/\n\n
neurocode fit-population spikes.mat --variable spks --axes unit,time -o out/"""

AUTO, NONE = "auto", "none"
#: Files that the command writes and could read as a recording.
WRITTEN = ("population.npz", "simulated.npz", "cells.csv", "couplings.csv", "scores.csv")
#: Options for files of spike trains.
OF_TRAINS = (
    "bin_ms",
    "least_spikes",
    "layout",
    "variable",
    "axes",
    "time_unit",
    "counts",
    "bin_size",
    "t_start",
    "t_stop",
    "time_column",
    "unit_column",
    "sampling_rate",
    "labels",
)


def fit_population_command(
    context: typer.Context,
    data: Annotated[
        list[Path],
        typer.Argument(
            help="One recording: an archive that PopulationExperiment.save wrote, the folder of "
            "retina-bars, or a file of spike trains as describe takes it."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    model: Annotated[
        str, typer.Option(help="Library model with escape noise, or model .toml.")
    ] = "escape-lif",
    front_end: Annotated[
        str,
        typer.Option(
            help="What turns the stimulus into a drive: subunits, linear, time (repeats of an "
            "unknown stimulus), none, or auto."
        ),
    ] = AUTO,
    coupling: Annotated[
        str,
        typer.Option(help="repeats, likelihood, none, or auto (repeats where there are any)."),
    ] = AUTO,
    measure: Annotated[
        str,
        typer.Option(
            help="Adjust free runs to the Fano factors and noise correlations of the repeats: "
            "repeats, none, or auto (where couplings come from repeats)."
        ),
    ] = AUTO,
    stimulus: Annotated[
        str | None,
        typer.Option(
            help="Stimulus of spike trains, with times in seconds: .npz with times and values, "
            "text whose first column holds times, or the name of a series of an NWB file."
        ),
    ] = None,
    bin_ms: Annotated[
        float, typer.Option("--bin", min=0.1, help="Bin of spike trains in milliseconds.")
    ] = 2.0,
    least_spikes: Annotated[
        int, typer.Option(min=1, help="Cells with fewer spikes are left out.")
    ] = 50,
    updates: Annotated[
        int,
        typer.Option(
            min=1,
            help="Updates of the front end. Repeats add 370 for the neurons; couplings by "
            "likelihood add half as many again.",
        ),
    ] = 700,
    trials: Annotated[
        int | None,
        typer.Option(min=2, help="Free runs on the test (default: ten per recorded repeat)."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the fit and of free runs.")] = 0,
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
) -> None:
    """Fit neurons, history, couplings and front end to cells that were recorded together, and let
    them run freely on the test.

    Writes report.html, result.json, cells.csv, couplings.csv, model.toml (the equations with a
    value per cell), population.npz, population.pdf and .png and, where there are test repeats,
    scores.csv and simulated.npz (array spikes: cells, bins, free runs).
    """
    import time
    import warnings

    from neurocode.cli.output import output_folder
    from neurocode.cli.population_report import write_population
    from neurocode.cli.progress import row_progress
    from neurocode.inference.population import (
        OvercoupledWarning,
        Schedule,
        evaluate_population,
        fit_population,
    )
    from neurocode.inference.population.evaluation import why_not_scored
    from neurocode.models import by_name

    neuron = by_name(model)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        recording = _recording(context, data, output, bin_ms, stimulus, least_spikes)
    notes = [
        str(warning.message) for warning in caught if issubclass(warning.category, UserWarning)
    ]
    show(escape(str(recording)))
    chosen = {
        "front_end": front_end_for(recording, front_end),
        "coupling": coupling_for(recording, coupling),
    }
    if chosen["front_end"] is None:
        _refuse_unread(context, ("stimulus",), "Without a front end no stimulus is read.")
    unscored = why_not_scored(recording, needs_stimulus=chosen["front_end"] is not None)
    if unscored:
        _refuse_unread(context, ("trials",), unscored)
        notes.append(f"{unscored} Nothing is scored.")
    settings = {
        **{name: value for name, value in context.params.items() if name not in ("data", "output")},
        "data": [str(path) for path in data],
        "layout": None if layout is None else str(layout),
        **chosen,
    }
    with output_folder(output, settings) as folder:
        began = time.perf_counter()
        with row_progress(f"{recording.n_cells} cells") as tell, warnings.catch_warnings():
            # its sentence is among the notes that are shown below
            warnings.simplefilter("ignore", OvercoupledWarning)
            population = fit_population(
                neuron,
                recording,
                schedule=Schedule(updates=updates),
                measure=measure,
                seed=seed,
                tell=tell,
                **chosen,
            )
        seconds = time.perf_counter() - began
        evaluation = (
            None
            if unscored
            else evaluate_population(population, recording, trials=trials, seed=seed)
        )
        entry = write_population(
            folder, population, recording, evaluation, seconds=seconds, notes=notes
        )
    _show_entry(entry)
    show(f"Report: {escape(str(output / 'report.html'))}")


def front_end_for(recording: PopulationExperiment, wanted: str) -> str | None:
    """Return the front end that a word stands for; None for none."""
    if wanted == NONE:
        return None
    if wanted != AUTO:
        return wanted
    if recording.stimuli is None:
        return None
    return "time" if recording.is_driven_by_time else "subunits"


def coupling_for(recording: PopulationExperiment, wanted: str) -> str:
    """Return how couplings are fitted."""
    if wanted != AUTO:
        return wanted
    return "repeats" if recording.repeats is not None else "likelihood"


def _recording(
    context: typer.Context,
    data: list[Path],
    output: Path,
    bin_ms: float,
    stimulus: str | None,
    least_spikes: int,
) -> PopulationExperiment:
    from neurocode.errors import DataError
    from neurocode.recordings.population_files import is_population, read_population

    if len(data) != 1:
        raise DataError(f"{len(data)} recordings are given, expected one population.")
    (path,) = data
    if path.resolve().parent == output.resolve() and path.name in WRITTEN:
        raise DataError(
            f"{path}: the recording lies in the output folder under a name that is written there; "
            f"expected another output folder."
        )
    if is_population(path):
        _refuse_unread(context, OF_TRAINS, f"{path}: the recording is in bins already.")
        return read_population(path, stimulus=stimulus)
    files, chosen = train_files.chosen_trains(context, data)
    if len(files) != 1:
        raise DataError(f"{path}: the folder holds {len(files)} recordings, expected one.")
    return read_population(
        files[0], chosen, dt=bin_ms * 1e-3, stimulus=stimulus, least_spikes=least_spikes
    )


def _refuse_unread(context: typer.Context, names: Sequence[str], reason: str) -> None:
    """Refuse options of the command line that do not apply."""
    from neurocode.errors import DataError

    for name in names:
        if train_files.is_typed(context, name):
            (option,) = (held.opts[0] for held in context.command.params if held.name == name)
            raise DataError(f"{reason} The option {option} does not apply.")


def _show_entry(entry: dict[str, Any]) -> None:
    bits = entry["bits_per_spike"]
    held_out = f", {bits['test']:.3f} on the test" if "test" in bits else ""
    show(
        f"{entry['n_couplings']} of {entry['n_pairs']} couplings; {bits['training']:.3f} bits per "
        f"spike{held_out}; {entry['seconds']:g} s"
    )
    if "scores" in entry:
        for name, value in entry["scores"].items():
            show(f"{name}: {value:.3f}")
        ratios = entry["rate_ratio"]
        show(
            f"rates {min(ratios):.2f} to {max(ratios):.2f} of the recorded ones, "
            f"{entry['runaways']} of {entry['n_free_runs']} free runs run away"
        )
    for note in entry["notes"]:
        show(f"note: {escape(note)}")
