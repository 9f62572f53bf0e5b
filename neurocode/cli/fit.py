"""``neurocode fit`` and ``neurocode fit-spikes``: fit recordings with or without a current."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import print as show
from rich.markup import escape

from neurocode.cli import sweep_options, train_files

if TYPE_CHECKING:
    from neurocode.cli.fit_comparison import Comparison
    from neurocode.cli.fit_task import FitTask

EPILOG = """Examples:\n\n
neurocode fit cell_training.abf --test cell_test.abf --model gif -o out/\n\n
neurocode fit cell_training.abf --electrode cell_aec.abf --voltage 0.2 --model igif-ia -o out/\n\n
neurocode fit cell_training.abf --test cell_test.abf --model my_neuron.toml \
--current-offset "5 pA" -o out/\n\n
neurocode fit cell.nwb --test-sweeps repeated --model gif -o out/\n\n
neurocode fit voltage.ibw --current current.ibw --sweeps 0-9 --model gif -o out/\n\n
neurocode fit a_training.abf b_training.abf --test a_test.abf --test b_test.abf --model gif \
--model igif-ia --workers 2 -o out/"""

SPIKES_EPILOG = """Examples:\n\n
neurocode fit-spikes session.nwb --model lif-diffusive --model adaptive --workers 2 -o out/\n\n
neurocode fit-spikes units.mat --variable unit_t --axes unit --model auto -o out/\n\n
neurocode fit-spikes afferent.npy --model adaptive-lif-diffusive-periodic \
--frequency 744.7 -o out/"""

#: Options that every fit has.
Output = Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")]
Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="Library model, model .toml, or auto; repeatable."),
]
PriorWidth = Annotated[
    float, typer.Option(min=0.01, help="Width of the weak prior in unconstrained coordinates.")
]
Seed = Annotated[
    int, typer.Option(min=0, help="Seed of the starts and of simulations of the fitted model.")
]
Workers = Annotated[
    int, typer.Option("--workers", "--jobs", min=1, help="Fits that run side by side.")
]
Scheduler = Annotated[
    str | None, typer.Option(help="Address of a Dask scheduler whose workers run the fits instead.")
]


def fit_command(
    context: typer.Context,
    training: Annotated[
        list[Path],
        typer.Argument(
            help="Training recordings with a voltage and a current channel; folders of them, or "
            "patterns in quotes."
        ),
    ],
    output: Output,
    test: Annotated[
        list[Path] | None,
        typer.Option(help="Test recordings, one for each training recording, in order."),
    ] = None,
    model: Models = None,
    electrode: Annotated[
        list[Path] | None,
        typer.Option(help="Electrode recordings, one for each training recording."),
    ] = None,
    voltage: Annotated[
        str,
        typer.Option(help="Fit the recorded voltage too: no, seconds between samples, or auto."),
    ] = "no",
    current: Annotated[
        list[Path] | None,
        typer.Option(
            help="Files with the currents, if these are in separate files (such as Igor waves), in "
            "order."
        ),
    ] = None,
    test_current: Annotated[
        list[Path] | None, typer.Option(help="Files with the currents of the test recordings.")
    ] = None,
    sweeps: sweep_options.Sweeps = None,
    test_sweeps: Annotated[
        str | None,
        typer.Option(
            help="Sweeps of the test, taken from the training file if there is no --test: numbers, "
            "or repeated for those that share one waveform of current."
        ),
    ] = None,
    voltage_channel: sweep_options.VoltageChannel = None,
    current_channel: sweep_options.CurrentChannel = None,
    t_start: sweep_options.Start = None,
    t_stop: sweep_options.Stop = None,
    bias_current: sweep_options.BiasCurrent = "auto",
    current_offset: Annotated[
        str, typer.Option(help="Offset that is subtracted from the recorded current.")
    ] = "0 pA",
    spike_threshold: sweep_options.SpikeThreshold = 0.0,
    dead_time: sweep_options.DeadTime = 3.0,
    starts: Annotated[int, typer.Option(min=1, help="Starts of the optimiser.")] = 6,
    prior_width: PriorWidth = 3.0,
    predictions: Annotated[
        int, typer.Option(min=2, help="Simulated repeats for the held-out scores.")
    ] = 500,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Fit models to recorded spikes under a current by maximum likelihood and score them on
    held-out repeats.

    Several models (or auto, the default) are ranked by cross-validation inside the training
    recording. Spike times without a current are fitted by neurocode fit-spikes.

    When the command is repeated with the same output folder, a finished fit is reused, with a
    message, if its data files, the text of its model, all options and the version of neurocode are
    the same; otherwise it is run again and replaces the old one.
    """
    from neurocode.cli.recording_task import COMPARISON, READING, recordings_of, tasks_of
    from neurocode.cli.terminal import show_report
    from neurocode.recordings.places import recording_files

    companions = {
        "test": test,
        "electrode": electrode,
        "current": current,
        "test_current": test_current,
    }
    recordings = recordings_of(
        recording_files(training), **{kind: paths or [] for kind, paths in companions.items()}
    )
    options = {
        name: context.params[name]
        for name in (*READING, "starts", "prior_width", "predictions", "seed", "voltage")
    }
    tasks = tasks_of(recordings, model or ["auto"], **options)
    if len(tasks) == 1:
        print_entry(_run_alone(tasks[0], output))
        show_report(output)
        return
    entries = _run_many(tasks, COMPARISON, output, workers, scheduler)
    if any("error" in entry for entry in entries):
        raise typer.Exit(1)


def fit_spikes_command(
    context: typer.Context,
    files: train_files.TrainFiles,
    output: Output,
    model: Models = None,
    frequency: Annotated[
        float | None, typer.Option(help="Frequency of the drive of a -periodic model (Hz).")
    ] = None,
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
    end_at_last_spike: Annotated[
        bool,
        typer.Option(
            "--end-at-last-spike",
            help="End every train at its last spike; a silence after it does not count.",
        ),
    ] = False,
    prior_width: PriorWidth = 3.0,
    seed: Seed = 0,
    workers: Workers = 1,
    scheduler: Scheduler = None,
) -> None:
    """Fit neurons driven by white noise to the spike times of every unit, without a current, and
    say which of them survive.

    Models are lif-diffusive, eif-diffusive and qif-diffusive, each also adaptive- and -periodic
    (adaptive is short for adaptive-lif-diffusive), and model files of that kind; auto, the default,
    compares three. They are ranked for each unit by cross-validation, and each is tested by time
    rescaling.

    Finished fits are reused as by neurocode fit. The exit code is 1 only where no fit succeeded.
    """
    from neurocode.cli.unit_task import COMPARISON, tasks_of

    recordings, chosen = train_files.chosen_trains(context, files)
    options = {
        "frequency": frequency,
        "prior_width": prior_width,
        "seed": seed,
        "end_at_last_spike": end_at_last_spike,
    }
    tasks = tasks_of(recordings, chosen, model or ["auto"], **options)
    entries = _run_many(tasks, COMPARISON, output, workers, scheduler)
    if all("error" in entry for entry in entries):
        raise typer.Exit(1)


def _run_alone(task: FitTask, output: Path) -> dict[str, Any]:
    """Run a single fit, which is written directly into the output folder; return its entry."""
    from neurocode.cli.fit_task import run_one
    from neurocode.cli.progress import fit_progress
    from neurocode.cli.side_by_side import reused

    entry = reused(task, output)
    if entry is None:
        with fit_progress(task.label) as report:
            entry = run_one(task, output, report)
    return entry


def _run_many(
    tasks: Sequence[FitTask],
    comparison: Comparison,
    output: Path,
    workers: int,
    scheduler: str | None,
) -> list[dict[str, Any]]:
    """Run all fits, print and write a table that compares them, and print errors and reservations;
    return their entries."""
    from neurocode.cli.fit_task import attempt
    from neurocode.cli.side_by_side import run_all
    from neurocode.cli.terminal import show_report, show_table

    entries = run_all(attempt, tasks, output, workers, scheduler)
    frame = comparison.write(output, entries)
    show_table(frame, comparison.headings)
    for entry in entries:
        name = escape(f"{entry[comparison.data[-1]]}, {Path(entry['folder']).name}")
        if "error" in entry:
            show(f"[red]{name}[/red]: {escape(entry['error'])}")
        for sentence in (*entry.get("notes", ()), *entry.get("reservations", ())):
            show(f"[yellow]{name}[/yellow]: {escape(sentence)}")
    for line in comparison.summary(frame):
        show(escape(line))
    show_report(output)
    return entries


def print_entry(table: dict[str, Any]) -> None:
    """Print the verdict, the main scores and the reservations of one fit."""
    from neurocode.cli.terminal import number, spike_counts

    verdict = "converged" if table["converged"] else "[red]not converged[/red]"
    bits, validation = table["bits_per_spike"], table.get("cross_validation") or {}
    show(f"{escape(table['model'])}: {verdict}, {table['seconds']:.1f} s")
    show(f"training: {spike_counts(table['n_recorded_spikes'], table['n_spikes'])};")
    show(
        f"  {number(bits['training'])} bits per spike, {number(validation.get('bits_per_spike'))} "
        f"cross-validated"
    )
    if "md_star" in table:
        md = ", ".join(f"Md*({key}) {number(value)}" for key, value in table["md_star"].items())
        show(
            f"held out: {number(bits['test'])} bits per spike, {md}, PSTH correlation "
            f"{number(table['psth_correlation'])}"
        )
    for note in table.get("notes", ()):
        show(f"note: {escape(note)}")
    for sentence in table["reservations"]:
        show(f"[yellow]careful[/yellow]: {escape(sentence)}")
