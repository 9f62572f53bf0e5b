"""Recordings in: files to Neo blocks, with one sentence when a file cannot be read."""

from __future__ import annotations

from pathlib import Path

import neo

from neurocode.errors import DataError


def read(path: str | Path) -> neo.Block:
    """Read a recording into a Neo block.

    Parameters
    ----------
    path : str or pathlib.Path
        Any file that Neo can read; Axon binary files (.abf) are tested here.

    Returns
    -------
    neo.Block
        One segment a sweep.

    Raises
    ------
    DataError
        If the file is absent, empty, truncated or of an unknown format.

    Examples
    --------
    >>> read("absent.abf")
    Traceback (most recent call last):
    neurocode.errors.DataError: absent.abf: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: there is no such file.")
    if path.stat().st_size == 0:
        raise DataError(f"{path}: the file is empty.")
    try:
        reader = neo.get_io(str(path))
    except Exception:
        if path.suffix.lower().lstrip(".") in neo.io.io_by_extension:
            raise DataError(f"{path}: the file is damaged, truncated, or not of the format that its name says.") from None
        raise DataError(f"{path}: Neo knows no reader for this format.") from None
    try:
        block = reader.read_block()
    except Exception as error:
        reason = (str(error).splitlines() or [""])[0] or type(error).__name__
        raise DataError(f"{path}: the file is damaged or truncated ({type(reader).__name__}: {reason}).") from None
    if not block.segments:
        raise DataError(f"{path}: the file holds no sweep.")
    block.file_origin = str(path)
    return block


def signal_of(segment: neo.Segment, unit: str, what: str, where: str) -> neo.AnalogSignal:
    """First channel of a segment that is measured in a unit of the same dimension.

    Parameters
    ----------
    segment : neo.Segment
    unit : str
        For example ``"V"`` or ``"A"``.
    what, where : str
        Name of the channel and of the file, used in the message.

    Raises
    ------
    DataError
        If there is none; the message lists the channels found.
    """
    for signal in segment.analogsignals:
        if _measures(signal, unit):
            return signal[:, :1]
    found = ", ".join(f"{s.name or 'unnamed'} in {s.units.dimensionality.string}" for s in segment.analogsignals) or "none"
    raise DataError(f"{where}: there is no {what} channel (in a unit of {unit}); channels found: {found}.")


def _measures(signal: neo.AnalogSignal, unit: str) -> bool:
    try:
        signal.units.rescale(unit)
    except ValueError:
        return False
    return True
