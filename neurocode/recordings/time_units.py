"""Units that spike times in files come in."""

from __future__ import annotations

from neurocode.errors import DataError

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def require_time_unit(unit: str) -> None:
    """Refuse a unit that spike times in a file do not come in.

    Raises
    ------
    DataError
    """
    if unit not in SECONDS:
        raise DataError(f"'{unit}' is no unit of spike times; known are {', '.join(SECONDS)}.")
