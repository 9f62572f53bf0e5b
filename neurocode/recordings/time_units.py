"""Units of spike times in files."""

from __future__ import annotations

from neurocode.errors import DataError

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def require_time_unit(unit: str) -> None:
    """Refuse a text that is not a unit of spike times in files.

    Raises
    ------
    DataError
    """
    if unit not in SECONDS:
        raise DataError(f"'{unit}' is not a unit of spike times; known are {', '.join(SECONDS)}.")
