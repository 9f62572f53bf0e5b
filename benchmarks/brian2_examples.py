"""Brian2's own examples run unmodified in Brian2 and in neurocode: spikes and states compared.

The scripts come with the source distribution of Brian2, which is fetched if no folder is given.
Windows are shortened to a number of steps, plots are not drawn, standalone devices are not used,
and both sides draw the same random numbers; the engine "numba", which has its own, is compared
where a run draws none. Every script runs in a process of its own. Usage:

    python benchmarks/brian2_examples.py --steps 2000 --csv benchmarks/brian2_examples.csv
"""

from __future__ import annotations

import argparse
import csv
import importlib
import multiprocessing
import os
import runpy
import subprocess
import sys
import tarfile
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

sys.path.insert(0, str(Path(__file__).parents[1]))

#: Files that others import, and examples with morphology, which neurocode does not cover.
HELPERS = {"params.py", "plot_utils.py"}
MORPHOLOGY = ("SpatialNeuron", "Morphology")

#: Runs of one script that are compared.
MOST_RUNS = 3

#: Programs run for a moment: to optimise them takes longer than it saves.
QUICKLY_COMPILED = " --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"

#: Spikes count as equal when each is in the same step; states within this part of their size.
TOLERANCE = 1e-8


@dataclass(frozen=True)
class Row:
    """What came of one script.

    Attributes
    ----------
    script : str
    outcome : {"equal", "differs", "refused", "not run"}
    runs : int
        Compared calls of ``run``.
    seconds : float
        Simulated time.
    spikes, differing : int
        Spikes of Brian2, and spikes that only one side has.
    state_error : float
        Largest difference at the end of a run, as a part of the variable's largest size.
    reason : str
    """

    script: str
    outcome: str
    runs: int = 0
    seconds: float = 0.0
    spikes: int = 0
    differing: int = 0
    state_error: float = 0.0
    reason: str = ""


class Enough(BaseException):
    """The runs of a script have been compared."""


def fetched(folder: Path) -> Path:
    """Source distribution of the installed version of Brian2, unpacked in a folder."""
    from importlib.metadata import version

    name = f"brian2=={version('brian2')}"
    command = [sys.executable, "-m", "pip", "download", name, "--no-binary", "brian2", "--no-deps"]
    subprocess.run([*command, "-q", "-d", str(folder)], check=True)
    (archive,) = folder.glob("brian2-*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def scripts(source: Path) -> list[Path]:
    """Examples of point neurons, by name."""
    found = []
    for path in sorted((source / "examples").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if path.name not in HELPERS and not any(word in text for word in MORPHOLOGY):
            found.append(path)
    return found


def in_its_own_process(path: Path, source: Path, steps: int, limit: int, engine: str) -> Row:
    """Compare one script; a script that takes longer than ``limit`` seconds is given up.

    Processes are forked, so that libraries are imported once.
    """
    name = str(path.relative_to(source / "examples"))
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(path, steps, engine, sender))
    process.start()
    sender.close()
    row = Row(name, "not run", reason=f"It takes more than {limit} s here.")
    if receiver.poll(limit):
        try:
            row = replace(receiver.recv(), script=name)
        except EOFError:
            row = replace(row, reason="The process ended early.")
    process.kill()
    process.join()
    return row


def _child(path: Path, steps: int, engine: str, sender: Any) -> None:
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        sys.stdout = nowhere
        sender.send(compared(path, steps, engine))


def compared(path: Path, steps: int, engine: str) -> Row:
    """Run a script with every ``run`` compared."""
    rows: list[Row] = []
    with _without_plots(), _hooked(rows, steps, engine):
        os.chdir(path.parent)
        sys.path.insert(0, str(path.parent))
        sys.argv = [str(path)]
        reason = _run_script(path)
    if rows and all(row.outcome == "not run" for row in rows):
        return replace(rows[0], script=path.name)
    if not rows:
        outcome = "refused" if reason.startswith("!") else "not run"
        return Row(path.name, outcome, reason=reason[1:] or "It runs no network.")
    last = rows[-1]
    if reason.startswith("!"):
        return replace(last, outcome="refused", reason=reason[1:])
    wrong = any(row.outcome == "differs" for row in rows)
    return Row(
        path.name,
        "differs" if wrong else "equal",
        len(rows),
        sum(row.seconds for row in rows),
        sum(row.spikes for row in rows),
        sum(row.differing for row in rows),
        max(row.state_error for row in rows),
        next((row.reason for row in rows if row.outcome == "differs"), reason.strip()),
    )


def _run_script(path: Path) -> str:
    """Why a script ended early, if it did; a refusal begins with an exclamation mark."""
    from neurocode.errors import NeurocodeError

    try:
        runpy.run_path(str(path), run_name="__main__")
    except (Enough, SystemExit):
        return ""
    except NeurocodeError as error:
        return f"!{error}"
    except BaseException as error:
        traceback.print_exc()
        return f" {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    return ""


class Drawing(MagicMock):
    """A figure, axes or a grid on which nothing is drawn."""

    def _get_child_mock(self, /, **given: Any) -> MagicMock:
        return MagicMock(**given)

    def add_gridspec(self, nrows: int = 1, ncols: int = 1, **_: Any) -> Grid:
        return Grid(nrows, ncols)


class Grid(MagicMock):
    """A grid of axes."""

    def __init__(self, rows: int = 1, columns: int = 1, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._shape = (rows, columns)

    def _get_child_mock(self, /, **given: Any) -> MagicMock:
        return MagicMock(**given)

    def subplots(self, **_: Any) -> Any:
        return _axes(*self._shape)


def _axes(rows: int = 1, columns: int = 1) -> Any:
    import numpy as np

    axes = np.empty(rows * columns, dtype=object)
    for i in range(axes.size):
        axes[i] = Drawing()
    return axes[0] if axes.size == 1 else axes.reshape(rows, columns).squeeze()


def _drawing(name: str) -> Any:
    if name == "subplots":
        return lambda nrows=1, ncols=1, *_, **__: (Drawing(), _axes(nrows, ncols))
    return lambda *_, **__: Drawing()


@contextmanager
def _without_plots() -> Iterator[None]:
    """Replace what draws by what does nothing."""
    import brian2
    import matplotlib.pyplot
    import pylab

    for module in (matplotlib.pyplot, pylab, brian2):
        for name, member in list(vars(module).items()):
            of_matplotlib = getattr(member, "__module__", "") == "matplotlib.pyplot"
            if of_matplotlib and callable(member) and not isinstance(member, type):
                setattr(module, name, _drawing(name))
    yield


@contextmanager
def _hooked(rows: list[Row], steps: int, engine: str) -> Iterator[None]:
    """Compare every run; standalone devices and pools of processes are replaced."""
    import brian2
    import brian2.devices.device
    from brian2.core.namespace import get_local_namespace

    original = brian2.Network.run
    brian2.prefs.codegen.target = "numpy"

    def run(
        self: Any, duration: Any, *_: Any, namespace: Any = None, level: int = 0, **__: Any
    ) -> None:
        if namespace is None:
            namespace = get_local_namespace(level + 1)
        objects = self.sorted_objects
        if not objects or float(duration) == 0:
            original(self, duration, namespace=namespace)
            return
        dt = min(float(each.clock.dt) for each in objects)
        shortened = min(float(duration), steps * dt) * brian2.second
        rows.append(_one_run(self, shortened, namespace, original, engine))
        if len(rows) == MOST_RUNS:
            raise Enough

    brian2.Network.run = run
    for module in (brian2, brian2.devices.device):
        module.set_device = lambda *_, **__: None
    multiprocessing.Pool = _Pool  # scripts that use one import the same module
    yield


class _Pool:
    """A pool that works in this process."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __enter__(self) -> _Pool:
        return self

    def __exit__(self, *_: Any) -> None: ...

    def map(self, function: Any, values: Any) -> list[Any]:
        return list(map(function, values))


def _one_run(
    net: Any, duration: Any, namespace: Mapping[str, Any], original: Any, engine: str
) -> Row:
    """Run a network on both sides."""
    import numpy as np

    from benchmarks.shared_random import SharedNumbers, shared
    from neurocode.networks.capture import capture
    from neurocode.networks.network import BrianNetwork

    captured, handles = capture(net, namespace, 0)
    network = BrianNetwork(_with_all_spikes(captured), handles)
    n_steps = network.plan.step_of(captured.t + float(duration)) - network.plan.first
    if engine == "numba" and "_nc_rng." in network._runner("numba")._source.text:
        original(net, duration, namespace=namespace)
        return Row("", "not run", reason="It draws random numbers while it runs.")
    initial = network.captured.arrays, network.captured.constants
    arrays, pieces = network._runner(engine)(n_steps, *initial, 0)
    objects = [each for each in net.sorted_objects if each.active]
    seen: dict[str, list[tuple[int, int]]] = {}
    numbers = SharedNumbers(network._runner("jax").stepper, 0, seen)
    variables = {key: handles.variables[key] for key in arrays}
    ordered = any(map(_order_matters, network.plan.programs))
    with shared(numbers, objects, namespace), _in_compiled_order(ordered):
        original(net, duration, namespace=namespace)
    n_spikes = differing = 0
    for name, brian in seen.items():
        parts = [piece[f"all {name}"] for piece in pieces]
        steps, neurons = (
            np.concatenate([getattr(p, w) for p in parts]) for w in ("rows", "neurons")
        )
        ours = set(zip((steps + network.plan.first).tolist(), neurons.tolist(), strict=True))
        n_spikes += len(brian)
        differing += len(ours ^ set(brian))
    errors = {k: _error(arrays[k], np.asarray(v.get_value())) for k, v in variables.items()}
    worst = max(errors, key=errors.__getitem__, default="")
    error = errors.get(worst, 0.0)
    wrong = differing > 0 or not error <= TOLERANCE
    reason = f"{worst}" if wrong else ""
    outcome = "differs" if wrong else "equal"
    return Row("", outcome, 1, float(duration), n_spikes, differing, error, reason)


def _order_matters(program: Any) -> bool:
    """Whether results depend on the order of lanes, or of statements on two names of an array."""
    names = [reference.key for reference in program.block.references.values()]
    twice = any(names.count(key) > 1 for key in program.changed)
    return bool(program.writes.ordered) or (program.block.template == "synapses" and twice)


@contextmanager
def _in_compiled_order(ordered: bool) -> Iterator[None]:
    """Let Brian2's NumPy code go from synapse to synapse, as its compiled code does.

    Where the order matters, NumPy's own goes from statement to statement, with other results.
    """
    from brian2.codegen.generators.numpy_generator import NumpyCodeGenerator

    NumpyCodeGenerator._use_ufunc_at_vectorisation = not ordered
    try:
        yield
    finally:
        NumpyCodeGenerator._use_ufunc_at_vectorisation = True


def _error(ours: Any, brian: Any) -> float:
    """Largest difference as a part of the largest size; infinite unless the same are finite."""
    import numpy as np

    ours, brian = np.asarray(ours, float), np.asarray(brian, float)
    if not np.array_equal(np.isfinite(ours), np.isfinite(brian)):
        return float("inf")
    finite = np.isfinite(brian)
    size = np.abs(brian[finite]).max(initial=0.0)
    difference = np.abs(ours[finite] - brian[finite]).max(initial=0.0)
    return float(difference / size) if size > 0 else float(difference)


def _with_all_spikes(captured: Any) -> Any:
    """Record all events, also those that the script does not."""
    from neurocode.networks.captured import Block, Monitor

    blocks: list[Block] = []
    for block in captured.blocks:
        blocks.append(block)
        if block.template in ("threshold", "spikegenerator"):
            size = captured.events[block.events]
            monitor = Monitor("events", block.owner, 0, size, variables={}, records=False)
            blocks.append(
                Block(
                    f"all {block.name}",
                    block.owner,
                    "spikemonitor",
                    block.clock,
                    0,
                    (),
                    (),
                    {},
                    {},
                    {},
                    {},
                    {},
                    block.events,
                    part=monitor,
                )
            )
    return replace(captured, blocks=tuple(blocks))


def main() -> None:
    """Compare all examples, or one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--source", type=Path, help="unpacked source distribution of Brian2")
    parser.add_argument("--steps", type=int, default=2000, help="longest window in time steps")
    parser.add_argument("--engine", choices=("jax", "numba"), default="jax")
    parser.add_argument("--limit", type=int, default=300, help="seconds for one script")
    parser.add_argument("--csv", type=Path, help="file for the table")
    parser.add_argument("--only", nargs="*", help="scripts whose names contain one of these")
    given = parser.parse_args()
    os.environ["MPLBACKEND"] = "Agg"
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + QUICKLY_COMPILED
    importlib.import_module("benchmarks.shared_random")

    with tempfile.TemporaryDirectory() as folder:
        source = (given.source or fetched(Path(folder))).resolve()
        rows = []
        for path in scripts(source):
            if given.only is None or any(word in str(path) for word in given.only):
                settings = given.steps, given.limit, given.engine
                rows.append(in_its_own_process(path, source, *settings))
                print(*asdict(rows[-1]).values(), sep=" | ", flush=True)
    if given.csv:
        with given.csv.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(Row.__dataclass_fields__))
            writer.writeheader()
            writer.writerows(asdict(row) for row in rows)
    equal = sum(row.outcome == "equal" for row in rows)
    print(f"{equal} of {len(rows)} equal")


if __name__ == "__main__":
    main()
