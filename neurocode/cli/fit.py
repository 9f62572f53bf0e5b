"""``neurocode fit``: models to recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich import print as show
from rich.markup import escape

from neurocode.errors import ModelError

EPILOG = """Examples:\n\n
neurocode fit cell_training.abf --test cell_test.abf --model gif -o out/\n\n
neurocode fit cell_training.abf --electrode cell_aec.abf --voltage 0.2 --model igif-ia -o out/\n\n
neurocode fit cell_training.abf --test cell_test.abf --model my_neuron.toml --current-offset "5 pA" -o out/\n\n
neurocode fit session.nwb --spikes-only --model lif-diffusive --model adaptive --workers 2 -o out/\n\n
neurocode fit units.mat --spikes-only --variable unit_t --axes unit --model auto -o out/\n\n
neurocode fit afferent.npy --spikes-only --model adaptive-lif-diffusive-periodic --frequency 744.7 -o out/\n\n
neurocode fit a_training.abf b_training.abf --test a_test.abf --test b_test.abf --model gif --model igif-ia --workers 2 -o out/"""


#: Columns that are printed, and what stands above them.
HEADINGS = {
    "recording": "recording", "model": "model", "rank": "rank", "cross_validated_bits": "bits\ncross-v.",
    "held_out_bits": "bits\ntest", "md_star_8ms": "Md*\n(8 ms)", "converged": "con-\nverged", "reservations": "checks\nfailed",
    "seconds": "s",
}  # fmt: skip
SPIKES_HEADINGS = {
    "unit": "unit", "model": "model", "rank": "rank", "n_intervals": "inter-\nvals", "survives": "sur-\nvives", "ks": "KS",
    "ks_band": "KS\nband", "rescaled_correlation": "neigh-\nbours", "seconds": "s",
}  # fmt: skip


def fit_command(
    training: Annotated[list[Path], typer.Argument(help="Training recordings with a voltage and a current channel.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    test: Annotated[list[Path] | None, typer.Option(help="Test recordings, one for each training recording, in order.")] = None,
    model: Annotated[list[str] | None, typer.Option(help="Library model, model .toml, or auto; repeatable.")] = None,
    electrode: Annotated[list[Path] | None, typer.Option(help="Electrode recordings, one for each training recording.")] = None,
    voltage: Annotated[str, typer.Option(help="Fit the recorded voltage too: no, seconds between samples, or auto.")] = "no",
    current_offset: Annotated[str, typer.Option(help="Subtracted from the recorded current.")] = "0 pA",
    spike_threshold: Annotated[float, typer.Option(help="Voltage whose upward crossing is a spike (mV).")] = 0.0,
    dead_time: Annotated[float, typer.Option(help="Crossings closer than this to the spike before are passed over (ms).")] = 3.0,
    starts: Annotated[int, typer.Option(min=1, help="Starts of the optimiser.")] = 6,
    prior_width: Annotated[float, typer.Option(min=0.01, help="Width of the weak prior in unconstrained coordinates.")] = 3.0,
    predictions: Annotated[int, typer.Option(min=2, help="Simulated repeats for the held-out scores.")] = 500,
    seed: Annotated[int, typer.Option(min=0, help="Of the starts and the predictions.")] = 0,
    workers: Annotated[int, typer.Option("--workers", "--jobs", min=1, help="Fits that run side by side.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler whose workers fit instead.")] = None,
    spikes_only: Annotated[
        bool, typer.Option("--spikes-only", help="Spike times without a current: every unit of the files.")
    ] = False,
    frequency: Annotated[float | None, typer.Option(help="Frequency of the drive of a -periodic model (Hz).")] = None,
    variable: Annotated[str, typer.Option(help="Spike times: variable of a MAT or HDF5 file.")] = "",
    axes: Annotated[str, typer.Option(help="Spike times: axes, as in neurocode describe.")] = "spike",
    time_unit: Annotated[str, typer.Option(help="Spike times: s, ms or us.")] = "s",
    counts: Annotated[str, typer.Option(help="Spike times: variable with the number of spikes of each unit.")] = "",
    t_stop: Annotated[float | None, typer.Option(help="Spike times: end of every train, in the unit of time.")] = None,
    end_at_last_spike: Annotated[
        bool, typer.Option("--end-at-last-spike", help="Spike times: a silence after the last spike does not count.")
    ] = False,
) -> None:
    """Fit models to recorded spikes by maximum likelihood and score them on held-out repeats.

    With --spikes-only there is no current: neurons driven by white noise (lif-diffusive, eif-diffusive, qif-diffusive, each also
    adaptive- and -periodic; adaptive is short for adaptive-lif-diffusive) are fitted to the spike times of every unit.

    Several models (or auto, the default) are ranked by cross-validation inside the training recording.

    When the command is repeated with the same output folder, a finished fit is reused, and said to be, if its data files, the text
    of its model, all options and the version of neurocode are the same; otherwise it is run again and takes the old one's place.
    """
    if spikes_only:
        if test or electrode or voltage != "no":
            raise ModelError("--spikes-only takes no --test, --electrode or --voltage: spike times are all it reads.")
        layout = {"variable": variable, "axes": axes, "time_unit": time_unit, "counts": counts, "t_stop": t_stop}
        choices = {"frequency": frequency, "prior_width": prior_width, "seed": seed, "end_at_last_spike": end_at_last_spike}
        _fit_spike_times(training, output, model or ["auto"], layout, workers, scheduler, **choices)
        return
    from neurocode.cli.fit_tasks import attempt, run_one, tasks_of, write_comparison
    from neurocode.cli.progress import fit_progress
    from neurocode.cli.side_by_side import reused, run_all
    from neurocode.cli.terminal import show_report, show_table

    options = {
        "current_offset": current_offset, "spike_threshold": spike_threshold, "dead_time": dead_time, "starts": starts,
        "prior_width": prior_width, "predictions": predictions, "seed": seed, "voltage": voltage,
    }  # fmt: skip
    tasks = tasks_of(training, test or [], electrode or [], model or ["auto"], **options)
    if len(tasks) == 1:
        entry = reused(tasks[0], output)
        if entry is None:
            with fit_progress(tasks[0].label) as report:
                entry = run_one(tasks[0], output, report)
        print_entry(entry)
    else:
        entries = run_all(attempt, tasks, output, workers, scheduler)
        show_table(write_comparison(output, entries), HEADINGS)
        for table in entries:
            name = escape(f"{table['recording']}, {Path(table['folder']).name}")
            if "error" in table:
                show(f"[red]{name}[/red]: {escape(table['error'])}")
            for sentence in table.get("reservations", ()):
                show(f"[yellow]{name}[/yellow]: {escape(sentence)}")
    show_report(output)
    if len(tasks) > 1 and any("error" in table for table in entries):
        raise typer.Exit(1)


def _fit_spike_times(
    files: list[Path], output: Path, models: list[str], layout: dict[str, Any], workers: int, scheduler: str | None, **options: Any
) -> None:
    from neurocode.cli.side_by_side import run_all
    from neurocode.cli.spikes_tasks import attempt, summary_text, tasks_of, write_verdicts
    from neurocode.cli.terminal import show_report, show_table
    from neurocode.recordings.layout import Layout

    entries = run_all(attempt, tasks_of(files, Layout(**layout), models, **options), output, workers, scheduler)
    frame = write_verdicts(output, entries)
    show_table(frame, SPIKES_HEADINGS)
    for entry in entries:
        if "error" in entry:
            show(f"[red]{escape(entry['unit'])}, {escape(entry['model'])}[/red]: {escape(entry['error'])}")
    show(escape(summary_text(frame)))
    show_report(output)
    if all("error" in entry for entry in entries):
        raise typer.Exit(1)


def print_entry(table: dict[str, Any]) -> None:
    """Print the verdict, the main scores of one fit, and what speaks against it."""
    from neurocode.cli.terminal import number, spike_counts

    verdict = "converged" if table["converged"] else "[red]not converged[/red]"
    bits, validation = table["bits_per_spike"], table.get("cross_validation") or {}
    show(f"{escape(table['model'])}: {verdict}, {table['seconds']:.1f} s")
    show(f"training: {spike_counts(table['n_recorded_spikes'], table['n_spikes'])};")
    show(f"  {number(bits['training'])} bits per spike, {number(validation.get('bits_per_spike'))} cross-validated")
    if "md_star" in table:
        md = ", ".join(f"Md*({key}) {number(value)}" for key, value in table["md_star"].items())
        show(f"held out: {number(bits['test'])} bits per spike, {md}, PSTH correlation {number(table['psth_correlation'])}")
    for note in table.get("notes", ()):
        show(f"note: {escape(note)}")
    for sentence in table["reservations"]:
        show(f"[yellow]careful[/yellow]: {escape(sentence)}")
