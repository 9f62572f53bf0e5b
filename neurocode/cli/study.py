"""``neurocode study`` and ``neurocode figures``: reproduce published systems, draw figures."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import print as show
from rich.markup import escape

from neurocode.errors import DataError, ModelError
from neurocode.extras import require

if TYPE_CHECKING:
    import pandas as pd

STUDY_EPILOG = """Examples:\n\n
neurocode study adaptive-lif --quick\n\n
neurocode study adaptive-lif --workers 2\n\n
neurocode study adaptive-lif --protocol published --part ecg --workers 2\n\n
neurocode study adaptive-lif --scheduler tcp://10.0.0.1:8786\n\n
neurocode figures adaptive-lif"""
FIGURES_EPILOG = """Examples:\n\n
neurocode figures adaptive-lif\n\n
neurocode figures adaptive-lif --tables out/adaptive-lif/quick -o out/figures"""

QUICK = "quick"
#: A quick run uses each program for a moment only: without optimisation it compiles in less time
#: than it then loses.
QUICKLY_COMPILED = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


def study_command(
    name: Annotated[
        str,
        typer.Argument(
            help="Study, such as adaptive-lif: a folder of analyses that holds study.py."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the tables; by default that of the study."),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="Protocol, which sets lengths and sizes; by default the study's first."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Run every step with few rows, in some minutes, into out/NAME/quick."
        ),
    ] = False,
    part: Annotated[list[str] | None, typer.Option(help="Run only this part; repeatable.")] = None,
    workers: Annotated[
        int, typer.Option(min=1, help="Number of local processes, of one thread each.")
    ] = 1,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler whose workers are used instead.")
    ] = None,
) -> None:
    """Run a study and print its claims.

    Rows that its tables already hold for the same settings are not run again, and an interrupted
    run continues. Trained networks are kept in out/NAME. Recorded data are read from the folder
    NEUROCODE_DATA; missing data are reported before anything is run.
    """
    if quick:
        os.environ.setdefault("XLA_FLAGS", QUICKLY_COMPILED)  # before JAX is imported
    from neurocode.cli.output import write_provenance
    from neurocode.cli.progress import row_progress
    from neurocode.studies import write_claims
    from neurocode.studies.study import StudyRun, checkout, load_study, results_of

    _refuse_contradictions(protocol, quick, workers, scheduler)
    place = checkout()
    require("pyarrow")
    study = load_study(name, place)
    chosen = QUICK if quick else protocol or study.protocols[0]
    if chosen not in study.protocols:
        raise ModelError(
            f"Study '{name}' has no protocol '{chosen}'; it has {', '.join(study.protocols)}."
        )
    unknown = [p for p in part or [] if p not in study.parts]
    if unknown:
        raise ModelError(
            f"Study '{name}' has no part '{unknown[0]}'; it has {', '.join(study.parts)}."
        )
    parts = [title for title in study.parts if not part or title in part]
    study.require_data(chosen, parts)
    scratch = place / "out" / name
    folder = output or (scratch / QUICK if chosen == QUICK else results_of(name, place))
    make_folder(folder)
    for title in parts:
        with row_progress(title) as progress:
            study.parts[title](
                StudyRun(chosen, folder, scratch / "networks", workers, scheduler, progress)
            )
    table = write_claims(folder, study.claims(folder))
    write_provenance(
        folder, {"study": name, "protocol": chosen, "parts": parts, "workers": workers}
    )
    _print(study.title, table)
    show(escape(f"Tables: {folder}"))


def figures_command(
    name: Annotated[str, typer.Argument(help="Script of figures, such as adaptive-lif.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder of the figures; by default that of the scripts."
        ),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option(help="Folder of the tables; by default the committed ones of the study."),
    ] = None,
) -> None:
    """Draw the figures of a study from its tables, each as PDF and as PNG."""
    from pandas.errors import EmptyDataError, ParserError

    from neurocode.studies.study import checkout, module_of, results_of

    place = checkout()
    require("pyarrow")
    module = module_of("figures", name, place)
    source = tables or results_of(name, place)
    if not source.is_dir():
        raise DataError(
            f"{source}: there is no such folder of tables; 'neurocode study {name}' writes one."
        )
    folder = output or place / "figures"
    make_folder(folder)
    try:
        paths = module.draw(source, folder)
    except (KeyError, FileNotFoundError, ParserError, EmptyDataError) as error:
        raise DataError(
            f"{source}: the tables are not those of '{name}' ({type(error).__name__}: {error})."
        ) from None
    if not paths:
        raise DataError(
            f"{source}: the tables that the figures of '{name}' are drawn from are not all there."
        )
    for path in paths:
        show(escape(f"{path}"))


def _refuse_contradictions(
    protocol: str | None, quick: bool, workers: int, scheduler: str | None
) -> None:
    """Refuse options of which one would silently override the other."""
    if quick and protocol not in (None, QUICK):
        raise ModelError(
            f"--quick and --protocol {protocol} contradict one another: give one of them."
        )
    if scheduler is not None and workers != 1:
        raise ModelError(
            "--workers starts local processes and --scheduler uses those of a cluster: give one "
            "of them."
        )


def make_folder(folder: Path) -> None:
    """Create an output folder before anything is computed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"{folder}: the folder cannot be written into ({error.strerror})."
        ) from None
    if not os.access(folder, os.W_OK):
        raise DataError(f"{folder}: the folder cannot be written into (permission denied).")


def _print(title: str, claims: pd.DataFrame) -> None:
    show(f"[bold]{title}[/bold]")
    for row in claims.to_dict("records"):
        mean, deviation = row["our_mean"], row["our_sd"]
        value = "" if mean is None or math.isnan(mean) else f"{mean:.4g}"
        spread = (
            ""
            if deviation is None or math.isnan(deviation)
            else f" ± {deviation:.2g} ({row['seeds']} seeds)"
        )
        printed = f"; {row['source']}: {row['paper_value']}" if row["paper_value"] else ""
        where = f" on {row['dataset']}" if row.get("dataset", "") else ""
        show(
            escape(
                f"- {row['claim']}{where}: {value}{spread}{_interval(row)}{printed}. "
                f"{row['verdict'].capitalize()}{_needed(row)}."
            )
        )


def _interval(row: Mapping[Any, Any]) -> str:
    """95 % interval of a paired comparison as text; empty if there is none."""
    known = not math.isnan(row.get("low") or math.nan)
    return f", {row['low']:.3g} to {row['high']:.3g}" if known else ""


def _needed(row: Mapping[Any, Any]) -> str:
    """Number of seeds that would decide an undecided comparison, as text."""
    if row["verdict"] != "undecided":
        return ""
    needed = row.get("needed")
    return (
        ": no number of seeds below 10 000 would decide"
        if needed is None or math.isnan(needed)
        else f": about {int(needed)} seeds would decide"
    )
