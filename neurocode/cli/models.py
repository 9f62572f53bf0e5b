"""``neurocode models``: the neurons of the library, their equations, parameters and sources."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer
from rich import print as show
from rich.markup import escape

if TYPE_CHECKING:
    import pandas as pd

    from neurocode.models import NeuronModel, Parameter

EPILOG = """Examples:\n\n
neurocode models\n\n
neurocode models gif\n\n
neurocode models my_neuron.toml"""

HEADINGS = {"model": "model", "free": "free", "noise": "noise", "description": "what it is"}
PARAMETER_HEADINGS = {
    "parameter": "parameter",
    "value": "value",
    "unit": "unit",
    "bounds": "bounds",
    "description": "meaning",
}


def models_command(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A model of the library or a .toml file; without a name, all are listed."
        ),
    ] = None,
) -> None:
    """List the models of the library, or show the equations, parameters and source of one."""
    from neurocode.cli.terminal import show_table
    from neurocode.models import by_name

    if name is None:
        show_table(library_table(), HEADINGS)
        return
    model = by_name(name)
    show(escape(f"{model.name}: {model.description or 'no description'}\n"))
    for label, text in (
        ("equations", model.equations),
        ("margin to threshold", model.margin),
        ("reset", model.reset),
    ):
        typer.echo(
            f"{label}:\n" + "\n".join(f"  {line.strip()}" for line in text.strip().splitlines())
        )
    show_table(parameter_table(model), PARAMETER_HEADINGS)


def library_table() -> pd.DataFrame:
    """One row per model of the library."""
    import pandas as pd

    from neurocode.models import LIBRARY

    rows = []
    for name, make in LIBRARY.items():
        model = make()
        noise = (
            "diffusion" if model.has_diffusion else "escape" if model.noise is not None else "none"
        )
        free = sum(not parameter.fixed for parameter in model.parameters.values())
        rows.append({"model": name, "free": free, "noise": noise, "description": model.description})
    return pd.DataFrame(rows)


def parameter_table(model: NeuronModel) -> pd.DataFrame:
    """One row per parameter of a model: value, unit, bounds of a fit, meaning."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "parameter": name,
                "value": parameter.value,
                "unit": "" if parameter.unit == "1" else parameter.unit,
                "bounds": _bounds(parameter),
                "description": parameter.description,
            }
            for name, parameter in model.parameters.items()
        ]
    )


def _bounds(parameter: Parameter) -> str:
    """Range of values that a fit searches, as text."""
    if parameter.fixed:
        return "fixed"
    low, high = parameter.bounds
    return "free" if low == -math.inf and high == math.inf else f"{low:g} to {high:g}"
