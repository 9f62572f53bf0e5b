"""``neurocode simulate``: simulate a model under a current."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show

if TYPE_CHECKING:
    import neo

    from neurocode.models import NeuronModel

EPILOG = """Examples:\n\n
neurocode simulate --model gif --noise "60 pA" "40 pA" --duration 5 --trials 10 -o out/\n\n
neurocode simulate --model adex --step "700 pA" --duration 1 -o out/\n\n
neurocode simulate --model my_neuron.toml --current recording.abf -o out/"""


def simulate_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")],
    model: Annotated[str, typer.Option(help="Library model or path of a model .toml.")] = "gif",
    step: Annotated[str | None, typer.Option(help="Constant current, such as '300 pA'.")] = None,
    noise: Annotated[
        tuple[str, str] | None, typer.Option(help="Mean and standard deviation of frozen noise.")
    ] = None,
    current: Annotated[
        Path | None, typer.Option(help="Recording whose current channel is injected.")
    ] = None,
    duration: Annotated[
        float | None, typer.Option(help="Duration in seconds; by default that of the recording.")
    ] = None,
    dt: Annotated[
        float | None,
        typer.Option(help="Time step in ms; 0.1, or the sampling interval of the recording."),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="Number of repeats.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the noise of current and neuron.")] = 0,
    engine: Annotated[
        str,
        typer.Option(help="brian2, brian2-standalone, jax, or numba, which records no potential."),
    ] = "brian2",
) -> None:
    """Simulate repeated trials and write their spikes as CSV and NWB."""
    import warnings

    import numpy as np

    from neurocode.cli import page
    from neurocode.cli.output import output_folder, write_json, write_spikes
    from neurocode.cli.terminal import show_report
    from neurocode.errors import CoarseStepWarning
    from neurocode.models import by_name
    from neurocode.plotting import house_style, save_figure
    from neurocode.plotting.simulation_figure import simulation_figure
    from neurocode.simulation import simulate
    from neurocode.whole_files import require_replaceable

    neuron = by_name(model)
    step_seconds = None if dt is None else dt * 1e-3
    signal = _current(neuron, step, noise, current, duration, step_seconds, seed)
    record = _potential(neuron, engine)
    require_replaceable(output)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CoarseStepWarning)
        block = simulate(
            neuron,
            signal,
            duration=duration,
            dt=step_seconds,
            trials=trials,
            seed=seed,
            record=record,
            engine=engine,
        )
    for warning in caught:
        show(f"Warning: {warning.message}")
    traces = [
        (_label(s), np.asarray(s.magnitude[:, 0]))
        for s in reversed(block.segments[0].analogsignals)
    ]
    for segment in block.segments:
        segment.analogsignals = [s for s in segment.analogsignals if s.name not in record]
    trains = [
        np.asarray(segment.spiketrains[0].rescale("s").magnitude) for segment in block.segments
    ]
    length = float(block.segments[0].spiketrains[0].t_stop.rescale("s"))
    settings = {
        "model": model,
        "step": step,
        "noise": noise,
        "current": str(current),
        "duration": length,
        "dt": block.annotations["dt"],
        "trials": trials,
        "seed": seed,
        "engine": engine,
    }
    with output_folder(output, settings) as folder:
        neuron.save(folder / "model.toml")
        write_spikes(block, folder / "spikes")
        counts = [len(train) for train in trains]
        rate = float(np.mean(counts) / length)
        write_json(
            folder / "result.json",
            {"model": neuron.name, "spike_counts": counts, "rate": {"value": rate, "unit": "Hz"}},
        )
        with house_style():
            _, png = save_figure(
                simulation_figure(traces, trains, length), folder / "simulation.pdf"
            )
        text = (
            f"{trials} trials of {length:g} s, mean rate {rate:.2f} Hz, engine {engine}, seed "
            f"{seed}."
        )
        names = [*(label for label, _ in traces), "spikes of all trials"]
        parts = [
            page.paragraph(text),
            page.paragraph(f"From above: {', '.join(names)}."),
            page.image(png, "Signals and spikes"),
        ]
        page.write_page(folder / "report.html", f"Simulation of {neuron.name}", parts)
    show(f"{neuron.name}: {sum(counts)} spikes in {trials} trials of {length:g} s ({rate:.2f} Hz)")
    show_report(output)


def _potential(neuron: NeuronModel, engine: str) -> tuple[str, ...]:
    """State to record: the one that the margin compares with the threshold; none with numba."""
    from neurocode.models.expressions import names_in

    read = names_in(neuron.margin)
    return () if engine == "numba" else tuple(name for name in neuron.states if name in read)[:1]


def _label(signal: neo.AnalogSignal) -> str:
    unit, name = signal.units.dimensionality.string, signal.name or "signal"
    return name if unit == "dimensionless" else f"{name} ({unit})"


def _current(
    neuron: NeuronModel,
    step: str | None,
    noise: tuple[str, str] | None,
    current: Path | None,
    duration: float | None,
    dt: float | None,
    seed: int,
) -> neo.AnalogSignal | None:
    from neurocode.recordings.channels import channel_of
    from neurocode.recordings.files import read
    from neurocode.simulation import stimuli
    from neurocode.simulation.simulate import DEFAULT_DT
    from neurocode.units import in_si, si_unit_text

    sources = [
        name
        for name, value in (("--step", step), ("--noise", noise), ("--current", current))
        if value is not None
    ]
    if len(sources) > 1:
        raise typer.BadParameter(f"{' and '.join(sources)} exclude each other.")
    if current is not None:
        return channel_of(read(current).segments[0], "current", str(current))
    if duration is None:
        raise typer.BadParameter("Give --duration, or a recording by --current.")
    if not sources:
        return None
    _, unit = neuron.only_input
    base, dt = si_unit_text(unit), dt or DEFAULT_DT
    if noise is None:
        return stimuli.steps([in_si(step, unit, "The step")], duration, dt, unit=base)
    mean, spread = (in_si(text, unit, "The noise") for text in noise)
    return stimuli.frozen_noise(
        duration, dt, mean=mean, standard_deviation=spread, seed=seed, unit=base
    )
