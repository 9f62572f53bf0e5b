"""``neurocode cite``: BibTeX of the papers behind a result, a model or a command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EPILOG = """Examples:\n\n
neurocode cite out/result.json > references.bib\n\n
neurocode cite gif igif-ia\n\n
neurocode cite describe"""


def cite_command(
    used: Annotated[
        list[str] | None,
        typer.Argument(
            help="A result.json or its folder, models of the library, 'describe' or 'complexity'."
        ),
    ] = None,
) -> None:
    """Print the papers behind what was used, as BibTeX."""
    from neurocode.citing import TOPICS, cite

    typer.echo(cite(*(name if name in TOPICS else _thing(name) for name in used or [])), nl=False)


def _thing(name: str) -> object:
    """The fit in a file or folder, or the model with a name."""
    from neurocode.inference import FitResult
    from neurocode.models import by_name

    path = Path(name)
    if path.suffix == ".json" or path.is_dir():
        return FitResult.load(path / "result.json" if path.is_dir() else path)
    return by_name(name)
