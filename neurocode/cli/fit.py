"""``neurocode fit``: a model to a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show

if TYPE_CHECKING:
    from neurocode.fitting import FitResult, Scores

EPILOG = """Examples:\n\n
neurocode fit cell_training.abf --test cell_test.abf --model gif -o out/\n\n
neurocode fit cell_training.abf --test cell_test.abf --model my_neuron.toml --current-offset "5 pA" -o out/"""


def fit_command(
    training: Annotated[Path, typer.Argument(help="Training recording with a voltage and a current channel (ABF).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    test: Annotated[Path | None, typer.Option(help="Test recording: repeats of one frozen current, never used to fit.")] = None,
    model: Annotated[str, typer.Option(help="Library model or path of a model .toml.")] = "gif",
    current_offset: Annotated[str, typer.Option(help="Subtracted from the recorded current.")] = "0 pA",
    spike_threshold: Annotated[float, typer.Option(help="Voltage whose upward crossing is a spike (mV).")] = 0.0,
    dead_time: Annotated[float, typer.Option(help="Crossings closer than this to the spike before are passed over (ms).")] = 3.0,
    starts: Annotated[int, typer.Option(min=1, help="Starts of the optimiser.")] = 3,
    prior_width: Annotated[float, typer.Option(min=0.01, help="Width of the weak prior in unconstrained coordinates.")] = 3.0,
    predictions: Annotated[int, typer.Option(min=2, help="Simulated repeats for the held-out scores.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the starts and the predictions.")] = 0,
) -> None:
    """Fit a model to recorded spikes by maximum likelihood and score it on held-out repeats."""
    from neurocode.cli.fit_report import write_fit
    from neurocode.cli.output import output_folder
    from neurocode.cli.progress import fit_progress
    from neurocode.fitting import evaluate, fit
    from neurocode.models import by_name
    from neurocode.recordings import Experiment

    neuron = by_name(model)
    experiment = Experiment.from_files(
        training, test, current_offset=current_offset, spike_threshold=spike_threshold, dead_time=dead_time
    )
    settings = {
        "training": str(training), "test": str(test), "model": model, "current_offset": current_offset, "seed": seed,
        "spike_threshold_mV": spike_threshold, "dead_time_ms": dead_time, "starts": starts, "prior_width": prior_width,
        "predictions": predictions,
    }  # fmt: skip
    with output_folder(output, settings) as folder:
        with fit_progress(f"{neuron.name} to {experiment.name}") as report:
            result = fit(neuron, experiment, seed=seed, starts=starts, prior_width=prior_width, progress=report)
        scores = None if experiment.test is None else evaluate(result, experiment, n_predictions=predictions, seed=seed)
        write_fit(folder, result, scores, experiment)
    summarise(result, scores)
    show(f"Report: {output / 'report.html'}")


def summarise(result: FitResult, scores: Scores | None) -> None:
    """Print the verdict and the main scores."""
    verdict = "converged" if result.converged else "[red]not converged[/red]"
    show(f"{result.model.name}: {verdict}, {result.bits_per_spike:.3f} bits per training spike, {result.seconds:.1f} s")
    if scores is not None:
        md = ", ".join(f"Md*({key}) {score.value:.3f}" for key, score in scores.md_star.items())
        show(f"held out: {scores.bits_per_spike:.3f} bits per spike, {md}, PSTH correlation {scores.psth_correlation:.3f}")
