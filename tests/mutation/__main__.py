"""``make mutants``: plant faults one at a time, run the tests that cover them, and print what was
killed and what survived."""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import multiprocessing
import shutil
import subprocess
import tomllib
from dataclasses import asdict
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pandas as pd

from tests.mutation.cover import Coverage, measure
from tests.mutation.draw import PACKAGES, Mutant, draw
from tests.mutation.trial import KILLED, SURVIVED, try_mutant

HERE = Path(__file__).parent
#: Loaded once and inherited by the process of each mutant; neurocode itself is loaded anew by each.
LIBRARIES = (
    "brian2",
    "elephant",
    "equinox",
    "h5py",
    "hypothesis",
    "jax",
    "matplotlib.pyplot",
    "neo",
    "nir",
    "nixio",
    "numba",
    "optax",
    "pandas",
    "pynwb",
    "rich",
    "scipy.optimize",
    "scipy.stats",
    "sklearn",
    "typer",
)
EQUIVALENT = "equivalent"
#: Tests that take so much longer than without a fault hang.
PATIENCE, LEAST_LIMIT = 4.0, 90.0


def main() -> None:
    """Run the command."""
    arguments = _arguments()
    folder = Path(arguments.output).resolve()
    root = HERE.parents[1]
    files = _tracked(root)
    state = folder / _digest(root, files, arguments.tests)
    copies = [
        _copy(root, files, state / f"checkout-{worker}") for worker in range(arguments.workers)
    ]
    coverage = measure(copies[0], state, arguments.workers, arguments.tests)
    mutants = draw(root, arguments.count, arguments.seed, arguments.package or list(PACKAGES))
    table = state / "outcomes.jsonl"
    finished = {row["key"] for row in _rows(table)}
    waiting = [mutant for mutant in mutants if mutant.key not in finished]
    for library in LIBRARIES:
        importlib.import_module(library)
    fork = multiprocessing.get_context("fork")
    turn = fork.Value("i", 0)
    processes = [
        fork.Process(target=_work, args=(waiting, turn, coverage, copy, table)) for copy in copies
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    outcomes = {row["key"]: row["outcome"] for row in _rows(table)}
    report(
        [
            {**asdict(mutant), "outcome": outcomes[mutant.key], "name": mutant.name}
            for mutant in mutants
        ],
        folder,
    )


def report(rows: list[dict], folder: Path) -> None:
    """Print the table by package and the survivors, and write both as CSV."""
    reasons = {
        entry["name"]: entry["reason"]
        for entry in tomllib.loads((HERE / "equivalent.toml").read_text())["mutant"]
    }
    frame = pd.DataFrame(rows)
    equivalent = (frame["outcome"] == SURVIVED) & frame["name"].isin(reasons)
    frame.loc[equivalent, "outcome"] = EQUIVALENT
    table = frame.pivot_table(
        index="package", columns="outcome", values="line", aggfunc="count", fill_value=0
    )
    table = table.reindex(columns=[KILLED, SURVIVED, EQUIVALENT], fill_value=0).loc[
        list(dict.fromkeys(frame["package"]))
    ]
    table.loc["all"] = table.sum()
    table["killed of not equivalent (%)"] = (
        100 * table[KILLED] / (table[KILLED] + table[SURVIVED])
    ).round(1)
    folder.mkdir(parents=True, exist_ok=True)
    frame.drop(columns="name").to_csv(folder / "mutants.csv", index=False)
    table.to_csv(folder / "summary.csv")
    for row in frame[frame["outcome"] == SURVIVED].itertuples():
        print(f"survived  {row.path}:{row.line}\n    - {row.before}\n    + {row.after}")
    print(table.to_string())


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="Mutants to draw.")
    parser.add_argument("--seed", type=int, default=0, help="Of the draw.")
    parser.add_argument(
        "--package",
        action="append",
        choices=list(PACKAGES),
        help="Draw from this one alone; repeatable.",
    )
    parser.add_argument(
        "--tests",
        nargs="*",
        default=[],
        help="Only the tests of these files and folders; all by default.",
    )
    parser.add_argument(
        "--workers", type=int, default=2, help="Mutants that are tried side by side."
    )
    parser.add_argument(
        "--output",
        default="out/mutants",
        help="Folder of the tables; a run that was stopped goes on from it.",
    )
    return parser.parse_args()


def _tracked(root: Path) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listing.stdout.splitlines() if (root / name).is_file()]


def _digest(root: Path, files: list[str], tests: list[str]) -> str:
    digest = hashlib.sha256(" ".join(tests).encode())
    for name in files:
        if name.endswith((".py", ".toml")):
            digest.update(name.encode() + (root / name).read_bytes())
    return digest.hexdigest()[:12]


def _copy(root: Path, files: list[str], target: Path) -> Path:
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, target / name)
    return target


def _rows(table: Path) -> list[dict]:
    return (
        [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()]
        if table.exists()
        else []
    )


def _work(
    mutants: list[Mutant], turn: Synchronized, coverage: Coverage, root: Path, table: Path
) -> None:
    """Try the mutants in turn; some take a hundred times as long as others."""
    while True:
        with turn.get_lock():
            number, turn.value = turn.value, turn.value + 1
        if number >= len(mutants):
            return
        mutant = mutants[number]
        plan = coverage.plan(mutant.path, mutant.line)
        limit = LEAST_LIMIT + PATIENCE * sum(coverage.seconds.get(test, 0.0) for test in plan)
        outcome = try_mutant(mutant, plan, root, number, limit)
        with table.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": mutant.key, "outcome": outcome}) + "\n")
        print(
            f"{outcome}  {mutant.path}:{mutant.line}  {mutant.before}  ->  {mutant.after}",
            flush=True,
        )


if __name__ == "__main__":
    main()
