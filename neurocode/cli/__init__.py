"""The command line: it parses arguments, calls the commands, and reports errors in one sentence.

Exit code 2 for bad use, 1 for bad data.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable
from typing import Annotated

import typer

from neurocode import __version__
from neurocode.cli import (
    benchmark,
    cite,
    demo,
    describe,
    fit,
    fit_population,
    models,
    simulate,
    study,
    sweeps,
    train,
)
from neurocode.cli.data import data_app
from neurocode.errors import CoarseStepWarning, ModelError, NeurocodeError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="One stochastic neuron model: simulated, fitted to recorded spikes, judged on held-out "
    "data, trained in networks.",
)


def _say_version(version: bool) -> None:
    if version:
        typer.echo(f"neurocode {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    pass


app.command("demo", epilog=demo.EPILOG)(demo.demo_command)
app.command("fit", epilog=fit.EPILOG)(fit.fit_command)
app.command("fit-spikes", epilog=fit.SPIKES_EPILOG)(fit.fit_spikes_command)
app.command("fit-population", epilog=fit_population.EPILOG)(fit_population.fit_population_command)
app.command("describe", epilog=describe.EPILOG)(describe.describe_command)
app.command("sweeps", epilog=sweeps.EPILOG)(sweeps.sweeps_command)
app.command("simulate", epilog=simulate.EPILOG)(simulate.simulate_command)
app.command("train", epilog=train.EPILOG)(train.train_command)
app.command("study", epilog=study.STUDY_EPILOG)(study.study_command)
app.command("figures", epilog=study.FIGURES_EPILOG)(study.figures_command)
app.command("benchmark", epilog=benchmark.EPILOG)(benchmark.benchmark_command)
app.command("models", epilog=models.EPILOG)(models.models_command)
app.command("cite", epilog=cite.EPILOG)(cite.cite_command)
app.add_typer(data_app, name="data")


def main() -> None:
    """Run the command line."""
    try:
        with warnings.catch_warnings():
            show = warnings.showwarning
            # Brian2 captures warnings when it is imported, unless this has been done before
            logging.captureWarnings(True)
            warnings.showwarning = _note(show)
            app(_present_names(sys.argv[1:]))
    except NeurocodeError as error:
        print(f"neurocode: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, ModelError) else 1)
    # such as a full disk or a folder removed meanwhile, which no earlier check can foresee
    except OSError as error:
        print(
            f"neurocode: {error.filename or 'input or output'}: {error.strerror or error}",
            file=sys.stderr,
        )
        sys.exit(1)


def _note(show: Callable[..., None]) -> Callable[..., None]:
    """Return a function that prints warnings for users in one line, and others as Python does."""

    def show_warning(
        message: Warning | str, category: type[Warning], *where: object, **more: object
    ) -> None:
        if category is UserWarning or issubclass(category, CoarseStepWarning):
            print(f"note: {message}", file=sys.stderr)
        else:
            show(message, category, *where, **more)

    return show_warning


def _present_names(arguments: list[str]) -> list[str]:
    """Arguments under their present names: ``fit --spikes-only`` became ``fit-spikes``."""
    if arguments[:1] == ["fit"] and "--spikes-only" in arguments:
        return [
            "fit-spikes",
            *(argument for argument in arguments[1:] if argument != "--spikes-only"),
        ]
    return arguments
