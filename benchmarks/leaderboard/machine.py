"""On what a row was measured: processor, memory, versions, date."""

from __future__ import annotations

import os
import platform
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import neurocode

#: Libraries that our own numbers and seconds depend on.
LIBRARIES = ("brian2", "jax", "numba", "numpy")
PROCESSORS = Path("/proc/cpuinfo")


def machine() -> str:
    """Processor, cores and memory, such as ``"AMD EPYC 7B13, 2 cores, 8 GiB"``."""
    parts = [processor(), f"{os.cpu_count()} cores"]
    with suppress(ValueError, OSError, AttributeError):
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        parts.append(f"{total / 2**30:.0f} GiB")
    return ", ".join(parts)


def processor() -> str:
    """Model of the processor, as the system names it."""
    if PROCESSORS.exists():
        for line in PROCESSORS.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return " ".join(value.split())
    return platform.processor() or platform.machine()


def circumstances() -> dict[str, str]:
    """Columns that all rows of a run share."""
    return {
        "machine": machine(),
        "neurocode": neurocode.__version__,
        "python": platform.python_version(),
        "libraries": ", ".join(_versions()),
        "date": datetime.now(UTC).date().isoformat(),
    }


def _versions() -> list[str]:
    versions = []
    for library in LIBRARIES:
        with suppress(PackageNotFoundError):
            versions.append(f"{library} {version(library)}")
    return versions
