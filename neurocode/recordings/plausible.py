"""Refusing sampling rates, times and units that no recording has, but that damaged and hostile
files declare."""

from __future__ import annotations

import re
from pathlib import Path

import neo
import numpy as np

from neurocode.errors import DataError
from neurocode.units import number_in

#: Lowest and highest sampling rate of a signal in hertz.
SLOWEST, FASTEST = 1e-3, 1e8
#: Latest time in seconds: three centuries, so that seconds of the Unix epoch are accepted.
LATEST = 1e10

#: Products and quotients of names of units, each with a small power: ``quantities`` would evaluate
#: ``9**9**9``.
_NAME = r"[A-Za-zµμΩ%]+(?:(?:\*\*|\^)-?[0-9](?:\.5)?)?"
UNIT = re.compile(rf"(?:1\.?0?|{_NAME})(?:[*/·.]{_NAME}){{0,8}}")
LONGEST_UNIT = 60


def require_plausible(path: Path, block: neo.Block) -> None:
    """Refuse a block with a signal whose sampling rate or start is implausible.

    Parameters
    ----------
    path : pathlib.Path
    block : neo.Block

    Raises
    ------
    DataError
    """
    for segment in block.segments:
        for signal in segment.analogsignals:
            require_sampling(
                path,
                signal.name or "a signal",
                _unwarned(signal.sampling_rate, "Hz"),
                _unwarned(signal.t_start, "s"),
            )


def require_sampling(path: Path, name: str, rate: float, start: float) -> None:
    """Refuse a sampling rate in hertz, or a start in seconds, that no recording has.

    Raises
    ------
    DataError
    """
    if not SLOWEST <= rate <= FASTEST:
        raise DataError(
            f"{path}: '{name}' is sampled at {rate:.3g} Hz, expected {SLOWEST:g} to {FASTEST:g} Hz."
        )
    if not abs(start) <= LATEST:
        raise DataError(f"{path}: '{name}' starts at {start:.3g} s, beyond {LATEST:g} s.")


def as_times(path: object, values: np.ndarray) -> np.ndarray:
    """Numbers of a file as times; boolean values are refused, though they would count as 0 and 1.

    Raises
    ------
    DataError

    Examples
    --------
    >>> as_times(Path("cell.npy"), np.array([1, 2]))
    array([1., 2.])
    """
    if values.dtype == bool:
        raise DataError(f"{path}: the file holds boolean values, expected spike times.")
    if values.dtype.kind in "mMUSO":
        raise DataError(
            f"{path}: the file holds values of type {values.dtype}, expected spike times."
        )
    return values.astype(float)


def is_unit(text: str) -> bool:
    """Tell whether a text may be a unit: names with small powers, multiplied and divided.

    Examples
    --------
    >>> is_unit("mV/ms**2"), is_unit("9**9**9")
    (True, False)
    """
    bare = text.replace(" ", "").replace("(", "").replace(")", "")
    return len(text) <= LONGEST_UNIT and UNIT.fullmatch(bare) is not None


def require_unit(path: Path, name: str, text: str) -> None:
    """Refuse a text that is not a unit; an empty text means no unit and is accepted.

    Raises
    ------
    DataError
    """
    if text and not is_unit(text):
        raise DataError(f"{path}: '{name}' is in '{text[:LONGEST_UNIT]}', which is not a unit.")


def _unwarned(quantity: object, unit: str) -> float:
    with np.errstate(all="ignore"):
        return number_in(quantity, unit)
