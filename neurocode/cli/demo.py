"""``neurocode demo``: a simulated patch-clamp experiment with known truth, fitted and judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show

from neurocode.frames import kept

if TYPE_CHECKING:
    from neurocode.models import NeuronModel

EPILOG = "Example:\n\nneurocode demo -o demo/"

HEADINGS = {
    "parameter": "parameter",
    "unit": "unit",
    "truth": "truth",
    "estimate": "estimate",
    "low_95": "from",
    "high_95": "to",
}
TRAINING_SECONDS, TEST_SECONDS, TEST_REPEATS, DT = 60.0, 8.0, 10, 2e-4
#: In pA and seconds.
CURRENT = {"mean": 110.0, "standard_deviation": 90.0, "time_constant": 3e-3}


def demo_command(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(help="Seed of the experiment.")] = 1,
) -> None:
    """Simulate a recording of a generalised integrate-and-fire neuron, fit it, and show the true
    values next to the estimates."""
    from neurocode.cli.fit import print_entry
    from neurocode.cli.fit_report import entry, parameter_table, write_fit
    from neurocode.cli.output import output_folder
    from neurocode.cli.progress import fit_progress
    from neurocode.cli.terminal import show_report, show_table
    from neurocode.inference import cross_validate, evaluate, fit
    from neurocode.simulation import simulated_experiment

    truth = true_model()
    settings = {
        "seed": seed,
        "training_seconds": TRAINING_SECONDS,
        "test_seconds": TEST_SECONDS,
        "dt": DT,
    }
    with output_folder(output, settings) as folder:
        show(
            f"Brian2 and JAX run the same equations: membrane potentials differ by at most "
            f"{engine_difference():.1e} mV over 1 s"
        )
        experiment = simulated_experiment(
            truth,
            current=CURRENT,
            training=TRAINING_SECONDS,
            test=TEST_SECONDS,
            repeats=TEST_REPEATS,
            dt=DT,
            seed=seed,
        )
        show(
            f"simulated a recording: {experiment.n_spikes} training spikes, {TEST_REPEATS} test "
            f"repeats"
        )
        with fit_progress("gif to the simulated recording") as report:
            result = fit(unfitted_model(), experiment, starts=1, seed=seed, progress=report)
            validation = cross_validate(unfitted_model(), result, experiment, progress=report)
        result = replace(result, cross_validation=validation)
        scores = evaluate(result, experiment, seed=seed)
        write_fit(folder, result, scores, experiment, truth=truth)
    print_entry(entry(result, scores, experiment))
    frame = parameter_table(result, truth)
    show_table(kept(frame, frame["status"] != "fixed"), HEADINGS)
    show("from and to: limits of 95 % intervals, 19 in 20 of which contain the true value")
    show_report(output)


def unfitted_model() -> NeuronModel:
    """A generalised integrate-and-fire neuron with one trace of its spikes: a minute of spikes
    determines its free parameters."""
    from neurocode.models import gif

    return gif((80.0,))


def true_model() -> NeuronModel:
    """The neuron of the demonstration; its values are our choice, typical of an adapting cortical
    cell."""
    return unfitted_model().with_parameters(
        C="100 pF",
        g_L="5 nS",
        V_r="-58 mV",
        V_T="-48 mV",
        Delta_V="2.5 mV",
        a_eta_1="30 pA",
        a_gamma_1="5 mV",
    )


def engine_difference() -> float:
    """Largest difference in mV between the two engines on one deterministic second."""
    import numpy as np

    from neurocode.models import lif
    from neurocode.simulation import simulate, stimuli

    current = stimuli.frozen_noise(1.0, 1e-3, mean=250.0, standard_deviation=100.0, seed=0)
    blocks = [
        simulate(lif(), current, record=("v",), engine=engine) for engine in ("brian2", "jax")
    ]
    first, second = (block.segments[0].analogsignals[0].rescale("mV").magnitude for block in blocks)
    return float(np.max(np.abs(first - second)))
