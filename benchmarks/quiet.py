"""Whether the machine is quiet enough for timings to mean something."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

#: Share of the processors in use by others from which nothing is timed.
BUSY = 0.15
#: Where Linux counts what its processors do.
COUNTS = Path("/proc/stat")


def others() -> float:
    """Share of the processors in use while this process sleeps; NaN where the system keeps none."""
    if not COUNTS.exists():
        return float("nan")

    def read() -> tuple[int, int]:
        numbers = [
            int(part) for part in COUNTS.read_text(encoding="utf-8").split("\n")[0].split()[1:9]
        ]
        return sum(numbers) - numbers[3] - numbers[4], sum(numbers)

    first = read()
    time.sleep(2.0)
    second = read()
    return (second[0] - first[0]) / max(second[1] - first[1], 1)


def refuse_busy_machine() -> None:
    """Print the load; stop where others take much of the processors."""
    busy = others()
    print(
        f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores, {busy:.0%} in use by "
        f"others"
    )
    if busy > BUSY:
        sys.exit(f"The machine is busy ({busy:.0%} in use): timings would mean nothing.")
