"""Damaged files by the thousand: each is read, or refused in one sentence, in five seconds and two
gigabytes.

``make fuzz`` flips and cuts bytes of a small file of every format and reads each in a child process
with a limit of memory, so that a hang, a crash of a library and memory without end are seen and
counted. The same seed makes the same cases: a fault is told with the number of its case, and
``--only FORMAT --first NUMBER --cases 1`` makes it again.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import neo
import numpy as np
from seed_files import write_seeds

import neurocode as nc
from neurocode.errors import NeurocodeError
from neurocode.recordings import Layout, Trains, read_trains

SEED, CASES, SECONDS, GIGABYTE = 11, 2000, 5.0, 2**30
OUTCOMES = ("data", "sentence", "fault")
FORMATS = ("abf", "ibw", "nwb", "nix", "mat", "npy", "csv", "tsv", "npz", "parquet", "phy")


@dataclass(frozen=True)
class Case:
    """One damaged file: the seed file, and the random numbers by which it is damaged."""

    format: str
    number: int
    seeds: tuple[Path, ...]


@dataclass(frozen=True)
class Outcome:
    """Result of a case: ``data``, ``sentence`` or ``fault``, and the message."""

    case: Case
    kind: str
    text: str


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """Return a file with some bytes flipped or set to extremes, and sometimes without its end;
    headers are damaged more often than data."""
    changed = bytearray(content)
    for _ in range(random.integers(1, 9)):
        reach = len(changed) if random.random() < 0.5 else min(len(changed), 1024)
        place = int(random.integers(reach))
        if random.random() < 0.6:
            changed[place] ^= 1 << int(random.integers(8))
        else:
            extreme = (
                b"\xff" * 4,
                b"\x00" * 4,
                b"\xff\xff\xff\x7f",
                b"\x00\x00\x00\x80",
                b"\x01\x00\x00\x00",
            )[random.integers(5)]
            changed[place : place + 4] = extreme[: len(changed) - place]
    if random.random() < 0.25:
        del changed[int(random.integers(1, len(changed))) :]
    return bytes(changed)


def make(case: Case, folder: Path) -> Path:
    """Write the file of a case."""
    random = np.random.default_rng([SEED, FORMATS.index(case.format), case.number])
    path = folder / f"case.{case.format}"
    if case.format == "phy":
        return _damaged_folder(case, path, random)
    path.write_bytes(damaged(case.seeds[case.number % len(case.seeds)].read_bytes(), random))
    return path


def _damaged_folder(case: Case, folder: Path, random: np.random.Generator) -> Path:
    """A copy of a folder of which one file is damaged."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(case.seeds[case.number % len(case.seeds)], folder)
    files = sorted(folder.iterdir())
    hit = files[int(random.integers(len(files)))]
    hit.write_bytes(damaged(hit.read_bytes(), random))
    return folder


def read_every_way(path: Path) -> None:
    """Read a file as a recording and as spike trains; the first refusal ends it."""
    if path.suffix == ".mat":
        content: object = read_mat_either_way(path)
    elif path.suffix in (".tsv", ".npz", ".parquet", ".phy"):
        content = read_trains(path)
    else:
        content = nc.read(path)
        if path.suffix in (".npy", ".csv", ".nwb"):
            require_data(read_trains(path))
    require_data(content)


def read_mat_either_way(path: Path) -> Trains:
    """Cells of trains, or the table that files of version 4 hold."""
    try:
        return read_trains(path, Layout("spks", "unit"))
    except NeurocodeError:
        return read_trains(path, Layout("spks", "unit,time"))


def require_data(content: object) -> None:
    """Raise an error if the result is not data: signals or trains with an impossible sampling or
    extent."""
    if isinstance(content, Trains):
        assert content.n_trains and np.all(np.isfinite(content.t_stop)), "an extent is not finite"
        return
    assert isinstance(content, neo.Block) and content.segments, "no segment"
    for segment in content.segments:
        assert all(0 < float(signal.sampling_rate) < np.inf for signal in segment.analogsignals), (
            "sampling"
        )


def judge(path: Path, read: Callable[[Path], None] = read_every_way) -> tuple[str, str]:
    """Outcome of reading a file, and what was said."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except NeurocodeError as error:
        text = str(error)
        whole = (
            text.startswith((f"{path}: ", f"{path}/")) and text.endswith(".") and "\n" not in text
        )
        return ("sentence", text) if whole else ("fault", f"no sentence: {text!r}")
    except BaseException as error:
        return "fault", f"{type(error).__name__}: {error}"
    return "data", ""


def _child(pipe: Connection, memory: int, read: Callable[[Path], None]) -> None:
    """Judge cases until the pipe closes, with a limit on the memory beyond that held at the
    start."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + memory,) * 2)
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1), os.dup2(null, 2)
    with tempfile.TemporaryDirectory() as folder:
        while True:
            try:
                case = pipe.recv()
            except EOFError:
                return
            pipe.send(judge(make(case, Path(folder)), read))


class Worker:
    """A child process that judges one case after another and is started again when it hangs or
    dies."""

    def __init__(
        self,
        read: Callable[[Path], None] = read_every_way,
        seconds: float = SECONDS,
        memory: int = 2 * GIGABYTE,
    ) -> None:
        self.read, self.seconds, self.memory = read, seconds, memory
        self.child: multiprocessing.Process | None = None

    def outcome(self, case: Case) -> Outcome:
        """Judge a case; a hang and a crash are faults."""
        if self.child is None:
            context = multiprocessing.get_context("fork")
            self.pipe, inner = context.Pipe()
            self.child = context.Process(
                target=_child, args=(inner, self.memory, self.read), daemon=True
            )
            self.child.start()
            inner.close()
        try:
            self.pipe.send(case)
            if not self.pipe.poll(self.seconds):
                self.stop()
                return Outcome(case, "fault", f"hang: more than {self.seconds:g} s")
            return Outcome(case, *self.pipe.recv())
        except (EOFError, OSError):
            child = self.child
            self.stop()
            return Outcome(case, "fault", f"crash: exit code {child.exitcode}")

    def stop(self) -> None:
        """End the child."""
        if self.child is not None:
            self.child.kill()
            self.child.join()
            self.pipe.close()
            self.child = None


def table(outcomes: Sequence[Outcome]) -> str:
    """Counts of outcomes by format, aligned."""
    counts = Counter((outcome.case.format, outcome.kind) for outcome in outcomes)
    lines = [f"{'format':8}{'cases':>8}" + "".join(f"{kind:>10}" for kind in OUTCOMES)]
    for name in dict.fromkeys(outcome.case.format for outcome in outcomes):
        numbers = [counts[name, kind] for kind in OUTCOMES]
        lines.append(f"{name:8}{sum(numbers):8}" + "".join(f"{number:10}" for number in numbers))
    return "\n".join(lines)


def main() -> int:
    """Run all cases and print the table; 1 if there is a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=CASES, help="of each format")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", choices=FORMATS, action="append", help="a format; all by default")
    options = parser.parse_args()
    recorded = os.environ.get("NEUROCODE_DATA")
    outcomes = []
    with tempfile.TemporaryDirectory() as folder:
        seeds = write_seeds(Path(folder), Path(recorded) if recorded else None)
        worker = Worker()
        for name in options.only or FORMATS:
            for number in range(options.first, options.first + options.cases):
                outcome = worker.outcome(Case(name, number, tuple(seeds[name])))
                outcomes.append(outcome)
                if outcome.kind == "fault":
                    print(f"{name} case {number}: {outcome.text}", flush=True)
        worker.stop()
    print(table(outcomes))
    return int(any(outcome.kind == "fault" for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
