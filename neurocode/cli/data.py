"""``neurocode data``: list and fetch public recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich import print as show
from rich.markup import escape

data_app = typer.Typer(no_args_is_help=True, help="List and fetch public recordings.")


@data_app.command("list")
def list_command() -> None:
    """List the data sets, their files, and which of them are in NEUROCODE_DATA."""
    from neurocode.recordings import datasets

    local = datasets.local_folder()
    for dataset in datasets.available().values():
        show(
            f"[bold]{escape(dataset.name)}[/bold]: "
            f"{escape(f'{dataset.description} ({dataset.license}; {dataset.source})')}"
        )
        for file in dataset.files:
            at_hand = local is not None and (local / dataset.name / file).is_file()
            show(escape(f"  {file}{'  in ' + str(local) if at_hand else ''}"))


@data_app.command(
    "fetch", epilog="Example:\n\nneurocode data fetch raphe --file DRN164_5ht_training.abf"
)
def fetch_command(
    name: Annotated[str, typer.Argument(help="Name of the data set.")],
    file: Annotated[
        list[str] | None, typer.Option(help="File to fetch, repeatable; all files by default.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to put the files into.")
    ] = None,
) -> None:
    """Download files and check them; files in NEUROCODE_DATA are copied to the folder, or, if no
    folder is given, left in place and listed."""
    from neurocode.recordings import datasets

    for entry in file or list(datasets.dataset(name).files):
        show(escape(str(datasets.fetch(name, entry, folder=output))))
