"""What all tests share: recorded data, programs that were compiled before, and the command line.

Recorded data are found through NEUROCODE_DATA; tests that need them are skipped with a reason where
they are absent.
"""

from __future__ import annotations

import gc
import importlib.metadata
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# One thread for each of the processes that tests run in.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
#: Programs of quick tests run for a moment: to compile them without optimisation takes less time
#: than it costs.
QUICKLY_COMPILED = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_multi_thread_eigen=false --xla_cpu_parallel_codegen_split_count=1"
)
#: With these emitters a program takes almost twice as long to compile; later versions neither let
#: one choose nor take so long.
if importlib.metadata.version("jaxlib").startswith("0.10."):
    QUICKLY_COMPILED += " --xla_cpu_use_fusion_emitters=false"


#: The processes that long tests run in, and those that they start, compile each large program once
#: between them. Quick tests share so few that to look each of theirs up takes longer. JAX reads
#: these when it is first imported, which happens after this file.
KEPT_PROGRAMS = {
    "JAX_COMPILATION_CACHE_DIR": str(Path(__file__).parents[1] / ".cache" / "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.5",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
}


def pytest_configure(config: pytest.Config) -> None:
    """Optimise compiled programs only if long tests run too, because these run for minutes; keep
    the compiled programs."""
    chosen = (
        {"XLA_FLAGS": QUICKLY_COMPILED} if config.option.markexpr == "not long" else KEPT_PROGRAMS
    )
    for name, value in chosen.items():
        os.environ.setdefault(name, value)


#: Each compiled program holds maps of memory, of which Linux gives a process 65 530: forget the
#: programs long before.
MOST_MEMORY_MAPS = 20_000


def _memory_maps() -> int:
    maps = Path("/proc/self/maps")
    return len(maps.read_bytes().splitlines()) if maps.exists() else MOST_MEMORY_MAPS


@pytest.fixture(scope="module", autouse=True)
def a_process_that_stays_small() -> None:
    """Forget compiled programs once they hold many maps of memory, and set aside what stays.

    Brian2 and nixio ask for a full collection each time, which need not look at what libraries
    hold.
    """
    if "jax" in sys.modules and _memory_maps() >= MOST_MEMORY_MAPS:
        sys.modules["jax"].clear_caches()
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def recorded_data() -> Path:
    folder = os.environ.get("NEUROCODE_DATA", "")
    if not Path(folder).is_dir() or not folder:
        pytest.skip("needs recorded data: set NEUROCODE_DATA to their folder")
    return Path(folder)


@pytest.fixture
def neurocode(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command in this process; return its exit code and what it printed on both streams."""
    from neurocode.cli import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["neurocode", *map(str, arguments)])
        code = 0
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run
