"""``neurocode benchmark``: the leaderboard, run here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import print as show
from rich.markup import escape

from neurocode.cli.study import make_folder
from neurocode.errors import DataError

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

EPILOG = """Examples:\n\n
neurocode benchmark --list\n\n
neurocode benchmark --task lz76 --quick\n\n
neurocode benchmark --task raphe --task training-step\n\n
neurocode benchmark -o mine.csv"""


def benchmark_command(
    task: Annotated[
        list[str] | None, typer.Option(help="Only this task; repeatable. All where none is given.")
    ] = None,
    show_list: Annotated[
        bool,
        typer.Option("--list", help="Name the tasks, how long each runs, and what it lacks here."),
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="CSV file; benchmarks/leaderboard.csv if not given."),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Every task in about a minute, into out/benchmark/leaderboard.csv."
        ),
    ] = False,
    allow_busy: Annotated[
        bool,
        typer.Option(
            "--allow-busy", help="Time beside other work; such timings are printed and not kept."
        ),
    ] = False,
) -> None:
    """Run the tasks of the leaderboard and write what they gave.

    Each row holds our value, that of a peer which ran in the same process or was published, their
    ratio (above one: ours is better), the machine, the versions and the date. Rows of the same task
    and machine are replaced. Tasks whose peers or recordings are missing are left out, and named.
    """
    from neurocode.studies.study import checkout, module_from

    place = checkout()
    board = module_from("benchmarks.leaderboard", place)
    for name in task or ():
        board.load_task(name)
    names = list(dict.fromkeys(task or board.task_names()))
    if show_list:
        for name in names:
            show(_line(name, board.load_task(name)))
        return
    path = output or place / (
        "out/benchmark/leaderboard.csv" if quick else "benchmarks/leaderboard.csv"
    )
    _require_writable(path)
    board.read_table(path)
    done = [name for name in names if _run(board, name, path, quick, allow_busy)]
    if not done:
        raise DataError("No task was run: see above what each of them lacks.")


def _line(name: str, task: Any) -> str:
    """What ``--list`` says of a task."""
    obstacle = task.obstacle()
    here = f" Not here: {obstacle}" if obstacle else ""
    return escape(f"{name}: {task.title}, about {task.minutes:g} min.{here}")


def _run(board: ModuleType, name: str, path: Path, quick: bool, allow_busy: bool) -> bool:
    """Run a task and add its rows to the table, where it can be run."""
    task = board.load_task(name)
    if obstacle := task.obstacle():
        show(escape(f"{name} is left out: {obstacle}"))
        return False
    for sentence in board.what_is_missing(task.peers):
        show(escape(f"{name}: {sentence}"))
    if task.timed and not allow_busy:
        board.require_quiet_machine()
    show(f"[bold]{escape(task.title)}[/bold]")
    rows = board.run_task(name, quick=quick)
    _print(rows)
    if task.timed and allow_busy:
        show("Not kept: the machine may have been busy.")
        return True
    board.write_table(board.merged(board.read_table(path), rows), path)
    show(escape(f"Table: {path}"))
    return True


def _print(rows: pd.DataFrame) -> None:
    for row in rows.to_dict("records"):
        ours, peer_value = (
            f"{row[name]:.4g} {row['unit']}".strip() for name in ("ours", "peer_value")
        )
        beside = "" if row["kind"] == "no peer" else f"; {row['peer']} {peer_value}"
        source = f" ({row['source']})" if row["kind"] == "published" else ""
        ratio = "" if row["ratio"] != row["ratio"] else f"; ratio {row['ratio']:.3g}"
        note = f"; {row['note']}" if row["note"] else ""
        text = f"- {row['case']}, {row['measure']}: {ours}{beside}{source}{ratio}{note}"
        show(escape(text))


def _require_writable(path: Path) -> None:
    """Refuse a file that cannot be written before anything is measured."""
    make_folder(path.parent)
    if path.is_dir():
        raise DataError(f"{path} is a folder, expected the name of a CSV file.")
